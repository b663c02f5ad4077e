#include "server/store/store.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/check.h"
#include "resp/number.h"

namespace redraft::store {

std::uint64_t hash_of(std::uint64_t seed, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t KeyTraits::hash(std::uint64_t seed, const Key* key) {
  return hash_of(seed, key->name());
}

Store::Store(Options options) : watch_table_(options.databases) {
  shared_.hash_seed = options.hash_seed;
  for (std::uint32_t db = 0; db < options.databases; ++db) databases_.push_back(std::make_unique<Database>());
}

Store::~Store() {
  end_walk();
  std::size_t all = ~std::size_t{0};
  for (auto& database : databases_) free_database(*database, all);
  for (auto& database : garbage_databases_) free_database(*database, all);
}

// ---- Time

void Store::begin_entry(std::uint64_t index, std::uint64_t clock_ms) {
  ensure(index > index_, "entries reach the store in their order, once each (pitfall G2)");
  index_ = index;
  if (waiters_.any() && clock_ms > clock_ms_) mark_expiring(clock_ms);
  clock_ms_ = std::max(clock_ms_, clock_ms);
  access_clock_.advance(clock_ms_);
}

// Who waits in XREADGROUP learns that its stream expired. Keys that go by this clock are all here still: a node frees
// them only after it has applied the clock.
void Store::mark_expiring(std::uint64_t clock_ms) {
  for (std::uint32_t db = 0; db < database_count(); ++db) {
    for (auto at = databases_[db]->deadlines.from(clock_ms_ + 1); !at.at_end() && at.deadline_ms() <= clock_ms;
         at.advance()) {
      waiters_.mark_ready(db, at.key().name());
    }
  }
}

void Store::seed_hashes(std::uint64_t seed) {
  if (shared_.hash_seed != 0 || shared_.walking) return;
  for (const auto& database : databases_) {
    if (database->keys != 0) return;
  }
  // What WATCH looked at before has no place under the new seed: all of it counts as changed.
  watch_table_.touch_all(index_);
  shared_.hash_seed = seed;
}

void Store::begin_read(std::uint64_t clock_ms) {
  read_clock_ms_ = std::max(clock_ms, clock_ms_);
  needs_clock_ = false;
  access_clock_.advance(read_clock_ms_);
}

bool Store::end_read() {
  read_clock_ms_ = 0;
  return needs_clock_;
}

bool Store::has_passed(std::uint64_t deadline_ms) const {
  if (deadline_ms == 0) return false;
  if (deadline_ms <= clock_ms_) return true;
  if (deadline_ms > read_clock_ms_) return false;
  needs_clock_ = true;
  return true;
}

bool Store::expired(const Key& key) const {
  return has_passed(key.deadline_ms());
}

// ---- Places

Store::Place Store::place(std::uint32_t db, std::string_view name) const {
  Database& database = *databases_[db];
  const std::uint32_t slot = slot_of(name);
  const std::uint64_t hash = hash_of(shared_.hash_seed, name);
  return {&database, slot, hash, std::as_const(database).slot(slot).find(hash, name)};
}

namespace {

// Steps in turn until all are done.
void take_steps(std::span<TrieApproach> searches) {
  std::array<TrieApproach*, Store::kPrefetchMax> under_way;
  std::size_t left = 0;
  for (TrieApproach& search : searches) under_way[left++] = &search;
  while (left > 0) {
    const auto begin = under_way.begin();
    const auto end = std::remove_if(begin, begin + left, [](TrieApproach* search) { return !search->step(); });
    left = static_cast<std::size_t>(end - begin);
  }
}

}  // namespace

void Store::prefetch(std::span<const KeyName> names) const {
  names = names.first(std::min(names.size(), kPrefetchMax));
  std::array<TrieApproach, kPrefetchMax> searches;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].db >= databases_.size()) continue;
    const Database& database = *databases_[names[i].db];
    searches[i] = database.slot(slot_of(names[i].name)).approach(hash_of(shared_.hash_seed, names[i].name));
  }
  take_steps(std::span(searches).first(names.size()));

  std::array<const Object*, kPrefetchMax> objects;
  bool any = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* key = names[i].last.empty() ? nullptr : static_cast<const Key*>(searches[i].candidate());
    objects[i] = key == nullptr ? nullptr : key->object();
    if (objects[i] == nullptr) continue;
    __builtin_prefetch(objects[i]);
    any = true;
  }
  if (!any) return;
  for (std::size_t i = 0; i < names.size(); ++i) {
    searches[i] = objects[i] == nullptr ? TrieApproach() : objects[i]->approach(names[i].first, names[i].last);
  }
  take_steps(std::span(searches).first(names.size()));
}

const Key* Store::find(std::uint32_t db, std::string_view name) const {
  const Place found = place(db, name);
  const Key* key = found && !expired(*found.key()) ? found.key() : nullptr;
  if (read_clock_ms_ != 0) ++(key != nullptr ? read_hits_ : read_misses_);
  if (misses_ != nullptr && key == nullptr && read_clock_ms_ != 0) misses_->key_missed(db, name);
  if (key != nullptr) access_clock_.touch(*key);
  return key;
}

Key* Store::find_for_change(std::uint32_t db, std::string_view name) {
  Place found = place(db, name);
  if (!found) return nullptr;
  if (expired(*found.key())) {
    erase(found, false);
    return nullptr;
  }
  before_change(*found.database, found.slot, *found.at.leaf);
  access_clock_.touch(*found.key());
  return found.key();
}

void Store::before_change(Database& database, std::uint32_t slot, KeyTrie::Leaf& leaf) {
  if (shared_.walking && leaf.epoch < shared_.epoch && leaf.count > 0) write_leaf(database, slot, leaf);
  leaf.epoch = shared_.epoch;
}

void Store::insert(const Place& place, Key* key) {
  Database& database = *place.database;
  const std::uint32_t slot = place.slot;
  database.slot(slot).insert(place.hash, key, shared_.hash_seed, shared_.epoch,
                             [&](KeyTrie::Leaf& leaf) { before_change(database, slot, leaf); });
  ++database.keys;
  if (key->has_deadline()) database.deadlines.insert(*key);
  shared_.memory += static_cast<std::int64_t>(key->memory());
}

// A new block for the key at a place. The old one's object goes, unless it moves along.
void Store::replace(Place& place, Key* key, bool keep_object) {
  before_change(*place.database, place.slot, *place.at.leaf);
  Key* const old = place.key();
  tell_expired(*place.database, *old);
  place.database->deadlines.replace(*old, *key);
  shared_.memory += static_cast<std::int64_t>(key->memory()) - static_cast<std::int64_t>(old->memory());
  if (!keep_object) discard(old->object());
  KeyBlock::free(old);
  place.at.item() = key;
}

void Store::erase(const Place& place, bool keep_object) {
  Database& database = *place.database;
  const std::uint32_t slot = place.slot;
  Key* const key = place.key();
  tell_expired(database, *key);
  if (key->has_deadline()) database.deadlines.erase(*key);
  shared_.memory -= static_cast<std::int64_t>(key->memory());
  std::ignore = database.slot(slot).erase(place.hash, place.at.position, shared_.epoch,
                                          [&](KeyTrie::Leaf& leaf) { before_change(database, slot, leaf); });
  --database.keys;
  if (!keep_object) discard(key->object());
  KeyBlock::free(key);
}

void Store::tell_expired(const Database& database, const Key& key) const {
  if (!on_expired_ || !key.has_deadline() || key.deadline_ms() > clock_ms_) return;
  for (std::uint32_t db = 0; db < database_count(); ++db) {
    if (databases_[db].get() == &database) on_expired_(db, key.name());
  }
}

// Freed later, in slices. Its leaf is walked by now; what the walk still needs of its parts makes it the walk's own.
void Store::discard(Object* object) {
  if (object == nullptr) return;
  if (object->in_parts) {
    object->abandoned = true;
    return;
  }
  std::unique_ptr<Object> owned(object);
  if (object->size() <= 64) return;
  garbage_objects_.push_back(std::move(owned));
}

void Store::put(std::uint32_t db, std::string_view name, const KeyBlock::Value& value, std::uint64_t deadline_ms) {
  Place found = place(db, name);
  const std::uint32_t access = access_clock_.of_value(found ? found.key() : nullptr);
  if (!found) {
    insert(found, KeyBlock::make(name, value, deadline_ms, access));
    return;
  }
  replace(found, KeyBlock::make(name, value, deadline_ms, access), false);
}

// ---- Strings

void Store::set_string(std::uint32_t db, std::string_view name, std::string_view bytes, std::uint64_t deadline_ms) {
  if (bytes.size() <= resp::kIntegerTextMax) {
    if (const std::optional<std::int64_t> integer = resp::parse_int64(bytes)) {
      put(db, name, KeyBlock::integer_value(*integer), deadline_ms);
      return;
    }
  }
  if (bytes.size() > Key::kInlineMax) {
    auto string = std::make_unique<LongString>(shared_);
    string->write(0, bytes);
    put(db, name, KeyBlock::object_value(string.release()), deadline_ms);
    return;
  }
  Place found = place(db, name);
  if (found && found.key()->is_inline() && found.key()->inline_bytes().size() == bytes.size() &&
      found.key()->deadline_ms() == 0 && deadline_ms == 0 && (found.key()->flags_ & Key::kRaw) == 0) {
    before_change(*found.database, found.slot, *found.at.leaf);
    KeyBlock::set_inline(*found.key(), bytes);
    return;
  }
  put(db, name, KeyBlock::inline_value(bytes), deadline_ms);
}

void Store::set_raw_string(std::uint32_t db, std::string_view name, std::string_view bytes, std::uint64_t deadline_ms) {
  if (bytes.size() > Key::kInlineMax) {
    lengthen(db, name, bytes, deadline_ms);
  } else {
    put(db, name, KeyBlock::inline_value(bytes, true), deadline_ms);
  }
}

void Store::set_integer(std::uint32_t db, std::string_view name, std::int64_t value, std::uint64_t deadline_ms) {
  Place found = place(db, name);
  if (found && found.key()->is_integer() && found.key()->deadline_ms() == deadline_ms) {
    before_change(*found.database, found.slot, *found.at.leaf);
    KeyBlock::set_integer(*found.key(), value);
    return;
  }
  put(db, name, KeyBlock::integer_value(value), deadline_ms);
}

// The present bytes move into pages, and the key points at them.
LongString& Store::lengthen(std::uint32_t db, std::string_view name, std::string_view present,
                            std::uint64_t deadline_ms) {
  auto string = std::make_unique<LongString>(shared_);
  string->write(0, present);
  LongString& made = *string;
  put(db, name, KeyBlock::object_value(string.release()), deadline_ms);
  return made;
}

std::size_t Store::append(std::uint32_t db, std::string_view name, std::string_view bytes) {
  const Key* key = find(db, name);
  if (key == nullptr) {
    set_string(db, name, bytes, 0);
    return bytes.size();
  }
  return write_range(db, name, key->string_size(), bytes);
}

std::size_t Store::write_range(std::uint32_t db, std::string_view name, std::size_t offset, std::string_view bytes) {
  Key* key = find_for_change(db, name);
  if (key != nullptr && key->object() != nullptr) {
    auto& string = static_cast<LongString&>(*key->object());
    string.write(offset, bytes);
    return string.size();
  }
  std::string scratch;
  const std::uint64_t deadline = key == nullptr ? 0 : key->deadline_ms();
  std::string whole(key == nullptr ? std::string_view() : key->string(scratch));
  const std::size_t size = std::max(whole.size(), offset + bytes.size());
  if (size > Key::kInlineMax) {
    lengthen(db, name, whole, deadline).write(offset, bytes);
    return size;
  }
  whole.resize(size);
  whole.replace(offset, bytes.size(), bytes);
  put(db, name, KeyBlock::inline_value(whole, true), deadline);
  return size;
}

// ---- Containers and whole keys

List& Store::create_list(std::uint32_t db, std::string_view name) {
  auto list = std::make_unique<List>(shared_);
  List& made = *list;
  put(db, name, KeyBlock::object_value(list.release()), 0);
  return made;
}

Set& Store::create_set(std::uint32_t db, std::string_view name) {
  auto set = std::make_unique<Set>(shared_);
  Set& made = *set;
  put(db, name, KeyBlock::object_value(set.release()), 0);
  return made;
}

Hash& Store::create_hash(std::uint32_t db, std::string_view name) {
  auto hash = std::make_unique<Hash>(shared_);
  Hash& made = *hash;
  put(db, name, KeyBlock::object_value(hash.release()), 0);
  return made;
}

SortedSet& Store::create_sorted_set(std::uint32_t db, std::string_view name) {
  auto set = std::make_unique<SortedSet>(shared_);
  SortedSet& made = *set;
  put(db, name, KeyBlock::object_value(set.release()), 0);
  return made;
}

void Store::put_object(std::uint32_t db, std::string_view name, std::unique_ptr<Object> object,
                       std::uint64_t deadline_ms) {
  put(db, name, KeyBlock::object_value(object.release()), deadline_ms);
}

bool Store::remove(std::uint32_t db, std::string_view name) {
  const Place found = place(db, name);
  if (!found) return false;
  const bool existed = !expired(*found.key());
  erase(found, false);
  return existed;
}

void Store::set_deadline(std::uint32_t db, std::string_view name, std::uint64_t deadline_ms) {
  Place found = place(db, name);
  ensure(static_cast<bool>(found), "a deadline is set on a key that exists");
  Key& key = *found.key();
  if (key.deadline_ms() == deadline_ms) return;
  if (key.has_deadline() && deadline_ms != 0) {
    before_change(*found.database, found.slot, *found.at.leaf);
    found.database->deadlines.erase(key);
    KeyBlock::set_deadline(key, deadline_ms);
    found.database->deadlines.insert(key);
    return;
  }
  replace(found, KeyBlock::make(name, KeyBlock::value_of(key), deadline_ms, key.access()), true);
}

void Store::rename(std::uint32_t from_db, std::string_view from, std::uint32_t to_db, std::string_view to) {
  Place source = place(from_db, from);
  ensure(static_cast<bool>(source), "a key that exists is renamed");
  // Its leaf is walked while the object is still found there.
  before_change(*source.database, source.slot, *source.at.leaf);
  Key* const made =
      KeyBlock::make(to, KeyBlock::value_of(*source.key()), source.key()->deadline_ms(), source.key()->access());
  erase(source, true);
  Place target = place(to_db, to);
  if (target) {
    replace(target, made, false);
  } else {
    insert(target, made);
  }
}

void Store::copy(std::uint32_t from_db, std::string_view from, std::uint32_t to_db, std::string_view to,
                 Breather& breather) {
  const Place source = place(from_db, from);
  ensure(static_cast<bool>(source), "a key that exists is copied");
  KeyBlock::Value value = KeyBlock::value_of(*source.key());
  if (value.object != nullptr) value.object = value.object->copy(breather).release();
  Key* const made = KeyBlock::make(to, value, source.key()->deadline_ms(), access_clock_.of_value(nullptr));
  Place target = place(to_db, to);
  if (target) {
    replace(target, made, false);
  } else {
    insert(target, made);
  }
}

void Store::flush(std::uint32_t db) {
  if (databases_[db]->keys == 0) return;
  const auto unwalked = walk_databases_.begin() + static_cast<std::ptrdiff_t>(walk_database_);
  if (shared_.walking && std::find(unwalked, walk_databases_.end(), databases_[db].get()) != walk_databases_.end()) {
    walk_flushed_.push_back(std::move(databases_[db]));
  } else {
    garbage_databases_.push_back(std::move(databases_[db]));
  }
  databases_[db] = std::make_unique<Database>();
}

void Store::flush_all() {
  for (std::uint32_t db = 0; db < database_count(); ++db) flush(db);
}

void Store::swap(std::uint32_t a, std::uint32_t b) {
  std::swap(databases_[a], databases_[b]);
}

// ---- WATCH

void Store::touch(std::uint32_t db, std::string_view name) {
  watch_table_.touch(watch_hash(db, name), index_);
  if (waiters_.any()) waiters_.mark_ready(db, name);
  if (readers_ != nullptr) readers_->key_changed(db, name);
  if (changes_ != nullptr) changes_->key_changed(db, name);
}

void Store::touch_database(std::uint32_t db) {
  watch_table_.touch_database(db, index_);
  if (waiters_.any()) waiters_.mark_database(db);
  if (readers_ != nullptr) readers_->database_changed(db);
  if (changes_ != nullptr) changes_->database_changed(db);
}

bool Store::changed_since(std::uint32_t db, std::string_view name, std::uint64_t index) const {
  return watch_table_.changed_since(db, watch_hash(db, name), index);
}

std::size_t Store::watch_place(std::uint32_t db, std::string_view name) const {
  return WatchTable::place_of(watch_hash(db, name));
}

std::uint64_t Store::watch_hash(std::uint32_t db, std::string_view name) const {
  return hash_of(shared_.hash_seed + db, name);
}

// ---- Settings

std::optional<std::string> Store::setting(std::string_view name) const {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return std::nullopt;
  return found->second;
}

std::uint64_t Store::setting_number(std::string_view name, std::uint64_t otherwise) const {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return otherwise;
  const std::optional<std::int64_t> value = resp::parse_int64(found->second);
  return value && *value >= 0 ? static_cast<std::uint64_t>(*value) : otherwise;
}

void Store::set_setting(std::string_view name, std::string_view value) {
  settings_.insert_or_assign(std::string(name), std::string(value));
  adopt_settings();
}

// ---- Users

std::uint32_t Store::set_user(std::string_view name, std::string_view rules) {
  auto found = users_.find(name);
  if (found == users_.end()) {
    found = users_.emplace(name, User{name == "default" ? 0 : next_user_++, {}}).first;
  }
  found->second.rules = rules;
  return found->second.id;
}

bool Store::remove_user(std::string_view name) {
  const auto found = users_.find(name);
  if (found == users_.end()) return false;
  users_.erase(found);
  return true;
}

void Store::adopt_settings() {
  const auto policy = settings_.find("maxmemory-policy");
  access_clock_.count_frequency(policy != settings_.end() && policy->second.find("lfu") != std::string::npos);
  const auto number = [&](std::string_view name, std::uint32_t otherwise) {
    const std::uint64_t value = setting_number(name, otherwise);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
  };
  shared_.set_max_intset_entries = number("set-max-intset-entries", 512);
  shared_.set_max_listpack_entries = number("set-max-listpack-entries", 128);
  shared_.set_max_listpack_value = number("set-max-listpack-value", 64);
  shared_.hash_max_listpack_entries = number("hash-max-listpack-entries", 512);
  shared_.hash_max_listpack_value = number("hash-max-listpack-value", 64);
  shared_.zset_max_listpack_entries = number("zset-max-listpack-entries", 128);
  shared_.zset_max_listpack_value = number("zset-max-listpack-value", 64);
  shared_.stream_node_max_bytes = setting_number("stream-node-max-bytes", 4096);
  shared_.stream_node_max_entries = setting_number("stream-node-max-entries", 100);
  const auto list = settings_.find("list-max-listpack-size");
  const std::optional<std::int64_t> size = list == settings_.end() ? std::nullopt : resp::parse_int64(list->second);
  shared_.list_max_listpack_size = size ? static_cast<std::int32_t>(std::clamp<std::int64_t>(*size, -5, 1 << 16)) : -2;
}

// ---- Expiry and freeing

std::uint64_t Store::next_deadline() const {
  std::uint64_t earliest = 0;
  for (const auto& database : databases_) {
    if (database->deadlines.empty()) continue;
    const std::uint64_t deadline = database->deadlines.earliest_ms();
    if (earliest == 0 || deadline < earliest) earliest = deadline;
  }
  return earliest;
}

std::size_t Store::expire_due(std::size_t count) {
  std::size_t freed = 0;
  for (std::uint32_t db = 0; db < database_count(); ++db) {
    Database& database = *databases_[db];
    while (freed < count && !database.deadlines.empty() && database.deadlines.earliest_ms() <= clock_ms_) {
      const std::string name(database.deadlines.earliest().name());
      erase(place(db, name), false);
      ++freed;
    }
  }
  return freed;
}

void Store::free_some(std::size_t elements) {
  while (elements > 0 && !garbage_objects_.empty()) {
    if (!garbage_objects_.front()->free_some(elements)) return;
    garbage_objects_.pop_front();
    if (elements > 0) --elements;
  }
  while (elements > 0 && !garbage_databases_.empty()) {
    free_database(*garbage_databases_.front(), elements);
    if (garbage_databases_.front()->free_next < kSlotCount) return;
    garbage_databases_.pop_front();
  }
}

void Store::free_database(Database& database, std::size_t& elements) {
  // By slices of the index too: it may be as large as the keys.
  while (!database.deadlines.empty() && elements > 0) elements -= database.deadlines.drop_some(elements);
  if (database.keys == 0) database.free_next = kSlotCount;
  while (elements > 0 && database.free_next < kSlotCount) {
    KeyTrie::Leaf* leaf = database.slot(database.free_next).take_leaf();
    if (leaf == nullptr) {
      ++database.free_next;
      continue;
    }
    for (std::uint32_t i = 0; i < leaf->count; ++i) {
      Key* const key = leaf->items()[i];
      shared_.memory -= static_cast<std::int64_t>(key->memory());
      discard(key->object());
      KeyBlock::free(key);
    }
    elements -= std::min<std::size_t>(elements, leaf->count + 1);
    std::free(leaf);
  }
}

}  // namespace redraft::store
