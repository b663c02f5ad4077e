#include "tests/sim/workload.h"

#include "resp/number.h"
#include "tests/sim/workloads.h"

namespace redraft::sim {

using Type = resp::Reply::Type;

bool Workload::got(const Answer& answer, Type type) {
  if (answer.fate != Fate::kDone) return false;
  if (answer.reply.type != type) {
    notice("unexpected reply " + resp::to_string(answer.reply));
    return false;
  }
  ++answered_;
  return true;
}

bool Workload::got_bulk_or_null(const Answer& answer) {
  if (answer.fate == Fate::kDone && answer.reply.type == Type::kNull) {
    ++answered_;
    return true;
  }
  return got(answer, Type::kBulk);
}

std::unique_ptr<Workload> make_workload(WorkloadKind kind, Schedule& schedule, const WorkloadOptions& options) {
  switch (kind) {
    case WorkloadKind::kCounters:
      return std::make_unique<Counters>(schedule);
    case WorkloadKind::kRegisters:
      return std::make_unique<Registers>(schedule);
    case WorkloadKind::kLists:
      return std::make_unique<Lists>(schedule);
    case WorkloadKind::kCompareAndSet:
      return std::make_unique<CompareAndSet>(schedule);
    case WorkloadKind::kExpiry:
      return std::make_unique<Expiry>(schedule, options.early_expiry_us);
    case WorkloadKind::kSetPops:
      return std::make_unique<SetPops>(schedule);
    case WorkloadKind::kQueue:
      return std::make_unique<Queue>(schedule);
    case WorkloadKind::kPipelines:
      return std::make_unique<Pipelines>(schedule);
    case WorkloadKind::kBank:
      return std::make_unique<Bank>(schedule);
    case WorkloadKind::kMix:
      return std::make_unique<Mix>(schedule);
    case WorkloadKind::kTypes:
      return std::make_unique<Types>(schedule);
    case WorkloadKind::kLarge:
      return std::make_unique<Large>(schedule);
  }
  return nullptr;
}

// ---- Counters

void Counters::step(Client& client, std::function<void()> done) {
  const std::size_t which = client.random().below(kCounters);
  const std::string key = "counter:" + std::to_string(which);
  OrderHistory& history = histories_[which];
  if (!client.reads_only && client.random().chance(7, 10)) {
    const std::size_t operation = history.begin_change(now());
    client.run({{"INCR", key}}, [this, &history, operation, done](const std::vector<Answer>& answers) {
      if (answers[0].fate == Fate::kRefused) history.refused(operation);
      if (got(answers[0], Type::kInteger)) {
        history.answered(operation, now(), static_cast<std::uint64_t>(answers[0].reply.integer));
      }
      done();
    });
    return;
  }
  const std::size_t operation = history.begin_read(now());
  client.run({{"GET", key}}, [this, &history, operation, done](const std::vector<Answer>& answers) {
    if (got_bulk_or_null(answers[0])) history.answered(operation, now(), number_in(answers[0].reply));
    done();
  });
}

std::uint64_t number_in(const resp::Reply& reply) {
  if (reply.type != Type::kBulk) return 0;
  return static_cast<std::uint64_t>(resp::parse_int64(reply.text).value_or(0));
}

std::vector<Command> Counters::final_reads() {
  std::vector<Command> reads;
  for (std::size_t i = 0; i < kCounters; ++i) reads.push_back({"GET", "counter:" + std::to_string(i)});
  return reads;
}

Verdict Counters::verdict(const std::vector<resp::Reply>& finals) {
  for (std::size_t i = 0; i < kCounters; ++i) {
    OrderHistory& history = histories_[i];
    history.answered(history.begin_read(now()), now(), number_in(finals[i]));
    if (Verdict broken = history.check("counter:" + std::to_string(i))) return broken;
  }
  return std::nullopt;
}

// ---- Registers

void Registers::step(Client& client, std::function<void()> done) {
  const std::size_t which = client.random().below(kRegisters);
  const std::string key = "register:" + std::to_string(which);
  RegisterHistory& history = histories_[which];
  if (!client.reads_only && client.random().chance(1, 2)) {
    std::string value = std::to_string(client.id()) + "." + std::to_string(++next_value_);
    const std::size_t operation = history.begin_write(now(), value);
    client.run({{"SET", key, std::move(value)}}, [this, &history, operation, done](const std::vector<Answer>& answers) {
      if (answers[0].fate == Fate::kRefused) history.refused(operation);
      if (got(answers[0], Type::kSimple)) history.wrote(operation, now());
      done();
    });
    return;
  }
  client.run({{"GET", key}}, [this, &history, begin = now(), done](const std::vector<Answer>& answers) {
    if (got_bulk_or_null(answers[0])) history.read(begin, now(), answers[0].reply.text);
    done();
  });
}

std::vector<Command> Registers::final_reads() {
  std::vector<Command> reads;
  for (std::size_t i = 0; i < kRegisters; ++i) reads.push_back({"GET", "register:" + std::to_string(i)});
  return reads;
}

Verdict Registers::verdict(const std::vector<resp::Reply>& finals) {
  for (std::size_t i = 0; i < kRegisters; ++i) {
    histories_[i].read(now(), now(), finals[i].text);
    if (Verdict broken = histories_[i].check("register:" + std::to_string(i))) return broken;
  }
  return std::nullopt;
}

// ---- Lists

void Lists::step(Client& client, std::function<void()> done) {
  if (client.reads_only || client.random().chance(1, 4)) {
    const std::size_t operation = order_.begin_read(now());
    client.run({{"LLEN", "list"}}, [this, operation, done](const std::vector<Answer>& answers) {
      if (got(answers[0], Type::kInteger)) {
        order_.answered(operation, now(), static_cast<std::uint64_t>(answers[0].reply.integer));
      }
      done();
    });
    return;
  }
  const std::string element = std::to_string(client.id()) + "." + std::to_string(++next_element_);
  const std::size_t operation = order_.begin_change(now());
  elements_.adding(element);
  client.run({{"RPUSH", "list", element}}, [this, operation, element, done](const std::vector<Answer>& answers) {
    if (answers[0].fate == Fate::kRefused) {
      order_.refused(operation);
      elements_.refused(element);
    }
    if (got(answers[0], Type::kInteger)) {
      const auto place = static_cast<std::uint64_t>(answers[0].reply.integer);
      order_.answered(operation, now(), place);
      elements_.added(element);
      places_[place] = element;
    }
    done();
  });
}

Verdict Lists::verdict(const std::vector<resp::Reply>& finals) {
  std::uint64_t place = 0;
  for (const resp::Reply& element : finals[0].elements) {
    ++place;
    elements_.left(element.text);
    const auto known = places_.find(place);
    if (known != places_.end() && known->second != element.text) {
      return "list: element " + std::to_string(place) + " was answered as " + known->second + " and is " + element.text;
    }
  }
  order_.answered(order_.begin_read(now()), now(), place);
  if (Verdict broken = elements_.check("list")) return broken;
  return order_.check("list");
}

// ---- CompareAndSet

void CompareAndSet::step(Client& client, std::function<void()> done) {
  client.run({{"WATCH", "cas"}, {"GET", "cas"}}, {.follow = false},
             [this, &client, done](const std::vector<Answer>& answers) {
               if (!got(answers[0], Type::kSimple) || !got_bulk_or_null(answers[1])) {
                 done();
                 return;
               }
               commit(client, number_in(answers[1].reply) + 1, done);
             });
}

void CompareAndSet::commit(Client& client, std::uint64_t value, const std::function<void()>& done) {
  const std::size_t operation = order_.begin_change(now());
  client.run({{"MULTI"}, {"SET", "cas", std::to_string(value)}, {"EXEC"}},
             {.follow = false, .connection = client.connection()},
             [this, operation, value, done](const std::vector<Answer>& answers) {
               const Answer& executed = answers[2];
               const bool aborted = executed.fate == Fate::kDone && executed.reply.type == Type::kNullArray;
               if (executed.fate == Fate::kRefused || aborted) {
                 order_.refused(operation);
               } else if (got(executed, Type::kArray)) {
                 order_.answered(operation, now(), value);
               }
               done();
             });
}

Verdict CompareAndSet::verdict(const std::vector<resp::Reply>& finals) {
  order_.answered(order_.begin_read(now()), now(), number_in(finals[0]));
  return order_.check("cas");
}

// ---- Bank

std::vector<Command> Bank::set_up() {
  Command all{"MSET"};
  for (std::size_t i = 0; i < kAccounts; ++i) {
    all.push_back("account:" + std::to_string(i));
    all.push_back(std::to_string(kEach));
  }
  return {all};
}

void Bank::step(Client& client, std::function<void()> done) {
  if (client.random().chance(1, 3)) {
    client.run(final_reads(), [this, done](const std::vector<Answer>& answers) {
      if (got(answers[0], Type::kArray)) {
        if (Verdict broken = sum_of(answers[0].reply)) notice(*broken);
      }
      done();
    });
    return;
  }
  const std::string from = "account:" + std::to_string(client.random().below(kAccounts));
  const std::string to = "account:" + std::to_string(client.random().below(kAccounts));
  const std::string amount = std::to_string(client.random().between(1, 20));
  client.run({{"MULTI"}, {"DECRBY", from, amount}, {"INCRBY", to, amount}, {"EXEC"}}, {.follow = false},
             [this, done](const std::vector<Answer>& answers) {
               static_cast<void>(got(answers[3], Type::kArray));
               done();
             });
}

std::vector<Command> Bank::final_reads() {
  Command all{"MGET"};
  for (std::size_t i = 0; i < kAccounts; ++i) all.push_back("account:" + std::to_string(i));
  return {all};
}

Verdict Bank::sum_of(const resp::Reply& accounts) {
  std::int64_t sum = 0;
  for (const resp::Reply& account : accounts.elements) sum += resp::parse_int64(account.text).value_or(0);
  if (sum == static_cast<std::int64_t>(kAccounts * kEach)) return std::nullopt;
  return "bank: the accounts hold " + std::to_string(sum) + " together at " + std::to_string(now()) + " us";
}

}  // namespace redraft::sim
