#include "tests/sim/model.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "resp/number.h"

namespace redraft::sim {
namespace reply {

using Type = resp::Reply::Type;

namespace {

resp::Reply of(Type type, std::string text = {}) {
  resp::Reply reply;
  reply.type = type;
  reply.text = std::move(text);
  return reply;
}

}  // namespace

resp::Reply integer(std::int64_t number) {
  resp::Reply reply = of(Type::kInteger, std::to_string(number));
  reply.integer = number;
  return reply;
}
resp::Reply bulk(std::string text) {
  return of(Type::kBulk, std::move(text));
}
resp::Reply null() {
  return of(Type::kNull);
}
resp::Reply null_array() {
  return of(Type::kNullArray);
}
resp::Reply simple(std::string text) {
  return of(Type::kSimple, std::move(text));
}
resp::Reply error(std::string text) {
  return of(Type::kError, std::move(text));
}
resp::Reply array(std::vector<resp::Reply> elements) {
  resp::Reply reply = of(Type::kArray);
  reply.elements = std::move(elements);
  return reply;
}
resp::Reply wrong_type() {
  return error("WRONGTYPE Operation against a key holding the wrong kind of value");
}

}  // namespace reply

namespace {

std::string lower(std::string_view text) {
  std::string name(text);
  for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return name;
}

std::int64_t number(const std::string& text) {
  return resp::parse_int64(text).value_or(0);
}

}  // namespace

const std::map<std::string, Model::Handler, std::less<>>& Model::handlers() {
  static const std::map<std::string, Handler, std::less<>> kHandlers{
      {"get", &Model::get},
      {"set", &Model::set},
      {"getset", &Model::getset},
      {"append", &Model::append},
      {"incr", &Model::incr},
      {"incrby", &Model::incrby},
      {"decrby", &Model::decrby},
      {"mset", &Model::mset},
      {"mget", &Model::mget},
      {"del", &Model::del},
      {"exists", &Model::exists},
      {"pexpire", &Model::pexpire},
      {"persist", &Model::persist},
      {"type", &Model::type},
      {"rename", &Model::rename},
      {"rpush", &Model::rpush},
      {"lpush", &Model::lpush},
      {"lpop", &Model::lpop},
      {"llen", &Model::llen},
      {"lrange", &Model::lrange},
      {"rpoplpush", &Model::rpoplpush},
      {"sadd", &Model::sadd},
      {"srem", &Model::srem},
      {"spop", &Model::spop},
      {"smembers", &Model::smembers},
      {"scard", &Model::scard},
      {"hset", &Model::hset},
      {"hget", &Model::hget},
      {"hdel", &Model::hdel},
      {"hincrby", &Model::hincrby},
      {"hgetall", &Model::hgetall},
      {"zadd", &Model::zadd},
      {"zincrby", &Model::zincrby},
      {"zscore", &Model::zscore},
      {"zrange", &Model::zrange},
      {"zpopmin", &Model::zpopmin},
      {"xadd", &Model::xadd},
      {"xlen", &Model::xlen},
      {"xrange", &Model::xrange},
      {"blpop", nullptr},  // by pop_blocking
  };
  return kHandlers;
}

bool Model::knows(const Command& command) {
  return handlers().contains(lower(command.front()));
}

resp::Reply Model::execute(const Command& command, std::uint64_t now_ms, Told told) {
  const Handler handler = handlers().at(lower(command.front()));
  return (this->*handler)({command, now_ms, told});
}

Model::Key* Model::find(const std::string& name, std::uint64_t now_ms) {
  const auto found = keys_.find(name);
  if (found == keys_.end()) return nullptr;
  if (found->second.deadline_ms != 0 && found->second.deadline_ms <= now_ms) {
    keys_.erase(found);
    touch(name);
    return nullptr;
  }
  return &found->second;
}

std::uint64_t Model::changed(const std::string& key, std::uint64_t now_ms) {
  static_cast<void>(find(key, now_ms));
  const auto found = changed_.find(key);
  return found == changed_.end() ? 0 : found->second;
}

bool Model::has_deadline_in(const std::string& key, std::uint64_t after_ms, std::uint64_t up_to_ms) const {
  const auto found = keys_.find(key);
  return found != keys_.end() && found->second.deadline_ms > after_ms && found->second.deadline_ms <= up_to_ms;
}

// ---- Strings

resp::Reply Model::get(const Call& call) {
  const Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr) return reply::null();
  const auto* text = std::get_if<std::string>(&key->value);
  return text == nullptr ? reply::wrong_type() : reply::bulk(*text);
}

resp::Reply Model::set(const Call& call) {
  Key& key = keys_[call.at(1)];
  key.value = call.at(2);
  key.deadline_ms = 0;
  if (call.command.size() == 5) key.deadline_ms = call.now_ms + static_cast<std::uint64_t>(number(call.at(4)));  // PX
  touch(call.at(1));
  return reply::simple("OK");
}

resp::Reply Model::getset(const Call& call) {
  resp::Reply old = get(call);
  if (old.type != resp::Reply::Type::kError) static_cast<void>(set({{"SET", call.at(1), call.at(2)}, call.now_ms, {}}));
  return old;
}

resp::Reply Model::append(const Call& call) {
  Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr) key = &keys_[call.at(1)];
  auto* text = std::get_if<std::string>(&key->value);
  if (text == nullptr) return reply::wrong_type();
  *text += call.at(2);
  touch(call.at(1));
  return reply::integer(static_cast<std::int64_t>(text->size()));
}

resp::Reply Model::add(const Call& call, std::int64_t by) {
  Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr) {
    key = &keys_[call.at(1)];
    key->value.emplace<std::string>(1, '0');
  }
  auto* text = std::get_if<std::string>(&key->value);
  if (text == nullptr) return reply::wrong_type();
  const auto present = resp::parse_int64(*text);
  if (!present) return reply::error("ERR value is not an integer or out of range");
  const std::int64_t sum = *present + by;
  *text = std::to_string(sum);
  touch(call.at(1));
  return reply::integer(sum);
}

resp::Reply Model::incrby(const Call& call) {
  return add(call, number(call.at(2)));
}

resp::Reply Model::decrby(const Call& call) {
  return add(call, -number(call.at(2)));
}

resp::Reply Model::mset(const Call& call) {
  for (std::size_t i = 1; i + 1 < call.command.size(); i += 2) {
    keys_[call.at(i)] = {call.at(i + 1), 0};
    touch(call.at(i));
  }
  return reply::simple("OK");
}

resp::Reply Model::mget(const Call& call) {
  std::vector<resp::Reply> values;
  for (std::size_t i = 1; i < call.command.size(); ++i) {
    const Key* key = find(call.at(i), call.now_ms);
    const auto* text = key == nullptr ? nullptr : std::get_if<std::string>(&key->value);
    values.push_back(text == nullptr ? reply::null() : reply::bulk(*text));
  }
  return reply::array(std::move(values));
}

// ---- Keys

resp::Reply Model::del(const Call& call) {
  std::int64_t removed = 0;
  for (std::size_t i = 1; i < call.command.size(); ++i) {
    if (find(call.at(i), call.now_ms) == nullptr) continue;
    keys_.erase(call.at(i));
    touch(call.at(i));
    ++removed;
  }
  return reply::integer(removed);
}

resp::Reply Model::exists(const Call& call) {
  std::int64_t there = 0;
  for (std::size_t i = 1; i < call.command.size(); ++i) there += find(call.at(i), call.now_ms) != nullptr ? 1 : 0;
  return reply::integer(there);
}

resp::Reply Model::pexpire(const Call& call) {
  Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr) return reply::integer(0);
  key->deadline_ms = call.now_ms + static_cast<std::uint64_t>(number(call.at(2)));
  touch(call.at(1));
  return reply::integer(1);
}

resp::Reply Model::persist(const Call& call) {
  Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr || key->deadline_ms == 0) return reply::integer(0);
  key->deadline_ms = 0;
  touch(call.at(1));
  return reply::integer(1);
}

resp::Reply Model::type(const Call& call) {
  const Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr) return reply::simple("none");
  static constexpr const char* kNames[] = {"string", "list", "set", "hash", "zset", "stream"};
  return reply::simple(kNames[key->value.index()]);
}

resp::Reply Model::rename(const Call& call) {
  Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr) return reply::error("ERR no such key");
  if (call.at(1) == call.at(2)) return reply::simple("OK");
  Key moved = std::move(*key);
  keys_.erase(call.at(1));
  keys_[call.at(2)] = std::move(moved);
  touch(call.at(1));
  touch(call.at(2));
  return reply::simple("OK");
}

}  // namespace redraft::sim
