#include <algorithm>

#include "resp/number.h"
#include "tests/sim/model.h"

// Lists, sets, hashes, sorted sets, streams, of redis.io/commands. Containers without an order that clients may rely on
// answer in the order that the client was told, if that is one of theirs.

namespace redraft::sim {
namespace {

std::int64_t number(const std::string& text) {
  return resp::parse_int64(text).value_or(0);
}

// `width` elements of the reply belong together.
resp::Reply in_told_order(resp::Reply reply, const resp::Reply* told, std::size_t width) {
  if (told == nullptr || told->elements.size() != reply.elements.size()) return reply;
  const auto sorted = [width](const resp::Reply& of) {
    std::vector<std::vector<std::string>> groups;
    for (std::size_t i = 0; i < of.elements.size(); ++i) {
      if (i % width == 0) groups.emplace_back();
      groups.back().push_back(of.elements[i].text);
    }
    std::ranges::sort(groups);
    return groups;
  };
  return sorted(reply) == sorted(*told) ? *told : reply;
}

resp::Reply count(std::size_t size) {
  return reply::integer(static_cast<std::int64_t>(size));
}

}  // namespace

template <class Type>
Model::Found<Type> Model::container(const Call& call, bool make) {
  Key* key = find(call.at(1), call.now_ms);
  if (key == nullptr) {
    if (!make) return {};
    key = &keys_[call.at(1)];
    key->value = Type();
  }
  Type* value = std::get_if<Type>(&key->value);
  return {value, value == nullptr};
}

void Model::changed_container(const std::string& name, bool empty) {
  if (empty) keys_.erase(name);
  touch(name);
}

// ---- Lists

resp::Reply Model::push(const Call& call, bool left) {
  const auto list = container<List>(call, true);
  if (list.wrong) return reply::wrong_type();
  for (std::size_t i = 2; i < call.command.size(); ++i) {
    left ? list.value->push_front(call.at(i)) : list.value->push_back(call.at(i));
  }
  touch(call.at(1));
  return count(list.value->size());
}

resp::Reply Model::lpop(const Call& call) {
  const auto list = container<List>(call);
  if (list.wrong) return reply::wrong_type();
  if (list.value == nullptr) return reply::null();
  std::string element = std::move(list.value->front());
  list.value->pop_front();
  changed_container(call.at(1), list.value->empty());
  return reply::bulk(std::move(element));
}

std::optional<resp::Reply> Model::pop_blocking(const Command& command, std::uint64_t now_ms) {
  for (std::size_t i = 1; i + 1 < command.size(); ++i) {
    const Command pop{"LPOP", command[i]};
    const resp::Reply element = lpop({pop, now_ms, nullptr});
    if (element.type == resp::Reply::Type::kError) return element;
    if (element.type == resp::Reply::Type::kBulk) return reply::array({reply::bulk(command[i]), element});
  }
  return std::nullopt;
}

resp::Reply Model::llen(const Call& call) {
  const auto list = container<List>(call);
  if (list.wrong) return reply::wrong_type();
  return count(list.value == nullptr ? 0 : list.value->size());
}

resp::Reply Model::lrange(const Call& call) {  // 0 -1 only
  const auto list = container<List>(call);
  if (list.wrong) return reply::wrong_type();
  std::vector<resp::Reply> elements;
  if (list.value != nullptr) {
    for (const std::string& element : *list.value) elements.push_back(reply::bulk(element));
  }
  return reply::array(std::move(elements));
}

resp::Reply Model::rpoplpush(const Call& call) {
  const auto from = container<List>(call);
  if (from.wrong) return reply::wrong_type();
  if (from.value == nullptr) return reply::null();
  const Key* to = find(call.at(2), call.now_ms);
  if (to != nullptr && !std::holds_alternative<List>(to->value)) return reply::wrong_type();
  std::string element = std::move(from.value->back());
  from.value->pop_back();
  if (call.at(1) != call.at(2)) changed_container(call.at(1), from.value->empty());
  const Command push_command{"LPUSH", call.at(2), element};
  static_cast<void>(push({push_command, call.now_ms, nullptr}, true));
  return reply::bulk(std::move(element));
}

// ---- Sets

resp::Reply Model::sadd(const Call& call) {
  const auto set = container<Set>(call, true);
  if (set.wrong) return reply::wrong_type();
  std::int64_t added = 0;
  for (std::size_t i = 2; i < call.command.size(); ++i) added += set.value->members.insert(call.at(i)).second ? 1 : 0;
  if (added > 0) touch(call.at(1));
  return reply::integer(added);
}

resp::Reply Model::srem(const Call& call) {
  const auto set = container<Set>(call);
  if (set.wrong) return reply::wrong_type();
  if (set.value == nullptr) return reply::integer(0);
  std::int64_t removed = 0;
  for (std::size_t i = 2; i < call.command.size(); ++i) {
    removed += static_cast<std::int64_t>(set.value->members.erase(call.at(i)));
  }
  if (removed > 0) changed_container(call.at(1), set.value->members.size() == set.value->missing);
  return reply::integer(removed);
}

resp::Reply Model::spop(const Call& call) {
  const auto set = container<Set>(call);
  if (set.wrong) return reply::wrong_type();
  if (set.value == nullptr) return reply::null();
  Set& present = *set.value;
  resp::Reply popped = reply::bulk("any member");
  if (call.told == nullptr) {
    ++present.missing;
  } else if (present.members.erase(call.told->text) != 0) {
    popped = *call.told;
  }
  changed_container(call.at(1), present.members.size() == present.missing);
  return popped;
}

resp::Reply Model::smembers(const Call& call) {
  const auto set = container<Set>(call);
  if (set.wrong) return reply::wrong_type();
  std::vector<resp::Reply> members;
  if (set.value == nullptr) return reply::array({});
  if (set.value->missing != 0 && call.told != nullptr) {
    // Now it is known who is missing: the rest must have been there before.
    std::set<std::string> left;
    for (const resp::Reply& member : call.told->elements) left.insert(member.text);
    const bool possible = std::ranges::includes(set.value->members, left) &&
                          left.size() + set.value->missing == set.value->members.size();
    if (possible) *set.value = {std::move(left), 0};
  }
  for (const std::string& member : set.value->members) members.push_back(reply::bulk(member));
  return in_told_order(reply::array(std::move(members)), call.told, 1);
}

resp::Reply Model::scard(const Call& call) {
  const auto set = container<Set>(call);
  if (set.wrong) return reply::wrong_type();
  return count(set.value == nullptr ? 0 : set.value->members.size() - set.value->missing);
}

// ---- Hashes

resp::Reply Model::hset(const Call& call) {
  const auto hash = container<Hash>(call, true);
  if (hash.wrong) return reply::wrong_type();
  std::int64_t added = 0;
  for (std::size_t i = 2; i + 1 < call.command.size(); i += 2) {
    added += hash.value->insert_or_assign(call.at(i), call.at(i + 1)).second ? 1 : 0;
  }
  touch(call.at(1));
  return reply::integer(added);
}

resp::Reply Model::hget(const Call& call) {
  const auto hash = container<Hash>(call);
  if (hash.wrong) return reply::wrong_type();
  if (hash.value == nullptr) return reply::null();
  const auto field = hash.value->find(call.at(2));
  return field == hash.value->end() ? reply::null() : reply::bulk(field->second);
}

resp::Reply Model::hdel(const Call& call) {
  const auto hash = container<Hash>(call);
  if (hash.wrong) return reply::wrong_type();
  if (hash.value == nullptr || hash.value->erase(call.at(2)) == 0) return reply::integer(0);
  changed_container(call.at(1), hash.value->empty());
  return reply::integer(1);
}

resp::Reply Model::hincrby(const Call& call) {
  const auto hash = container<Hash>(call, true);
  if (hash.wrong) return reply::wrong_type();
  std::string& field = hash.value->try_emplace(call.at(2), "0").first->second;
  field = std::to_string(number(field) + number(call.at(3)));
  touch(call.at(1));
  return reply::integer(number(field));
}

resp::Reply Model::hgetall(const Call& call) {
  const auto hash = container<Hash>(call);
  if (hash.wrong) return reply::wrong_type();
  std::vector<resp::Reply> all;
  if (hash.value != nullptr) {
    for (const auto& [field, value] : *hash.value) {
      all.push_back(reply::bulk(field));
      all.push_back(reply::bulk(value));
    }
  }
  return in_told_order(reply::array(std::move(all)), call.told, 2);
}

// ---- Sorted sets, with whole numbers as scores

resp::Reply Model::zadd(const Call& call) {
  const auto sorted = container<Sorted>(call, true);
  if (sorted.wrong) return reply::wrong_type();
  const auto old = sorted.value->scores.find(call.at(3));
  const bool same = old != sorted.value->scores.end() && old->second == number(call.at(2));
  const bool added = sorted.value->scores.insert_or_assign(call.at(3), number(call.at(2))).second;
  if (!same) touch(call.at(1));
  return reply::integer(added ? 1 : 0);
}

resp::Reply Model::zincrby(const Call& call) {
  const auto sorted = container<Sorted>(call, true);
  if (sorted.wrong) return reply::wrong_type();
  const bool added = !sorted.value->scores.contains(call.at(3));
  std::int64_t& score = sorted.value->scores[call.at(3)];
  score += number(call.at(2));
  if (added || number(call.at(2)) != 0) touch(call.at(1));
  return reply::bulk(std::to_string(score));
}

resp::Reply Model::zscore(const Call& call) {
  const auto sorted = container<Sorted>(call);
  if (sorted.wrong) return reply::wrong_type();
  if (sorted.value == nullptr || !sorted.value->scores.contains(call.at(2))) return reply::null();
  return reply::bulk(std::to_string(sorted.value->scores.at(call.at(2))));
}

namespace {

using Scores = std::map<std::string, std::int64_t>;

std::vector<std::pair<std::int64_t, std::string>> by_score(const Scores& scores) {
  std::vector<std::pair<std::int64_t, std::string>> order;
  for (const auto& [member, score] : scores) order.emplace_back(score, member);
  std::ranges::sort(order);
  return order;
}

}  // namespace

resp::Reply Model::zrange(const Call& call) {  // 0 -1 only
  const auto sorted = container<Sorted>(call);
  if (sorted.wrong) return reply::wrong_type();
  std::vector<resp::Reply> members;
  if (sorted.value == nullptr) return reply::array({});
  for (const auto& [score, member] : by_score(sorted.value->scores)) members.push_back(reply::bulk(member));
  return reply::array(std::move(members));
}

resp::Reply Model::zpopmin(const Call& call) {
  const auto sorted = container<Sorted>(call);
  if (sorted.wrong) return reply::wrong_type();
  if (sorted.value == nullptr) return reply::array({});
  const auto [score, member] = by_score(sorted.value->scores).front();
  sorted.value->scores.erase(member);
  changed_container(call.at(1), sorted.value->scores.empty());
  return reply::array({reply::bulk(member), reply::bulk(std::to_string(score))});
}

// ---- Streams, with ids that the server makes

resp::Reply Model::xadd(const Call& call) {
  const auto stream = container<Stream>(call, true);
  if (stream.wrong) return reply::wrong_type();
  Stream& present = *stream.value;
  if (call.now_ms > present.last_ms) {
    present.last_ms = call.now_ms;
    present.last_number = 0;
  } else {
    ++present.last_number;
  }
  std::string id = std::to_string(present.last_ms) + "-" + std::to_string(present.last_number);
  present.entries.emplace_back(id, std::vector<std::string>(call.command.begin() + 3, call.command.end()));
  touch(call.at(1));
  return reply::bulk(std::move(id));
}

resp::Reply Model::xlen(const Call& call) {
  const auto stream = container<Stream>(call);
  if (stream.wrong) return reply::wrong_type();
  return count(stream.value == nullptr ? 0 : stream.value->entries.size());
}

resp::Reply Model::xrange(const Call& call) {  // - + only
  const auto stream = container<Stream>(call);
  if (stream.wrong) return reply::wrong_type();
  std::vector<resp::Reply> entries;
  if (stream.value == nullptr) return reply::array({});
  for (const auto& [id, fields] : stream.value->entries) {
    std::vector<resp::Reply> texts;
    for (const std::string& field : fields) texts.push_back(reply::bulk(field));
    entries.push_back(reply::array({reply::bulk(id), reply::array(std::move(texts))}));
  }
  return reply::array(std::move(entries));
}

}  // namespace redraft::sim
