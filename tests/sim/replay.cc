#include "tests/sim/replay.h"

#include <algorithm>

#include "resp/number.h"
#include "server/commands/command.h"
#include "server/commands/command_command.h"

namespace redraft::sim {
namespace {

using commands::CommandId;
using Type = resp::Reply::Type;

std::uint64_t number(std::string_view text) {
  return static_cast<std::uint64_t>(resp::parse_int64(text).value_or(0));
}

bool is(const Command& command, std::string_view name) {
  return command.front() == name;
}

std::string one_line(const resp::Reply& reply) {
  std::string text = resp::to_string(reply);
  std::ranges::replace(text, '\n', ' ');
  return text.size() > 200 ? text.substr(0, 200) + "..." : text;
}

std::string describe(const Record& record) {
  return "client " + std::to_string(record.operation.client) + "'s " + to_text(record.operation.command) + " of " +
         std::to_string(record.operation.begin_us) + " us";
}

}  // namespace

Replay::Replay(Ledger& ledger, const WatchPlace& watch_place) : ledger_(ledger) {
  gather_reads();
  find_collisions(watch_place);
}

void Replay::find_collisions(const WatchPlace& watch_place) {
  std::map<std::size_t, std::set<std::string_view>> names;
  for (const auto& [name, connection] : ledger_.connections()) {
    for (const Record& record : connection) {
      const std::vector<std::string_view> arguments(record.operation.command.begin(), record.operation.command.end());
      const commands::Command* command = commands::find_command(arguments);
      if (command == nullptr) continue;
      for (const commands::FoundKey& key : commands::find_keys_with_flags(*command, arguments)) {
        const std::string_view found = arguments[key.position];
        names[watch_place(found)].insert(found);
      }
    }
  }
  for (const auto& [slot, alike] : names) {
    if (alike.size() > 1) colliding_.insert(alike.begin(), alike.end());
  }
}

void Replay::gather_reads() {
  for (auto& [name, connection] : ledger_.connections()) {
    for (std::size_t i = 0; i < connection.size(); ++i) {
      if (connection[i].read) reads_.push_back({*connection[i].read, &connection, i, &connection[i]});
    }
  }
  // Those that saw the same state have no order but that of time.
  std::ranges::stable_sort(reads_, [](const Read& a, const Read& b) {
    return std::tuple(a.place.index, a.place.commands, a.record->operation.begin_us) <
           std::tuple(b.place.index, b.place.commands, b.record->operation.begin_us);
  });
}

std::string Replay::here() const {
  return " at index " + std::to_string(index_);
}

Verdict Replay::entry(std::uint64_t index, raft::EntryType type, std::string_view payload) {
  if (undecided_) return std::nullopt;
  index_ = index;
  if (type != raft::EntryType::kConfiguration) {
    const Result<replica::Payload> read = replica::read_payload(payload);
    if (!read) return "entry " + std::to_string(index) + " has no payload";
    if (read->header.clock_ms < clock_ms_) return "the logical clock goes back" + here();
    clock_ms_ = read->header.clock_ms;
    if (type == raft::EntryType::kTermStart) {
      waiters_.clear();
      fragments_.clear();
    }
    reference_.begin_entry(index, clock_ms_);
    replica::CommandReader reader(read->commands);
    replica::CommandHeader header;
    Arguments arguments;
    for (std::uint64_t i = 0; reader.next(header, arguments); ++i) {
      if (Verdict broken = run_reads(i)) return broken;
      seed_ = read->header.seed + i * 0x9e3779b97f4a7c15U;  // applying.cc
      if (Verdict broken = apply(header, arguments, read->header.node)) return broken;
    }
  }
  return run_reads(replica::ReadPlace::kWhole);
}

// ---- Reads

Verdict Replay::run_reads(std::uint64_t commands) {
  while (next_read_ < reads_.size()) {
    const Read& read = reads_[next_read_];
    if (read.place.index > index_ || (read.place.index == index_ && read.place.commands > commands)) break;
    if (Verdict broken = run_read(read)) return broken;
    ++next_read_;
  }
  return std::nullopt;
}

Verdict Replay::run_read(const Read& read) {
  Record& record = *read.record;
  const Command& command = record.operation.command;
  if (is(command, "WATCH")) {
    record.watched_at = model_.changes();
    // A deadline that has passed is a change of before.
    for (std::size_t i = 1; i < command.size(); ++i) static_cast<void>(model_.changed(command[i], clock_ms_));
    record.watched_at = model_.changes();
    return settle(record, reply::simple("OK"));
  }
  if (is(command, "EXEC")) return settle(record, run_transaction(*read.connection, read.number));
  if (Reference::judges(command)) return settle(record, reference_.read(command, read.place.clock_ms));
  if (!Model::knows(command)) return std::nullopt;
  for (std::size_t i = 1; i < command.size(); ++i) {
    if (model_.has_deadline_in(command[i], clock_ms_, read.place.clock_ms)) {
      return describe(record) + " met a key that expires between the applied clock and its own" + here();
    }
  }
  const bool told = record.operation.fate == Fate::kDone;
  return settle(record, model_.execute(command, clock_ms_, told ? &record.operation.reply : nullptr));
}

// ---- Writes

Verdict Replay::apply(const replica::CommandHeader& header, const Arguments& arguments, std::uint64_t node) {
  if (header.id == CommandId::kUnblockWaiter) return unblock(arguments);
  const bool from_client = header.id == CommandId::kTransaction || header.id == CommandId::kFragment ||
                           commands::find_command(header.id) != nullptr;
  if (!from_client) return std::nullopt;  // a node's own: settings, audits
  if (header.id == CommandId::kFragment) return apply_fragment(header, arguments, node);
  Ledger::Connection* connection = ledger_.find_logged(node, header.connection);
  Record* record = connection == nullptr ? nullptr : Ledger::at(*connection, header.number);
  if (record == nullptr) return "the log holds a command that nobody sent" + here();
  const Command& sent = record->operation.command;
  const bool whole = header.id != CommandId::kTransaction;
  const bool same = !whole || (arguments.size() == sent.size() &&
                               std::equal(arguments.begin() + 1, arguments.end(), sent.begin() + 1));
  if (!same) return describe(*record) + " is another command in the log" + here();
  return execute(node, header.connection, header.number);
}

Verdict Replay::apply_fragment(const replica::CommandHeader& header, const Arguments& arguments, std::uint64_t node) {
  const std::tuple key(node, header.connection, header.number);
  const std::uint64_t arrived = fragments_[key];
  const bool whole = header.sequence == arrived;
  fragments_[key] = whole ? arrived + arguments[2].size() : 0;
  if (arguments[1] != "1") return std::nullopt;
  fragments_.erase(key);
  return whole ? execute(node, header.connection, header.number) : std::nullopt;
}

Verdict Replay::execute(std::uint64_t node, std::uint64_t connection_number, std::uint64_t place) {
  Ledger::Connection* connection = ledger_.find_logged(node, connection_number);
  Record* record = connection == nullptr ? nullptr : Ledger::at(*connection, place);
  if (record == nullptr) return "the log holds a command that nobody sent" + here();
  const Command& command = record->operation.command;
  if (is(command, "BLPOP")) {
    const auto element = model_.pop_blocking(command, clock_ms_);
    if (element) return settle(*record, *element);
    waiters_.push_back({record, node, connection_number, place});
    return std::nullopt;
  }
  if (Reference::judges(command)) {
    return settle(*record, reference_.apply(command, {node, connection_number, place}, seed_));
  }
  const bool told = record->operation.fate == Fate::kDone;
  const resp::Reply expected = is(command, "EXEC")
                                   ? run_transaction(*connection, static_cast<std::size_t>(place - 1))
                                   : model_.execute(command, clock_ms_, told ? &record->operation.reply : nullptr);
  if (Verdict broken = settle(*record, expected)) return broken;
  return serve_waiters();
}

// ---- Transactions

resp::Reply Replay::run_transaction(Ledger::Connection& connection, std::size_t exec) {
  const Operation& operation = connection[exec].operation;
  const bool done = operation.fate == Fate::kDone;
  if (watch_broken(connection, exec)) return reply::null_array();
  // WATCH may see a change of another key in the same slot. Nobody knows then whether a transaction without an answer
  // ran.
  if (watch_collides(connection, exec)) {
    if (done && operation.reply.type == Type::kNullArray) return operation.reply;
    undecided_ = undecided_ || !done;
  }
  std::size_t first = exec;
  while (first > 0 && !is(connection[first - 1].operation.command, "MULTI")) --first;
  std::vector<resp::Reply> replies;
  for (std::size_t i = first; i < exec; ++i) {
    const bool told = done && i - first < operation.reply.elements.size();
    replies.push_back(model_.execute(connection[i].operation.command, clock_ms_,
                                     told ? &operation.reply.elements[i - first] : nullptr));
  }
  return reply::array(std::move(replies));
}

bool Replay::watch_collides(const Ledger::Connection& connection, std::size_t exec) const {
  for (std::size_t i = exec; i-- > 0 && !is(connection[i].operation.command, "EXEC");) {
    const Command& command = connection[i].operation.command;
    if (!is(command, "WATCH") || !connection[i].read) continue;
    const auto collides = [this](const std::string& key) { return colliding_.contains(key); };
    if (std::any_of(command.begin() + 1, command.end(), collides)) return true;
  }
  return false;
}

// Something that the connection watches has changed since; only a WATCH that ran counts.
bool Replay::watch_broken(Ledger::Connection& connection, std::size_t exec) {
  for (std::size_t i = exec; i-- > 0;) {
    const Record& record = connection[i];
    const Command& command = record.operation.command;
    if (is(command, "EXEC")) break;
    if (!is(command, "WATCH") || !record.read) continue;
    for (std::size_t k = 1; k < command.size(); ++k) {
      if (model_.changed(command[k], clock_ms_) > record.watched_at) return true;
    }
  }
  return false;
}

// ---- Waiters

Verdict Replay::serve_waiters() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const auto element = model_.pop_blocking(waiter->record->operation.command, clock_ms_);
    if (!element || element->type == Type::kError) {
      ++waiter;
      continue;
    }
    Record& record = *waiter->record;
    waiter = waiters_.erase(waiter);
    if (Verdict broken = settle(record, *element)) return broken;
  }
  return std::nullopt;
}

// A time-out or a client that is gone.
Verdict Replay::unblock(const Arguments& arguments) {
  const auto waiter = std::ranges::find_if(waiters_, [&](const Waiter& one) {
    return one.node == number(arguments[1]) && one.connection == number(arguments[2]) &&
           one.number == number(arguments[3]);
  });
  if (waiter == waiters_.end()) return std::nullopt;
  Record& record = *waiter->record;
  waiters_.erase(waiter);
  return settle(record, reply::null_array());
}

// ---- Verdicts

Verdict Replay::settle(Record& record, const resp::Reply& expected) {
  if (undecided_) return std::nullopt;
  const Operation& operation = record.operation;
  ++settled_;
  if (++record.settled > 1) return describe(record) + " takes effect a second time" + here();
  const bool changes_nothing = record.read || expected.type == Type::kError || expected.type == Type::kNullArray;
  if (operation.fate == Fate::kRefused && !changes_nothing) {
    return describe(record) + " was answered " + one_line(operation.reply) + " and takes effect" + here() +
           " (pitfall B10)";
  }
  if (operation.fate == Fate::kDone && operation.reply != expected) {
    return describe(record) + " was answered " + one_line(operation.reply) + " and the order of the log gives " +
           one_line(expected) + here();
  }
  if (operation.fate == Fate::kDone && operation.end_us < latest_begin_us_) {
    return describe(record) + " was answered at " + std::to_string(operation.end_us) + " us and stands" + here() +
           " behind " + latest_ + ", which began later";
  }
  if (operation.begin_us > latest_begin_us_) {
    latest_begin_us_ = operation.begin_us;
    latest_ = describe(record);
  }
  return std::nullopt;
}

Verdict Replay::finish() {
  if (undecided_) return std::nullopt;
  if (next_read_ != reads_.size()) {
    return describe(*reads_[next_read_].record) + " saw the state of entry " +
           std::to_string(reads_[next_read_].place.index) + ", which is not committed";
  }
  for (auto& [name, connection] : ledger_.connections()) {
    for (const Record& record : connection) {
      const Operation& operation = record.operation;
      if (operation.fate != Fate::kDone || record.settled != 0 || operation.reply.text == "QUEUED") continue;
      // What a node sees to be wrong by itself never comes into the log.
      const bool judged = Reference::judges(operation.command) && operation.reply.type != Type::kError;
      if (!judged && !Model::knows(operation.command) && !is(operation.command, "EXEC") &&
          !is(operation.command, "WATCH"))
        continue;
      return describe(record) + " was answered " + one_line(operation.reply) + " and is nowhere in the log";
    }
  }
  return std::nullopt;
}

}  // namespace redraft::sim
