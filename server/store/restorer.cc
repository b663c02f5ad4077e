#include <algorithm>
#include <utility>

#include "base/check.h"
#include "server/store/store.h"
#include "server/store/stream.h"

namespace redraft::store {
namespace {

std::unique_ptr<Object> make_object(std::uint8_t type, Shared& shared) {
  switch (static_cast<Type>(type)) {
    case Type::kString:
      return std::make_unique<LongString>(shared);
    case Type::kList:
      return std::make_unique<List>(shared);
    case Type::kSet:
      return std::make_unique<Set>(shared);
    case Type::kHash:
      return std::make_unique<Hash>(shared);
    case Type::kSortedSet:
      return std::make_unique<SortedSet>(shared);
    case Type::kStream:
      return std::make_unique<Stream>(shared);
    default:
      return nullptr;
  }
}

}  // namespace

Restorer::Restorer() = default;
Restorer::~Restorer() = default;

Status Restorer::add(std::string_view piece) {
  pending_.append(piece);
  std::string_view rest = pending_;
  while (!rest.empty()) {
    std::string_view after = rest.substr(1);
    std::uint64_t size = 0;
    std::string_view number = after;
    if (!take_number(number, size)) {
      if (after.size() >= 10) return malformed("record");
      break;
    }
    if (size > number.size()) break;
    const auto kind = static_cast<Record>(rest.front());
    if (Status read = record(kind, number.substr(0, size)); !read) return read;
    rest = number.substr(size);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return Done{};
}

Status Restorer::record(Record record, std::string_view body) {
  if (ended_ || (store_ == nullptr) != (record == Record::kStore)) return malformed("order of records");
  switch (record) {
    case Record::kStore:
      return store_record(body);
    case Record::kLeaf:
      return leaf_record(body);
    case Record::kObject:
      return object_record(body);
    case Record::kPart: {
      std::uint64_t id = 0;
      if (!take_number(body, id)) return malformed("part");
      const auto found = objects_.find(id);
      if (found == objects_.end()) return malformed("part of an unknown object");
      return found->second->restore_part(body);
    }
    case Record::kEnd:
      ended_ = true;
      return Done{};
  }
  return malformed("record");
}

Status Restorer::store_record(std::string_view body) {
  std::uint64_t seed = 0;
  std::uint64_t databases = 0;
  std::uint64_t clock = 0;
  std::uint64_t index = 0;
  if (!take_number(body, seed) || !take_number(body, databases) || databases == 0 || databases > (1 << 16) ||
      !take_number(body, clock) || !take_number(body, index)) {
    return malformed("store record");
  }
  store_ = std::make_unique<Store>(Options{static_cast<std::uint32_t>(databases), seed});
  store_->clock_ms_ = clock;
  store_->index_ = index;
  if (!store_->watch_table_.decode(body)) return malformed("WATCH table");
  std::uint64_t settings = 0;
  if (!take_number(body, settings)) return malformed("settings");
  for (std::uint64_t i = 0; i < settings; ++i) {
    std::string_view name;
    std::string_view value;
    if (!take_bytes(body, name) || !take_bytes(body, value)) return malformed("setting");
    store_->settings_.emplace(name, value);
  }
  store_->adopt_settings();
  store_->access_clock_.advance(clock);
  if (Status users = users_of(body); !users) return users;
  if (Status waiters = store_->waiters_.decode(body); !waiters) return waiters;
  if (Status scripts = store_->scripts_.decode(body); !scripts) return scripts;
  return body.empty() ? Status(Done{}) : Status(malformed("store record"));
}

Status Restorer::users_of(std::string_view& body) {
  std::uint64_t next = 0;
  std::uint64_t count = 0;
  if (!take_number(body, next) || next > 0xffffffff || !take_number(body, count)) return malformed("users");
  store_->next_user_ = static_cast<std::uint32_t>(next);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view name;
    std::uint64_t id = 0;
    std::string_view rules;
    if (!take_bytes(body, name) || !take_number(body, id) || id >= next || !take_bytes(body, rules)) {
      return malformed("user");
    }
    store_->users_.emplace(name, Store::User{static_cast<std::uint32_t>(id), std::string(rules)});
  }
  return Done{};
}

Status Restorer::object_record(std::string_view body) {
  std::uint64_t id = 0;
  if (!take_number(body, id) || body.empty() || objects_.contains(id)) return malformed("object");
  std::unique_ptr<Object> object = make_object(static_cast<std::uint8_t>(body.front()), store_->shared_);
  if (object == nullptr) return malformed("object of an unknown type");
  if (Status header = object->restore_header(body.substr(1)); !header) return header;
  objects_[id] = object.get();
  unclaimed_[id] = std::move(object);
  return Done{};
}

Result<Key*> Restorer::read_key(std::string_view& body) {
  std::string_view name;
  std::uint64_t deadline = 0;
  if (!take_bytes(body, name) || !take_number(body, deadline) || body.size() < 2) return malformed("key");
  // Uses are not in a snapshot: all its keys count as used when it was taken.
  const std::uint32_t access = store_->access_clock_.of_value(nullptr);
  const auto kind = static_cast<std::uint8_t>(body[0]);
  const auto detail = static_cast<std::uint8_t>(body[1]);
  body.remove_prefix(2);
  if (kind == static_cast<std::uint8_t>(Key::Kind::kInteger)) {
    std::uint64_t value = 0;
    if (!take_number(body, value)) return malformed("integer");
    return KeyBlock::make(name, KeyBlock::integer_value(static_cast<std::int64_t>(value)), deadline, access);
  }
  std::string_view bytes;
  if (kind == static_cast<std::uint8_t>(Key::Kind::kInline)) {
    if (!take_bytes(body, bytes)) return malformed("string");
    return KeyBlock::make(name, KeyBlock::inline_value(bytes, detail != 0), deadline, access);
  }
  std::uint64_t id = 0;
  if (kind != static_cast<std::uint8_t>(Key::Kind::kObject) || !take_number(body, id)) return malformed("value");
  if (id != 0) {
    auto claimed = unclaimed_.extract(id);
    if (claimed.empty()) return malformed("value: its object is missing");
    return KeyBlock::make(name, KeyBlock::object_value(claimed.mapped().release()), deadline, access);
  }
  std::unique_ptr<Object> object = make_object(detail, store_->shared_);
  if (object == nullptr || !take_bytes(body, bytes)) return malformed("value");
  if (Status decoded = object->decode(bytes); !decoded) return decoded.error();
  return KeyBlock::make(name, KeyBlock::object_value(object.release()), deadline, access);
}

Status Restorer::leaf_record(std::string_view body) {
  std::uint64_t db = 0;
  std::uint64_t slot = 0;
  std::uint64_t depth = 0;
  std::uint64_t prefix = 0;
  std::uint64_t count = 0;
  if (!take_number(body, db) || !take_number(body, slot) || !take_number(body, depth) || !take_number(body, prefix) ||
      !take_number(body, count) || db >= store_->database_count() || slot >= kSlotCount || depth > KeyTrie::kDepthMax ||
      count == 0 || count > body.size()) {
    return malformed("leaf");
  }
  Database& database = *store_->databases_[db];
  KeyTrie::Leaf* leaf = database.slot(static_cast<std::uint32_t>(slot))
                            .restore_leaf(prefix, static_cast<std::uint32_t>(depth), static_cast<std::uint32_t>(count),
                                          store_->shared_.epoch);
  if (leaf == nullptr) return malformed("leaf: it overlaps another");
  leaf->count = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Result<Key*> read = read_key(body);
    if (!read) return read.error();
    Key* const key = *read;
    leaf->items()[leaf->count] = key;
    leaf->tags()[leaf->count] = KeyTrie::tag(KeyTraits::hash(store_->shared_.hash_seed, key));
    ++leaf->count;
    ++database.keys;
    if (key->has_deadline()) database.deadlines.insert(*key);
    store_->shared_.memory += static_cast<std::int64_t>(key->memory());
  }
  return body.empty() ? Status(Done{}) : Status(malformed("leaf"));
}

Result<std::unique_ptr<Store>> Restorer::finish() {
  if (store_ == nullptr || !ended_ || !pending_.empty() || !unclaimed_.empty()) return malformed("end");
  for (const auto& [id, object] : objects_) {
    if (Status end = object->restore_end(); !end) return end.error();
  }
  return std::move(store_);
}

}  // namespace redraft::store
