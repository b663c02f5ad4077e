#include <utility>

#include "server/replica/engine.h"
#include "server/replica/lookahead.h"
#include "server/replica/reply_scope.h"

// Reads behind their barrier (ReadIndex, thesis 6.4, or a lease, 6.4.1), and the order of a connection's replies.

namespace redraft::replica {

namespace {

// A megabyte of input asks for tens of thousands of values at once; so many replies are written between two pumps.
constexpr std::size_t kReadsPerPump = 128;

// What a connection keeps of its largest pipeline.
constexpr std::size_t kArenaKept = std::size_t{64} << 10;
constexpr std::size_t kPendingKept = 1024;  // requests

}  // namespace

bool Engine::begin_read_round(bool hold) {
  if (raft_ == nullptr) return false;
  const std::uint64_t round = reads_.begin();
  if (round == 0) return false;
  // All its requests have come, so the clock is read now and not taken from the turn's begin (pitfall C4).
  const bool leases = raft_->config().lease_us != 0 && settings_.values().read_mode == ReadMode::kLease;
  feed(raft::ReadIndex{.id = raft::ReadId{round}, .hold = hold, .now_us = leases ? host_.monotonic_us() : 0});
  if (!output_.reads.empty() && output_.reads.front().by_lease) return false;
  ++statistics_.read_rounds.total;
  return true;
}

void Engine::pass_read_rounds() {
  ReadRounds::Round round;
  while (reads_.take_passed(applied_, round)) {
    std::size_t prefetched = 0;
    for (std::size_t i = 0; i < round.sessions.size(); ++i) {
      if (i == prefetched) prefetched += prefetch_reads(std::span(round.sessions).subspan(i));
      drain(*round.sessions[i]);
      sessions_.release(*round.sessions[i]);
    }
    reads_.recycle(std::move(round));
  }
}

// For the reads that the first of these sessions wait for; returns for how many sessions.
std::size_t Engine::prefetch_reads(std::span<Session* const> sessions) {
  KeyGroup group;
  CommandHeader header;
  std::size_t seen = 0;
  for (; seen < sessions.size() && !group.full(); ++seen) {
    const Session& session = *sessions[seen];
    for (const Pending& pending : session.pending) {
      if (pending.kind != Pending::Kind::kRead || group.full()) break;
      CommandReader reader(std::string_view(session.arena).substr(pending.offset, pending.size));
      if (reader.next(header, lookahead_arguments_)) group.add(*pending.command, pending.db, lookahead_arguments_);
    }
  }
  group.prefetch(*store_);
  return seen;
}

// Leadership is gone: what waited for a round certainly has not been answered, so it is redirected in its turn.
void Engine::cancel_reads() {
  for (ReadRounds::Round& round : reads_.take_all()) {
    for (Session* session : round.sessions) {
      for (Pending& pending : session->pending) {
        if (pending.kind == Pending::Kind::kRead && pending.round == round.number) pending.cancelled = true;
      }
      drain(*session);
      sessions_.release(*session);
    }
  }
}

// Writes the replies that are due at the front of the session, in the order of its requests.
void Engine::drain(Session& session) {
  for (std::size_t served = 0; !session.pending.empty(); ++served) {
    if (served % kReadsPerPump == kReadsPerPump - 1) host_.pump();
    Pending& head = session.pending.front();
    if (head.kind == Pending::Kind::kWrite) return;
    if (head.kind == Pending::Kind::kRead) {
      const bool passed = head.batch != 0 ? head.batch <= resolved_batch_ : head.round <= reads_.passed();
      if (head.blocked || (!head.cancelled && !passed)) return;
      if (!run_read(session)) return;
      end_read_wait(session);
    } else {
      ReplyScope scope(*this, session, head.silent);
      session.output().append(session.arena, head.offset, head.size);
    }
    session.pending.pop_front();
  }
  session.arena.clear();
  if (session.arena.capacity() > kArenaKept) session.arena.shrink_to_fit();
  session.pending.trim(kPendingKept);
  if (session.held(Hold::kOrder)) resume(session, Hold::kOrder);
  if (session.closing && !session.closed) host_.close_client(session);
}

// Runs the read at the session's front. False when it waits: for a stream to change (waiting_reads.cc), or because it
// met a key whose deadline lies between the last applied clock and the leader's. An expiry that a client saw must be
// committed, so such a read waits for an entry that carries that clock.
bool Engine::run_read(Session& session) {
  Pending& head = session.pending.front();
  if (session.closed) return true;
  // A pump inside a long read never runs another one, but a read inside apply may: one vector for each depth, kept.
  if (read_depth_ == read_commands_.size()) read_commands_.emplace_back();
  std::vector<std::string_view>& arguments = read_commands_[read_depth_++];
  CommandReader reader(std::string_view(session.arena).substr(head.offset, head.size));
  CommandHeader header;
  const bool whole = reader.next(header, arguments);
  ensure(whole, "a session's arena holds whole commands");
  bool answered = true;
  {
    const Pushes::Running running(pushes_);
    ReplyScope scope(*this, session, head.silent);
    const std::uint64_t outer = std::exchange(executing_, session.id());
    if (head.cancelled) {
      redirect(session, *head.command, arguments, session.writer());
    } else if (head.command->id == commands::CommandId::kWatch) {
      host_.read_ran(session, head.number, {applied_.value, applied_commands_, store_->clock_ms()});
      run_watch(session, arguments);
    } else {
      answered = execute_read(session, head, arguments);
    }
    executing_ = outer;
  }
  --read_depth_;
  if (answered && head.tries) --session.tries;
  return answered;
}

bool Engine::execute_read(Session& session, Pending& head, Arguments arguments) {
  commands::Random random(next_seed());
  const bool by_leader_clock = leading() && !head.settled;
  const std::uint64_t clock_ms = by_leader_clock ? clock_.read_ms(now_, voters()) : store_->clock_ms();
  store_->begin_read(clock_ms);
  const auto start = session.writer().defer();
  commands::Context context{*store_, *this, *this, session.writer(), random};
  context.command = head.command;
  context.arguments = arguments;
  context.db = head.db;
  context.clock_ms = clock_ms;
  context.index = applied_.value;
  context.may_block = false;
  commands::ReadWait wait;
  if (head.command->is(commands::kBlocking) && !head.settled) context.read_wait = &wait;
  context.migration = migrations_.wanted();
  context.user = session.user_id;
  caching_ = head.caching;
  const std::size_t begin = session.output().size();
  const std::uint64_t begin_ns = host_.measure_ns();
  store_->access_clock().set_touching(!session.no_touch);
  Monitors::Held lines(monitors_);
  if (head.command->id == commands::CommandId::kExec) {
    run_transaction(context, &session);
  } else {
    commands::execute(context);
  }
  lines.end();
  if (session.tracking != nullptr && head.command->id != commands::CommandId::kExec) {
    events_.remember_read(session, *head.command, arguments, head.caching);
  }
  const bool needs_clock = store_->end_read() && by_leader_clock;
  if (script_host_.take_wants_log()) {
    session.writer().rollback(start);
    return move_to_log(session, head, arguments);
  }
  if (needs_clock || !still_leads(head)) {
    session.writer().rollback(start);
    needs_clock ? wait_for_entry(session, head) : wait_for_round(session, head);
    return false;
  }
  if (context.blocked && head.command->id == commands::CommandId::kMigrate) return migrations_.begin(session, head);
  if (context.blocked) {
    begin_read_wait(session, head, std::move(wait));
    return false;
  }
  host_.read_ran(session, head.number, {applied_.value, applied_commands_, clock_ms});
  const bool failed = session.output().size() > begin && session.output()[begin] == '-';
  lines.show();
  executed(session, *head.command, arguments, begin_ns, failed);
  statistics_.keyspace_hits = store_->read_hits();
  statistics_.keyspace_misses = store_->read_misses();
  return true;
}

// Who answers by a lease looks at it again when the answer is there (pitfall C4); if it has ended, a quorum is asked.
bool Engine::still_leads(const Pending& read) const {
  if (read.batch != 0 || read.round <= reads_.passed_by_quorum()) return true;
  return raft_->lease_holds(host_.monotonic_us());
}

void Engine::wait_for_entry(Session& session, Pending& read) {
  read.round = 0;
  read.batch = pipeline_.want_entry(&session);
  sessions_.acquire(session);
}

void Engine::wait_for_round(Session& session, Pending& read) {
  read.round = reads_.join(&session);
  sessions_.acquire(session);
}

}  // namespace redraft::replica
