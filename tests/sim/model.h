#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "resp/reply_reader.h"
#include "tests/sim/operation.h"

namespace redraft::sim {

// A keyspace as simple as can be, written from the Redis command pages and independent of the server's store: what each
// command must answer when it runs alone, at a given clock. Only the commands that the workloads use, and of these only
// the options that they use.
class Model {
 public:
  // Where chance decides (SPOP), what a client was told decides here; a pop that nobody was told of is remembered as
  // one of those that were there.
  using Told = const resp::Reply*;

  [[nodiscard]] static bool knows(const Command& command);
  // The reply, after the change. `now_ms`: keys whose deadline is at or before it are gone.
  [[nodiscard]] resp::Reply execute(const Command& command, std::uint64_t now_ms, Told told);

  // A blocking pop's element, if there is one now.
  [[nodiscard]] std::optional<resp::Reply> pop_blocking(const Command& command, std::uint64_t now_ms);

  // WATCH: a number that grows with every change, and the number of a key's newest one; expiry is a change.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] std::uint64_t changed(const std::string& key, std::uint64_t now_ms);
  [[nodiscard]] bool has_deadline_in(const std::string& key, std::uint64_t after_ms, std::uint64_t up_to_ms) const;

 private:
  struct Set {
    std::set<std::string> members;
    std::size_t missing = 0;  // so many of them were taken, and nobody knows which
  };
  using List = std::deque<std::string>;
  using Hash = std::map<std::string, std::string>;
  struct Sorted {
    std::map<std::string, std::int64_t> scores;
  };
  struct Stream {
    std::vector<std::pair<std::string, std::vector<std::string>>> entries;  // id, fields and values
    std::uint64_t last_ms = 0;
    std::uint64_t last_number = 0;
  };
  using Value = std::variant<std::string, List, Set, Hash, Sorted, Stream>;
  struct Key {
    Value value;
    std::uint64_t deadline_ms = 0;
  };
  struct Call {
    const Command& command;
    std::uint64_t now_ms;
    Told told;
    [[nodiscard]] const std::string& at(std::size_t i) const { return command.at(i); }
  };
  using Handler = resp::Reply (Model::*)(const Call&);
  [[nodiscard]] static const std::map<std::string, Handler, std::less<>>& handlers();

  // The key if it exists and is not expired.
  Key* find(const std::string& name, std::uint64_t now_ms);
  // What is there: the container, nothing (made if so wished), or a value of another type.
  template <class Type>
  struct Found {
    Type* value = nullptr;
    bool wrong = false;
  };
  template <class Type>
  Found<Type> container(const Call& call, bool make = false);
  void touch(const std::string& name) { changed_[name] = ++changes_; }
  // After a change; a container that is empty is no key.
  void changed_container(const std::string& name, bool empty);

  // Strings and keys, model.cc.
  resp::Reply get(const Call& call);
  resp::Reply set(const Call& call);
  resp::Reply getset(const Call& call);
  resp::Reply append(const Call& call);
  resp::Reply incr(const Call& call) { return add(call, 1); }
  resp::Reply incrby(const Call& call);
  resp::Reply decrby(const Call& call);
  resp::Reply mset(const Call& call);
  resp::Reply mget(const Call& call);
  resp::Reply del(const Call& call);
  resp::Reply exists(const Call& call);
  resp::Reply pexpire(const Call& call);
  resp::Reply persist(const Call& call);
  resp::Reply type(const Call& call);
  resp::Reply rename(const Call& call);
  resp::Reply add(const Call& call, std::int64_t by);

  // Collections, model_collections.cc.
  resp::Reply rpush(const Call& call) { return push(call, false); }
  resp::Reply lpush(const Call& call) { return push(call, true); }
  resp::Reply push(const Call& call, bool left);
  resp::Reply lpop(const Call& call);
  resp::Reply llen(const Call& call);
  resp::Reply lrange(const Call& call);
  resp::Reply rpoplpush(const Call& call);
  resp::Reply sadd(const Call& call);
  resp::Reply srem(const Call& call);
  resp::Reply spop(const Call& call);
  resp::Reply smembers(const Call& call);
  resp::Reply scard(const Call& call);
  resp::Reply hset(const Call& call);
  resp::Reply hget(const Call& call);
  resp::Reply hdel(const Call& call);
  resp::Reply hincrby(const Call& call);
  resp::Reply hgetall(const Call& call);
  resp::Reply zadd(const Call& call);
  resp::Reply zincrby(const Call& call);
  resp::Reply zscore(const Call& call);
  resp::Reply zrange(const Call& call);
  resp::Reply zpopmin(const Call& call);
  resp::Reply xadd(const Call& call);
  resp::Reply xlen(const Call& call);
  resp::Reply xrange(const Call& call);

  std::map<std::string, Key> keys_;
  std::map<std::string, std::uint64_t> changed_;
  std::uint64_t changes_ = 0;
};

// Replies as the wire has them.
namespace reply {
[[nodiscard]] resp::Reply integer(std::int64_t number);
[[nodiscard]] resp::Reply bulk(std::string text);
[[nodiscard]] resp::Reply null();
[[nodiscard]] resp::Reply null_array();
[[nodiscard]] resp::Reply simple(std::string text);
[[nodiscard]] resp::Reply error(std::string text);
[[nodiscard]] resp::Reply array(std::vector<resp::Reply> elements);
[[nodiscard]] resp::Reply wrong_type();
}  // namespace reply

}  // namespace redraft::sim
