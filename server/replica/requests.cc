#include <algorithm>
#include <utility>

#include "server/commands/command_command.h"
#include "server/commands/hyperloglogs.h"
#include "server/commands/letter_case.h"
#include "server/commands/scripts.h"
#include "server/commands/streams.h"
#include "server/replica/engine.h"
#include "server/replica/local/local.h"
#include "server/replica/reply_scope.h"

// From a client's bytes to a pending request: parse, look up, check, and send it down its path (architecture, section
// 1).

namespace redraft::replica {
namespace {

constexpr std::size_t kInputSpaceMin = std::size_t{8} << 10;
constexpr std::size_t kInputKept = std::size_t{64} << 10;
constexpr std::size_t kAdminClients = 4;
constexpr std::size_t kWalkedAheadMax = std::size_t{64} << 20;

// A browser that was made to send a form here (cross-protocol scripting): its request's lines begin like this, and what
// follows them must not be run. As Redis does.
bool speaks_http(std::string_view first_word) {
  return commands::equals_ignoring_case(first_word, "post") || commands::equals_ignoring_case(first_word, "host:");
}

}  // namespace

using commands::Command;
using commands::CommandId;

Session& Engine::client_connected(ClientAddress address) {
  ++statistics_.connections_received;
  Session& session = sessions_.open(std::move(address));
  session.connected_ms = session.active_ms = now_.monotonic_us / 1000;
  users_.log_out(session);
  session.parser.set_bulk_max(static_cast<std::int64_t>(settings_.values().proto_max_bulk_len));
  return session;
}

// The free tail of the input buffer, where a bulk is read into its place.
std::span<char> Engine::input_space(Session& session, std::size_t suggested) {
  const std::size_t used = session.input.size();
  const std::size_t wanted = std::min(std::max(session.parser.needed(), kInputSpaceMin), suggested);
  if (session.input.capacity() - used < wanted) {
    // In steps by what has come, up to what the parser knows to be missing: who announces 512 MiB and sends nothing
    // costs nothing, and a third of a large value is copied.
    const std::size_t missing = session.parser.needed();
    const std::size_t more = missing > suggested ? std::min(missing, used * 3) : used;
    session.input.reserve(used + std::max(wanted, more));
  }
  session.input.resize(used + wanted);
  session.input_filled = used;
  return {session.input.data() + used, session.input.size() - used};
}

void Engine::client_input(Session& session, std::size_t size) {
  session.input.resize(session.input_filled + size);
  session.bytes_in += size;
  statistics_.bytes_in.total += size;
  session.active_ms = now_.monotonic_us / 1000;
  if (applying_ && !busy_) return;
  process(session);
}

// Past maxclients: a few connections from this machine, so that an operator always gets in.
bool Engine::admit_admin(const ClientAddress& address) const {
  return (address.loopback || address.unix_socket) && sessions_.count() < settings_.values().maxclients + kAdminClients;
}

void Engine::process(Session& session) {
  while (!session.held() && !session.closing && !session.closed) {
    const std::string_view unparsed = std::string_view(session.input).substr(session.input_begin);
    if (unparsed.empty()) break;
    const auto outcome = session.parser.parse(unparsed);
    if (outcome == resp::RequestParser::Outcome::kIncomplete) {
      session.input_begin += session.parser.consumed();
      break;
    }
    if (outcome == resp::RequestParser::Outcome::kError) {
      answer(session, [&](resp::Writer& reply) { reply.error(session.parser.error()); });
      close_after_replies(session);
      break;
    }
    const std::size_t consumed = session.parser.consumed();
    session.silent = session.reply_mode != Session::ReplyMode::kOn;
    const bool skip_once = session.reply_mode == Session::ReplyMode::kSkip;
    ++session.command_number;
    if (!take(session, session.parser.arguments())) {  // parsed again when the hold is over
      --session.command_number;
      break;
    }
    session.input_begin += consumed;
    // CLIENT REPLY SKIP is about the one command after it, unless that one was CLIENT REPLY again.
    if (skip_once && session.silent) session.reply_mode = Session::ReplyMode::kOn;
  }
  drop_consumed_input(session);
}

void Engine::drop_consumed_input(Session& session) {
  if (session.input_begin == session.input.size()) {
    session.input.clear();
    session.input_begin = 0;
    if (session.input.capacity() > kInputKept) session.input.shrink_to_fit();
  } else if (session.input_begin > kInputKept) {
    session.input.erase(0, session.input_begin);
    session.input_begin = 0;
  }
}

void Engine::drop_http(Session& session) {
  constexpr std::uint64_t kLogInterval_us = 60'000'000;
  if (http_logged_us_ == 0 || now_.monotonic_us >= http_logged_us_ + kLogInterval_us) {
    http_logged_us_ = now_.monotonic_us;
    host_.log(
        LogLevel::kWarning,
        "Possible SECURITY ATTACK detected: somebody sends POST or Host: commands to this port, perhaps a browser "
        "by cross-protocol scripting. Connection from " +
            session.address().peer + " aborted.");
  }
  session.closing = true;
  host_.close_client(session);
}

// Why this command may not run at all, whatever the session's transaction; empty if it may.
std::string Engine::objection(Session& session, const Command* command, Arguments arguments) {
  if (command == nullptr || command->is_container) {
    std::string line;
    commands::Unknown::append_error(arguments, line);
    return line;
  }
  if (!commands::arity_fits(*command, arguments.size())) {
    return "ERR wrong number of arguments for '" + std::string(command->name) + "' command";
  }
  if (!session.authenticated && !command->is(commands::kNoAuth)) return "NOAUTH Authentication required.";
  if (session.restricted || session.subscribed() || session.monitor) {
    if (std::string why = users_.objection(session, *command, arguments, now_); !why.empty()) return why;
  }
  if (command->is(commands::kProtected) && !debug_allowed(session)) {
    return std::string(command->name.starts_with("debug") ? "ERR DEBUG" : "ERR MODULE") +
           " command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local "
           "connection, otherwise you need to set this option in the configuration file, and then restart the server.";
  }
  if (phase_ == Phase::kLoading && !command->is(commands::kLoading)) {
    return "LOADING Redis is loading the dataset in memory";
  }
  return busy_ ? std::string(busy_error(session, *command)) : std::string();
}

bool Engine::take(Session& session, Arguments arguments) {
  const Command* command = commands::find_command(arguments);
  session.active_ms = now_.monotonic_us / 1000;
  if (command == nullptr && speaks_http(arguments.front())) {
    drop_http(session);
    return true;
  }
  if (const std::string why = objection(session, command, arguments); !why.empty()) {
    return refuse(session, command, why);
  }
  if (actions_.paused(session, *command)) {
    session.hold(Hold::kPaused);
    return false;
  }
  if (out_of_memory(session, *command)) {
    return refuse(session, command, "OOM command not allowed when used memory > 'maxmemory'.");
  }
  if (transaction_control(command->id)) return take_transaction_control(session, *command, arguments);
  if (session.transaction.open && command->is(commands::kNoMulti)) {
    return refuse(session, command, "ERR Command not allowed inside a transaction");
  }
  if (session.transaction.open && command->id != CommandId::kReset && command->id != CommandId::kQuit) {
    return queue(session, *command, arguments);
  }
  if (command->where != commands::Where::kLeader) return take_local(session, *command, arguments);
  if (command->id == CommandId::kMigrate) return migrations_.take(session, *command, arguments);
  return take_data(session, *command, arguments);
}

// A refused command spoils the transaction that it was meant for.
bool Engine::refuse(Session& session, const Command* command, std::string_view why) {
  if (command != nullptr && command->id == CommandId::kExec) return refuse_exec(session, why);
  if (session.transaction.open) session.transaction.aborted = true;
  answer(session, [why](resp::Writer& reply) { reply.error(why); });
  return true;
}

// An EXEC that may not run discards its transaction, and says why.
bool Engine::refuse_exec(Session& session, std::string_view why) {
  forget_transaction(session);
  if (why.starts_with("ERR ")) why.remove_prefix(4);
  answer(session, [why](resp::Writer& reply) {
    reply.error("EXECABORT Transaction discarded because of: " + std::string(why));
  });
  return true;
}

bool Engine::take_local(Session& session, const Command& command, Arguments arguments) {
  if (!session.pending.empty()) {
    session.hold(Hold::kOrder);
    return false;
  }
  count(session, command);
  if (!command.name.starts_with("client|")) take_caching(session);
  run_local(session, command, arguments, session.writer());
  return true;
}

// CLIENT CACHING is about the one command after it, or the transaction.
bool Engine::take_caching(Session& session) {
  return session.tracking != nullptr && std::exchange(session.tracking->caching, false);
}

void Engine::run_local(Session& session, const Command& command, Arguments arguments, resp::Writer& reply) {
  const Pushes::Running running(pushes_);
  const std::size_t begin = session.output().size();
  const std::uint64_t begin_ns = host_.measure_ns();
  answer_local(session, command, arguments, reply, false);
  const bool failed = session.output().size() > begin && session.output()[begin] == '-';
  executed(session, command, arguments, begin_ns, failed);
  count_errors(session, begin);
  if (session.silent) session.output().resize(begin);
  report_output(session);
}

void Engine::answer_local(Session& session, const Command& command, Arguments arguments, resp::Writer& reply,
                          bool in_transaction) {
  if (commands::is_command_command(command)) {
    commands::answer_command_command(command, arguments, reply);
    return;
  }
  const local::LocalHandler handler = local::find_local(command.id);
  ensure(handler != nullptr, "every command that runs locally has a handler");
  local::LocalContext context{actions_, session, arguments, reply, command, in_transaction};
  handler(context);
}

bool Engine::take_data(Session& session, const Command& command, Arguments arguments) {
  const bool follower_read = session.readonly && command.is(commands::kReadonly);
  if (!leading() && !(follower_read && leader_known())) return take_elsewhere(session, command, arguments);
  if (command.is(commands::kWrite) || commands::changes_scripts(command) ||
      changes_count(session, command, arguments)) {
    return propose(session, command.id, command, arguments);
  }
  if (commands::is_script_call(command) && !command.is(commands::kReadonly)) {
    return take_script(session, command, arguments);
  }
  // What comes behind a read that may wait stays unparsed until that is answered.
  if (command.id == CommandId::kXread && commands::xread_blocks(arguments)) session.hold(Hold::kOrder);
  take_read(session, command, arguments);
  return true;
}

// PFCOUNT remembers the count that it had to make. A write before it on the connection may be what makes it stale.
bool Engine::changes_count(const Session& session, const Command& command, Arguments arguments) const {
  if (command.id != CommandId::kPfcount || arguments.size() != 2 || !leading()) return false;
  return session.writes_pending > 0 || commands::count_is_stale(*store_, session.db, arguments[1]);
}

void Engine::take_read(Session& session, const Command& command, Arguments arguments, bool tries) {
  count(session, command);
  Pending pending{
      .kind = Pending::Kind::kRead, .silent = session.silent, .command = &command, .number = session.command_number};
  pending.tries = tries;
  if (tries) ++session.tries;
  pending.db = session.db;
  pending.caching = take_caching(session);
  pending.offset = static_cast<std::uint32_t>(session.arena.size());
  append_command(session.arena, {.id = command.id, .db = session.db}, arguments);
  pending.size = static_cast<std::uint32_t>(session.arena.size() - pending.offset);
  place_read(session, pending);
}

// A read between writes of its own connection delays nothing: the entry proposed after it arrived is its barrier.
void Engine::place_read(Session& session, Pending pending) {
  if (session.writes_pending > 0 && session.last_write_batch == pipeline_.open_number()) {
    pending.batch = session.last_write_batch;
  } else if (settings_.values().read_mode == ReadMode::kStale) {
    pending.round = reads_.passed();
  } else {
    wait_for_round(session, pending);
  }
  session.pending.push_back(pending);
  if (settings_.values().read_mode == ReadMode::kStale) drain(session);
}

// The first is admitted whatever its size (pitfall B8). What earlier leaders left uncommitted counts too: within this
// bound Raft never refuses a batch for its own.
bool Engine::room_for(std::size_t size) const {
  // A snapshot whose disk lags must not pile up copies of what changes.
  if (store_ != nullptr && store_->walked_ahead() > kWalkedAheadMax) return false;
  const std::size_t raft_bytes = raft_ == nullptr ? 0 : raft_->uncommitted_bytes();
  const std::size_t uncommitted = std::max(pipeline_.in_flight_bytes(), raft_bytes);
  return uncommitted == 0 || pipeline_.open_size() + uncommitted + size <= settings_.values().client_memory_max;
}

// While leadership is being handed over Raft takes no proposals: the open batch waits until that has succeeded, and its
// commands are redirected, or has failed, and it goes on.
bool Engine::may_close() const {
  return leading() && raft_->transfer_target().value == 0;
}

// Definite: nothing of it was proposed. Reads go on, and writes too as soon as there is room (storage-faults row 7).
bool Engine::refuse_write(Session& session) {
  answer(session, [&](resp::Writer& reply) {
    reply.error(disk_full_ ? "MISCONF Errors writing to the log: No space left on device"
                           : "MISCONF No majority of the nodes has written anything to disk for some time: see their "
                             "logs");
  });
  return true;
}

bool Engine::propose(Session& session, CommandId id, const Command& command, Arguments arguments) {
  if (session.tries != 0) {
    // A script before it may still become a write.
    session.hold(Hold::kOrder);
    return false;
  }
  if (disputed_) {
    answer(session, [](resp::Writer& reply) { reply.error(std::string(kDisputedError)); });
    return true;
  }
  CommandHeader header{.id = id, .connection = connection_of(session), .number = session.command_number};
  header.db = session.db;
  header.user = session.user_id;
  const std::size_t size = encoded_size(header, arguments);
  if (disk_full_ || commit_stalled_) return refuse_write(session);
  if (!room_for(std::min(size, kPayloadMax)) || (pipeline_.full(size) && !may_close())) {
    session.hold(Hold::kBackPressure);
    host_.pause_reading(session);
    back_pressured_.push_back(session.id());
    return false;
  }
  count(session, command);
  Pending pending{
      .kind = Pending::Kind::kWrite, .silent = session.silent, .command = &command, .number = header.number};
  pending.db = session.db;
  pending.caching = take_caching(session);
  if (!Pipeline::fits(size)) {
    begin_fragments(session, pending, header, arguments);
    return true;
  }
  if (pipeline_.full(size)) close_batch();
  // Closing may show that leadership is gone; nothing of this command was proposed.
  if (!leading()) return take_elsewhere(session, command, arguments);
  if (command.is(commands::kBlocking)) {
    // Kept so that the wait can begin anew if its entry's term ends.
    pending.offset = static_cast<std::uint32_t>(session.arena.size());
    append_command(session.arena, header, arguments);
    pending.size = static_cast<std::uint32_t>(session.arena.size() - pending.offset);
    session.hold(Hold::kBlocked);
  }
  pending.batch = pipeline_.add(&session, header, arguments);
  sessions_.acquire(session);
  ++session.writes_pending;
  session.last_write_batch = pending.batch;
  session.pending.push_back(pending);
  return true;
}

void Engine::answer(Session& session, const std::function<void(resp::Writer&)>& write) {
  if (session.pending.empty()) {
    ReplyScope scope(*this, session, session.silent);
    write(session.writer());
    return;
  }
  Pending pending{.kind = Pending::Kind::kReply, .silent = session.silent};
  pending.offset = static_cast<std::uint32_t>(session.arena.size());
  resp::Writer writer(session.arena, session.writer().protocol());
  write(writer);
  pending.size = static_cast<std::uint32_t>(session.arena.size() - pending.offset);
  session.pending.push_back(pending);
}

// An entry of the node itself on behalf of a session: CONFIG SET of cluster-wide settings, or MIGRATE's last step.
void Engine::propose_for(Session& session, CommandId id, const Command& command, Arguments arguments) {
  CommandHeader header{.id = id, .connection = connection_of(session), .number = session.command_number};
  header.db = session.db;
  Pending pending{
      .kind = Pending::Kind::kWrite, .silent = session.silent, .command = &command, .number = header.number};
  const std::size_t size = encoded_size(header, arguments);
  if (!Pipeline::fits(size)) return begin_fragments(session, pending, header, arguments);
  if (pipeline_.full(size)) close_batch();
  pending.batch = pipeline_.add(&session, header, arguments);
  sessions_.acquire(session);
  ++session.writes_pending;
  session.last_write_batch = pending.batch;
  session.pending.push_back(pending);
}

void Engine::count(Session& session, const Command& command) {
  ++statistics_.commands.total;
  ++session.commands_processed;
  session.last_command = command.name;
  ++statistics_.per_command[static_cast<std::size_t>(command.id)].calls;
}

void Engine::count_errors(const Session& session, std::size_t begin) {
  const std::string_view reply = std::string_view(session.output()).substr(std::min(begin, session.output().size()));
  if (reply.empty() || reply.front() != '-') return;
  ++statistics_.error_replies;
  // Words that clients make up must not fill the map.
  if (statistics_.errors.size() < 128)
    ++statistics_.errors[std::string(reply.substr(1, reply.find_first_of(" \r") - 1))];
}

void Engine::executed(const Session& session, const Command& command, Arguments arguments, std::uint64_t begin_ns,
                      bool failed) {
  const std::uint64_t taken_ns = host_.measure_ns() - begin_ns;
  if (monitors_.any()) feed_monitors(&session, node_, session.db, command, arguments);
  Statistics::PerCommand& one = statistics_.per_command[static_cast<std::size_t>(command.id)];
  one.nanoseconds += taken_ns;
  one.microseconds = one.nanoseconds / 1000;
  if (failed) ++one.failed;
  timings_.command(session, command, arguments, taken_ns / 1000, now_.wall_ms);
}

void Engine::report_output(Session& session) {
  if (session.output_reported || session.closed || session.output().size() == session.output_sent) return;
  session.output_reported = true;
  host_.output_ready(session);
}

void Engine::resume(Session& session, Hold hold) {
  session.release(hold);
  if (session.held()) return;
  resumed_.push_back(session.id());
}

void Engine::process_resumed() {
  if (!back_pressured_.empty() && (room_for(0) || !leading())) {
    for (const std::uint64_t id : std::exchange(back_pressured_, {})) {
      Session* session = sessions_.find(id);
      if (session == nullptr) continue;
      host_.resume_reading(*session);
      resume(*session, Hold::kBackPressure);
    }
  }
  for (const std::uint64_t id : std::exchange(resumed_, {})) {
    if (Session* session = sessions_.find(id)) process(*session);
  }
}

void Engine::client_closed(Session& session) {
  pubsub_.forget(session);
  tracking_.disable(session);
  monitors_.remove(session);
  blocked_.remove(session);
  read_waits_.remove(session.id());
  for (const Pending& pending : session.pending) {
    if (pending.kind == Pending::Kind::kWrite) session.writes_pending = 0;
  }
  session.watched.clear();
  sessions_.close(session);
}

bool Engine::debug_allowed(const Session& session) const {
  const std::string& setting = settings_.values().enable_debug_command;
  return setting == "yes" || (setting == "local" && (session.address().loopback || session.address().unix_socket));
}

void Engine::close_after_replies(Session& session) {
  session.closing = true;
  if (session.pending.empty()) host_.close_client(session);
}

}  // namespace redraft::replica
