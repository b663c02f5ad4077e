#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "server/store/store.h"

// The walk for snapshots: leaves of the keyspace, then the parts of their objects, a slice at a time while writes go
// on.

namespace redraft::store {

void Store::begin_walk() {
  end_walk();
  ++shared_.epoch;
  shared_.walking = true;
  walk_databases_.clear();
  for (std::uint32_t db = 0; db < database_count(); ++db) {
    databases_[db]->walk_number = db;
    walk_databases_.push_back(databases_[db].get());
  }
  walk_database_ = 0;
  walk_slot_ = 0;
  walk_hash_ = 0;
  walk_ended_ = false;
  write_store_record();
}

void Store::end_walk() {
  shared_.walking = false;
  shared_.walked = {};
  walked_taken_ = 0;
  while (!walk_objects_.empty()) {
    walked_object();
  }
  walk_databases_.clear();
  for (auto& database : walk_flushed_) garbage_databases_.push_back(std::move(database));
  walk_flushed_.clear();
}

// The first of the objects has no part left that the walk needs.
void Store::walked_object() {
  Object* const object = walk_objects_.front();
  walk_objects_.pop_front();
  object->in_parts = false;
  shared_.object_numbers.erase(object);
  if (object->abandoned) garbage_objects_.emplace_back(object);
}

// The walk has all leaves of a database: if it was flushed meanwhile, its memory may go now.
void Store::walked_database() {
  const auto flushed =
      std::ranges::find(walk_flushed_, walk_databases_[walk_database_], &std::unique_ptr<Database>::get);
  ++walk_database_;
  if (flushed == walk_flushed_.end()) return;
  garbage_databases_.push_back(std::move(*flushed));
  walk_flushed_.erase(flushed);
}

void Store::write_store_record() {
  std::string body;
  put_number(body, shared_.hash_seed);
  put_number(body, database_count());
  put_number(body, planted::is(planted::Bug::kSnapshotWithoutClock) ? 0 : clock_ms_);
  put_number(body, index_);
  watch_table_.encode(body);
  put_number(body, settings_.size());
  for (const auto& [name, value] : settings_) {
    put_bytes(body, name);
    put_bytes(body, value);
  }
  put_number(body, next_user_);
  put_number(body, users_.size());
  for (const auto& [name, user] : users_) {
    put_bytes(body, name);
    put_number(body, user.id);
    put_bytes(body, user.rules);
  }
  if (planted::is(planted::Bug::kSnapshotWithoutWaiters)) {
    Waiters().encode(body);
  } else {
    waiters_.encode(body);
  }
  if (planted::is(planted::Bug::kSnapshotWithoutScripts)) {
    Scripts().encode(body);
  } else {
    scripts_.encode(body);
  }
  shared_.walked.push_back(static_cast<char>(Record::kStore));
  put_bytes(shared_.walked, body);
}

// A leaf with all its keys. Small objects travel along; of the others the header comes before, and their parts follow
// whenever the walk or a change comes to them.
void Store::write_leaf(const Database& database, std::uint32_t slot, KeyTrie::Leaf& leaf) {
  const std::uint64_t hash = KeyTraits::hash(shared_.hash_seed, leaf.items()[0]);
  std::string body;
  put_number(body, database.walk_number);
  put_number(body, slot);
  put_number(body, database.slot(slot).depth_of(hash));
  put_number(body, hash);
  put_number(body, leaf.count);
  for (std::uint32_t i = 0; i < leaf.count; ++i) {
    const Key& key = *leaf.items()[i];
    put_bytes(body, key.name());
    put_number(body, key.deadline_ms());
    Object* const object = key.object();
    if (object == nullptr) {
      body.push_back(static_cast<char>(key.kind()));
      body.push_back(static_cast<char>(key.flags_ & Key::kRaw));
      key.is_integer() ? put_number(body, static_cast<std::uint64_t>(key.integer()))
                       : put_bytes(body, key.inline_bytes());
      continue;
    }
    body.push_back(static_cast<char>(Key::Kind::kObject));
    body.push_back(static_cast<char>(object->type()));
    object->set_walked();
    object->in_parts = !object->small();
    if (!object->in_parts) {
      std::string whole;
      object->encode(whole);
      put_number(body, 0);
      put_bytes(body, whole);
      continue;
    }
    put_number(body, object->id());
    std::string header;
    put_number(header, object->id());
    header.push_back(static_cast<char>(object->type()));
    object->begin_walk(header);
    shared_.walked.push_back(static_cast<char>(Record::kObject));
    put_bytes(shared_.walked, header);
    walk_objects_.push_back(object);
  }
  shared_.walked.push_back(static_cast<char>(Record::kLeaf));
  put_bytes(shared_.walked, body);
}

void Store::walk_leaves(std::size_t bytes) {
  // Empty slots cost a little too: a slice looks at so many at most.
  for (std::uint32_t looked = 0; looked < 4096 && walk_database_ < walk_databases_.size();) {
    Database& database = *walk_databases_[walk_database_];
    std::uint64_t next = 0;
    KeyTrie::Leaf* leaf = std::as_const(database).slot(walk_slot_).leaf_from(walk_hash_, next);
    if (leaf != nullptr && leaf->epoch < shared_.epoch) before_change(database, walk_slot_, *leaf);
    walk_hash_ = leaf == nullptr ? 0 : next;
    if (walk_hash_ == 0) {
      ++looked;
      if (++walk_slot_ == kSlotCount || database.keys == 0) {
        walk_slot_ = 0;
        walked_database();
      }
    }
    if (walked_ahead() >= bytes) return;
  }
}

bool Store::walk(std::string& to, std::size_t bytes) {
  if (walked_ahead() < bytes) {
    if (!walk_objects_.empty()) {
      if (walk_objects_.front()->walk(shared_.walked, bytes)) walked_object();
    } else {
      walk_leaves(bytes);
    }
  }
  const bool all = walk_objects_.empty() && walk_database_ == walk_databases_.size();
  if (all && !walk_ended_) {
    walk_ended_ = true;
    shared_.walked.push_back(static_cast<char>(Record::kEnd));
    put_bytes(shared_.walked, {});
    // Nothing is left to be copied from here on.
    shared_.walking = false;
  }
  const std::size_t size = std::min(walked_ahead(), kWalkPiece);
  to.append(shared_.walked, walked_taken_, size);
  walked_taken_ += size;
  // Each byte is moved once on average, however much was copied ahead.
  if (walked_taken_ * 2 >= shared_.walked.size()) {
    shared_.walked.erase(0, walked_taken_);
    walked_taken_ = 0;
  }
  if (!all || walked_ahead() > 0) return true;
  end_walk();
  return false;
}

}  // namespace redraft::store
