#include "server/commands/command.h"
#include "tests/sim/workloads.h"

// Any command on any of a few keys, alone and in transactions, with deadlines and keys that change their type. Nothing
// is checked here: that all replies fit one order is the replay's verdict.

namespace redraft::sim {
namespace {

std::string key_of(Random& random) {
  return "mix:" + std::to_string(random.below(6));
}

std::string small(Random& random) {
  return std::to_string(random.below(8));
}

// One form per entry; families that this build does not offer are left out.
struct Form {
  const char* name;
  Command (*make)(Random&);
};
const Form kForms[] = {
    {"get",
     [](Random& r) -> Command {
       return {"GET", key_of(r)};
     }},
    {"set",
     [](Random& r) -> Command {
       return {"SET", key_of(r), small(r)};
     }},
    {"set",
     [](Random& r) -> Command {
       return {"SET", key_of(r), small(r), "PX", std::to_string(r.skewed(1, 3000))};
     }},
    {"getset",
     [](Random& r) -> Command {
       return {"GETSET", key_of(r), small(r)};
     }},
    {"append",
     [](Random& r) -> Command {
       return {"APPEND", key_of(r), r.letters(3)};
     }},
    {"incr",
     [](Random& r) -> Command {
       return {"INCR", key_of(r)};
     }},
    {"mset",
     [](Random& r) -> Command {
       return {"MSET", key_of(r), small(r), key_of(r), small(r)};
     }},
    {"mget",
     [](Random& r) -> Command {
       return {"MGET", key_of(r), key_of(r), key_of(r)};
     }},
    {"del",
     [](Random& r) -> Command {
       return {"DEL", key_of(r), key_of(r)};
     }},
    {"exists",
     [](Random& r) -> Command {
       return {"EXISTS", key_of(r), key_of(r)};
     }},
    {"pexpire",
     [](Random& r) -> Command {
       return {"PEXPIRE", key_of(r), std::to_string(r.skewed(1, 3000))};
     }},
    {"persist",
     [](Random& r) -> Command {
       return {"PERSIST", key_of(r)};
     }},
    {"type",
     [](Random& r) -> Command {
       return {"TYPE", key_of(r)};
     }},
    {"rename",
     [](Random& r) -> Command {
       return {"RENAME", key_of(r), key_of(r)};
     }},
    {"rpush",
     [](Random& r) -> Command {
       return {"RPUSH", key_of(r), small(r), small(r)};
     }},
    {"lpush",
     [](Random& r) -> Command {
       return {"LPUSH", key_of(r), small(r)};
     }},
    {"lpop",
     [](Random& r) -> Command {
       return {"LPOP", key_of(r)};
     }},
    {"llen",
     [](Random& r) -> Command {
       return {"LLEN", key_of(r)};
     }},
    {"lrange",
     [](Random& r) -> Command {
       return {"LRANGE", key_of(r), "0", "-1"};
     }},
    {"rpoplpush",
     [](Random& r) -> Command {
       return {"RPOPLPUSH", key_of(r), key_of(r)};
     }},
    {"sadd",
     [](Random& r) -> Command {
       return {"SADD", key_of(r), small(r), small(r)};
     }},
    {"scard",
     [](Random& r) -> Command {
       return {"SCARD", key_of(r)};
     }},
    {"srem",
     [](Random& r) -> Command {
       return {"SREM", key_of(r), small(r)};
     }},
    {"smembers",
     [](Random& r) -> Command {
       return {"SMEMBERS", key_of(r)};
     }},
    {"hset", [](Random& r) -> Command { return {"HSET", key_of(r), small(r), small(r), small(r), small(r)}; }},
    {"hget",
     [](Random& r) -> Command {
       return {"HGET", key_of(r), small(r)};
     }},
    {"hdel",
     [](Random& r) -> Command {
       return {"HDEL", key_of(r), small(r)};
     }},
    {"hincrby",
     [](Random& r) -> Command {
       return {"HINCRBY", key_of(r), small(r), small(r)};
     }},
    {"hgetall",
     [](Random& r) -> Command {
       return {"HGETALL", key_of(r)};
     }},
    {"zadd",
     [](Random& r) -> Command {
       return {"ZADD", key_of(r), small(r), small(r)};
     }},
    {"zincrby",
     [](Random& r) -> Command {
       return {"ZINCRBY", key_of(r), small(r), small(r)};
     }},
    {"zscore",
     [](Random& r) -> Command {
       return {"ZSCORE", key_of(r), small(r)};
     }},
    {"zrange",
     [](Random& r) -> Command {
       return {"ZRANGE", key_of(r), "0", "-1"};
     }},
    {"zpopmin",
     [](Random& r) -> Command {
       return {"ZPOPMIN", key_of(r)};
     }},
    {"xadd",
     [](Random& r) -> Command {
       return {"XADD", key_of(r), "*", small(r), small(r)};
     }},
    {"xlen",
     [](Random& r) -> Command {
       return {"XLEN", key_of(r)};
     }},
    {"xrange",
     [](Random& r) -> Command {
       return {"XRANGE", key_of(r), "-", "+"};
     }},
};

}  // namespace

Mix::Mix(Schedule& schedule) : Workload(schedule) {
  for (std::size_t i = 0; i < std::size(kForms); ++i) {
    const std::string_view name = kForms[i].name;
    if (commands::find_command(std::span(&name, 1)) != nullptr) offered_.push_back(i);
  }
}

Command Mix::any(Random& random) const {
  return kForms[offered_[random.below(offered_.size())]].make(random);
}

void Mix::step(Client& client, std::function<void()> done) {
  Random& random = client.random();
  const auto count_answers = [this, done](const std::vector<Answer>& answers) {
    for (const Answer& answer : answers) answered_ += answer.fate == Fate::kDone ? 1 : 0;
    done();
  };
  if (random.chance(2, 3)) {
    client.run({any(random)}, count_answers);
    return;
  }
  std::vector<Command> commands{{"MULTI"}};
  for (std::uint64_t i = random.between(1, 4); i > 0; --i) commands.push_back(any(random));
  commands.push_back({"EXEC"});
  if (random.chance(1, 2)) {
    client.run(std::move(commands), {.follow = false}, count_answers);
    return;
  }
  client.run({{"WATCH", key_of(random), key_of(random)}}, {.follow = false},
             [&client, commands, count_answers, done](const std::vector<Answer>& answers) {
               if (answers[0].fate != Fate::kDone) {
                 done();
                 return;
               }
               client.run(commands, {.follow = false, .connection = client.connection()}, count_answers);
             });
}

std::vector<Command> Mix::final_reads() {
  std::vector<Command> reads;
  for (std::uint64_t i = 0; i < 6; ++i) reads.push_back({"TYPE", "mix:" + std::to_string(i)});
  return reads;
}

}  // namespace redraft::sim
