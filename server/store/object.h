#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/store/breather.h"
#include "server/store/part.h"
#include "server/store/trie_approach.h"

namespace redraft::store {

class Object;

enum class Type : std::uint8_t { kString = 0, kList = 1, kSet = 2, kHash = 3, kSortedSet = 4, kStream = 5 };
[[nodiscard]] std::string_view type_name(Type type);

// What all values of one store share: its memory count and the walk under way.
struct Shared {
  // Bytes of keys and values, approximately.
  std::int64_t memory = 0;
  std::uint64_t hash_seed = 0;

  // The walk. While it is active, parts of an earlier epoch have not been walked: `before_change` first.
  bool walking = false;
  Epoch epoch = 1;
  std::string walked;  // records not yet taken by the walk's owner
  // The numbers of objects in parts, by which their parts name them. Looked up, never iterated; an object carries none
  // of its own, since a million small ones would carry it for nothing.
  std::map<const Object*, std::uint64_t> object_numbers;
  std::uint64_t next_object_number = 1;

  // Served by long work on single strings; null for a store that nobody waits for.
  Breather* breather = nullptr;
  void breathe() {
    if (breather != nullptr) breather->breathe();
  }

  // Thresholds of the small encodings, replicated settings by redis.conf's names.
  std::uint32_t set_max_intset_entries = 512;
  std::uint32_t set_max_listpack_entries = 128;
  std::uint32_t set_max_listpack_value = 64;
  std::int32_t list_max_listpack_size = -2;
  std::uint32_t hash_max_listpack_entries = 512;
  std::uint32_t hash_max_listpack_value = 64;
  std::uint32_t zset_max_listpack_entries = 128;
  std::uint32_t zset_max_listpack_value = 64;
  std::uint64_t stream_node_max_bytes = 4096;
  std::uint64_t stream_node_max_entries = 100;
};

// A value that is more than a short string: the one interface of container types. An object is walked either whole,
// with the leaf of its key (`encode`), or part by part: then `begin_walk` writes its header and `walk` its parts, and
// each of its own changes copies the part first.
class Object {
 public:
  explicit Object(Shared& shared) : shared_(shared), walked_(shared.epoch) {}
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  [[nodiscard]] virtual Type type() const = 0;
  [[nodiscard]] virtual std::string_view encoding() const = 0;  // as OBJECT ENCODING names it
  [[nodiscard]] virtual std::size_t size() const = 0;           // elements; of a string, bytes
  [[nodiscard]] virtual std::size_t memory() const = 0;         // bytes, approximately

  // Small enough to travel whole with its key.
  [[nodiscard]] virtual bool small() const = 0;
  // All of it, for small objects and tests; `decode` makes it again, in the same order and encoding.
  virtual void encode(std::string& to) const = 0;
  [[nodiscard]] virtual Status decode(std::string_view from) = 0;

  // Part by part. `begin_walk` writes what `restore_header` needs; `walk` writes unwalked parts until about `bytes_max`
  // are written and says whether it is done.
  virtual void begin_walk(std::string& to) = 0;
  [[nodiscard]] virtual bool walk(std::string& to, std::size_t bytes_max) = 0;
  [[nodiscard]] virtual Status restore_header(std::string_view from) = 0;
  [[nodiscard]] virtual Status restore_part(std::string_view from) = 0;
  [[nodiscard]] virtual Status restore_end() = 0;  // all parts are there

  // Of the logical content alone: equal on nodes whatever the order of unordered members.
  [[nodiscard]] virtual std::uint64_t digest(Breather& breather) const = 0;
  // For audits, which take a large value in parts: how many units it has (elements, of a string pages), and the digest
  // of some of them, which exist, in the object's own order.
  [[nodiscard]] virtual std::uint64_t units() const { return size(); }
  [[nodiscard]] virtual std::uint64_t digest_part(std::uint64_t first, std::uint64_t count,
                                                  Breather& breather) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Object> copy(Breather& breather) const = 0;
  // The search for the element that a command with these arguments behind the key, the first and the last of them, asks
  // for first; see Store::prefetch. A guess: the wrong one costs a little time.
  [[nodiscard]] virtual TrieApproach approach(std::string_view /*first*/, std::string_view /*last*/) const {
    return {};
  }
  // Gives memory back and takes what that cost off `elements`, about; true when nothing is left.
  [[nodiscard]] virtual bool free_some(std::size_t& elements) = 0;

  // Its number while it is in parts.
  [[nodiscard]] std::uint64_t id() const {
    const auto [place, is_new] = shared_.object_numbers.try_emplace(this, shared_.next_object_number);
    if (is_new) ++shared_.next_object_number;
    return place->second;
  }
  // The epoch of the last walk that has it, whole or queued.
  [[nodiscard]] bool needs_walk() const { return shared_.walking && walked_ < shared_.epoch; }
  void set_walked() { walked_ = shared_.epoch; }

 protected:
  // True when a part of that epoch must be copied before it changes.
  [[nodiscard]] bool must_copy(Epoch part) const { return shared_.walking && in_parts && part < shared_.epoch; }

  // In this order, so that a derived class's first bytes fill up a word.
  Shared& shared_;

 private:
  Epoch walked_;

 public:
  // Parts of it may still have to be walked: set with `begin_walk`, ends with the last part.
  bool in_parts = false;
  // Deleted, overwritten or flushed while in parts: the walk owns it until it has the last part.
  bool abandoned = false;
};

// Records of the walk's stream; never renumbered.
enum class Record : std::uint8_t {
  kStore = 1,   // everything beside the keyspace
  kLeaf = 2,    // of the keyspace
  kObject = 3,  // header of an object whose parts follow
  kPart = 4,    // of such an object
  kEnd = 5,
};
void put_part(std::string& to, std::uint64_t object, std::string_view body);

[[nodiscard]] inline Error malformed(std::string_view what) {
  return {ErrorCode::kCorrupt, "a snapshot has a malformed " + std::string(what)};
}

}  // namespace redraft::store
