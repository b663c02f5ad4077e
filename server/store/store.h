#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/store/access_clock.h"
#include "server/store/audit_range.h"
#include "server/store/breather.h"
#include "server/store/database.h"
#include "server/store/hash.h"
#include "server/store/key.h"
#include "server/store/list.h"
#include "server/store/long_string.h"
#include "server/store/scripts.h"
#include "server/store/set.h"
#include "server/store/slot.h"
#include "server/store/sorted_set.h"
#include "server/store/waiters.h"
#include "server/store/watch_table.h"

namespace redraft::store {

struct Options {
  std::uint32_t databases = 16;
  std::uint64_t hash_seed = 0;  // per cluster: replicated, in the snapshot, the same on every node
};

// Is told at once what happens to keys, on this node only. It must not touch the store.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void key_changed(std::uint32_t db, std::string_view name) = 0;
  virtual void database_changed(std::uint32_t db) = 0;
  virtual void key_missed(std::uint32_t db, std::string_view name) = 0;  // by a read
};

struct DatabaseCounts {
  std::uint64_t keys = 0;  // physical, as DBSIZE
  std::uint64_t expires = 0;
};

// The replicated state of one group: databases, logical clock, waiters, what WATCH looks at, cluster-wide settings. A
// function of the entries that were applied and of nothing else (architecture, section 6). Not thread-safe; a store
// that is being restored may belong to another thread until it is handed over.
//
// A key whose deadline is at or before the clock does not exist for any function here but the counts; its memory is
// freed later by `expire_due`, which changes nothing that can be seen. Pointers to keys and values hold until the next
// change.
class Store {
 public:
  explicit Store(Options options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Long work on single strings breathes there from now on; it outlives the store.
  void set_breather(Breather& breather) { shared_.breather = &breather; }

  // ---- Time
  // Every entry, before its commands: its index and clock, which never go back.
  void begin_entry(std::uint64_t index, std::uint64_t clock_ms);
  // The seed of the hashes, from the first entry that has one, so that it is random for each cluster and the same on
  // all its nodes. Later ones, and those of a store that has keys, change nothing.
  void seed_hashes(std::uint64_t seed);
  [[nodiscard]] std::uint64_t clock_ms() const { return clock_ms_; }
  [[nodiscard]] std::uint64_t index() const { return index_; }
  // Around a read: lookups use the later of the clocks. `end_read` tells whether a deadline was met that lies between
  // the last applied clock and that of the read, so that the answer needs an entry with that clock first.
  void begin_read(std::uint64_t clock_ms);
  [[nodiscard]] bool end_read();
  [[nodiscard]] bool has_passed(std::uint64_t deadline_ms) const;  // 0 never has
  // How many lookups of reads found a key, and how many did not: node-local, for INFO.
  [[nodiscard]] std::uint64_t read_hits() const { return read_hits_; }
  [[nodiscard]] std::uint64_t read_misses() const { return read_misses_; }

  // ---- Keys
  [[nodiscard]] std::uint32_t database_count() const { return static_cast<std::uint32_t>(databases_.size()); }
  [[nodiscard]] const Key* find(std::uint32_t db, std::string_view name) const;
  // Brings what lookups of these names will read into the processor's caches, for all of them at once; then, where the
  // name is a collection's, what the lookup of its element will. At most kPrefetchMax of them; has no other effect.
  struct KeyName {
    std::uint32_t db = 0;
    std::string_view name;
    // The first and the last argument behind the key, where a command has some: one of them names an element.
    std::string_view first = {};
    std::string_view last = {};
  };
  static constexpr std::size_t kPrefetchMax = 32;
  void prefetch(std::span<const KeyName> names) const;
  // Before any change of a container in place: its leaf is walked first if a snapshot is being taken.
  [[nodiscard]] Key* find_for_change(std::uint32_t db, std::string_view name);
  [[nodiscard]] bool exists(std::uint32_t db, std::string_view name) const { return find(db, name) != nullptr; }

  // Strings. All replace whatever the key held; `deadline_ms` 0 is none. An integer's exact text is kept as the
  // integer.
  void set_string(std::uint32_t db, std::string_view name, std::string_view bytes, std::uint64_t deadline_ms);
  void set_integer(std::uint32_t db, std::string_view name, std::int64_t value, std::uint64_t deadline_ms);
  // Never kept as an integer or "embstr": what Redis has changed in place.
  void set_raw_string(std::uint32_t db, std::string_view name, std::string_view bytes, std::uint64_t deadline_ms);
  // Changes a string in place and keeps the deadline; a missing key is made. Returns the new length.
  std::size_t append(std::uint32_t db, std::string_view name, std::string_view bytes);
  std::size_t write_range(std::uint32_t db, std::string_view name, std::size_t offset, std::string_view bytes);

  // Containers: for a name that does not exist.
  List& create_list(std::uint32_t db, std::string_view name);
  Set& create_set(std::uint32_t db, std::string_view name);
  Hash& create_hash(std::uint32_t db, std::string_view name);
  SortedSet& create_sorted_set(std::uint32_t db, std::string_view name);

  // A value that no key has yet, to be filled before anybody sees it.
  template <class T>
  [[nodiscard]] std::unique_ptr<T> make_object() {
    return std::make_unique<T>(shared_);
  }
  // In the place of whatever the name held.
  void put_object(std::uint32_t db, std::string_view name, std::unique_ptr<Object> object, std::uint64_t deadline_ms);

  // Detaches in O(1). False when it did not exist.
  bool remove(std::uint32_t db, std::string_view name);
  // 0 removes it. The key must exist.
  void set_deadline(std::uint32_t db, std::string_view name, std::uint64_t deadline_ms);
  // The value with its deadline takes the place of whatever `to` held. The source must exist and not be the target.
  void rename(std::uint32_t from_db, std::string_view from, std::uint32_t to_db, std::string_view to);
  void copy(std::uint32_t from_db, std::string_view from, std::uint32_t to_db, std::string_view to, Breather& breather);
  void flush(std::uint32_t db);
  void flush_all();
  void swap(std::uint32_t a, std::uint32_t b);

  // ---- Many keys
  [[nodiscard]] DatabaseCounts counts(std::uint32_t db) const;
  // SCAN: whole leaves until about `count` keys are visited, in bounded work. The order is that of slots and seeded
  // hashes, so a cursor means the same on every node and after a restore. Returns the next cursor, below 2^53; 0 at the
  // end.
  std::uint64_t scan(std::uint32_t db, std::uint64_t cursor, std::size_t count,
                     const std::function<void(const Key&)>& visit) const;
  void for_each_key(std::uint32_t db, Breather& breather, const std::function<void(const Key&)>& visit) const;
  // nullptr when it finds no live key in bounded work.
  [[nodiscard]] const Key* random_key(std::uint32_t db, std::uint64_t random) const;
  [[nodiscard]] std::uint64_t count_keys_in_slot(std::uint32_t db, std::uint32_t slot) const;
  [[nodiscard]] std::vector<std::string> keys_in_slot(std::uint32_t db, std::uint32_t slot, std::uint64_t count) const;

  // ---- Access data, node-local: for OBJECT IDLETIME and FREQ, and for whoever chooses what to evict.
  [[nodiscard]] AccessClock& access_clock() { return access_clock_; }
  [[nodiscard]] const AccessClock& access_clock() const { return access_clock_; }
  // Up to `count` live keys of a database from a random place on; of those with a deadline only, if so wished.
  void sample(std::uint32_t db, std::uint64_t random, std::size_t count, bool with_deadline,
              const std::function<void(const Key&)>& visit) const;

  // ---- WATCH
  void touch(std::uint32_t db, std::string_view name);
  void touch_database(std::uint32_t db);
  [[nodiscard]] bool changed_since(std::uint32_t db, std::string_view name, std::uint64_t index) const;
  // Keys with the same one collide.
  [[nodiscard]] std::size_t watch_place(std::uint32_t db, std::string_view name) const;

  // nullptr: nobody, and it costs one branch.
  void observe_changes(Observer* observer) { changes_ = observer; }
  void observe_misses(Observer* observer) { misses_ = observer; }
  // As the changes, for those who wait on this node alone (XREAD BLOCK).
  void observe_for_readers(Observer* observer) { readers_ = observer; }

  [[nodiscard]] Waiters& waiters() { return waiters_; }
  [[nodiscard]] const Waiters& waiters() const { return waiters_; }
  [[nodiscard]] Scripts& scripts() { return scripts_; }
  [[nodiscard]] const Scripts& scripts() const { return scripts_; }

  // ---- Cluster-wide settings, by redis.conf's names
  [[nodiscard]] std::optional<std::string> setting(std::string_view name) const;
  [[nodiscard]] std::uint64_t setting_number(std::string_view name, std::uint64_t otherwise) const;
  void set_setting(std::string_view name, std::string_view value);

  // ---- ACL users: a number that is never used again and the rules, by name. What they mean is commands/acl.h's.
  struct User {
    std::uint32_t id = 0;
    std::string rules;
  };
  using Users = std::map<std::string, User, std::less<>>;
  [[nodiscard]] const Users& users() const { return users_; }
  // Keeps the number of a user that exists; "default" is 0. Returns it.
  std::uint32_t set_user(std::string_view name, std::string_view rules);
  bool remove_user(std::string_view name);

  // ---- Memory and expiry
  [[nodiscard]] std::uint64_t used_memory() const { return static_cast<std::uint64_t>(shared_.memory); }
  // Frees up to so many keys whose deadline the applied clock has passed; returns how many. Invisible but for
  // `on_expired`.
  std::size_t expire_due(std::size_t count);
  // Called for each expired key when it goes, by `expire_due` or because a change met it first: so once on each node,
  // at times that differ. It must not touch the store.
  void on_expired(std::function<void(std::uint32_t db, std::string_view name)> call) { on_expired_ = std::move(call); }
  // The earliest deadline of all, 0 if there is none.
  [[nodiscard]] std::uint64_t next_deadline() const;
  // Detached values are freed in slices of about so many elements. What a walk still needs is kept for it.
  void free_some(std::size_t elements);
  [[nodiscard]] std::uint64_t garbage() const { return garbage_objects_.size() + garbage_databases_.size(); }

  // ---- Snapshot without fork (architecture, section 5). Between `begin_walk` and the end every part that changes is
  // copied first, so the stream of bytes is the state as it was at `begin_walk`; `Restorer` reads it.
  void begin_walk();
  // Appends the next piece of at most kWalkPiece bytes; false when that was the last. Goes on by about `bytes` of what
  // nobody has changed yet, with the default about a millisecond of work; 0: only what is copied ahead is taken.
  [[nodiscard]] bool walk(std::string& to, std::size_t bytes = kWalkSlice);
  void end_walk();
  [[nodiscard]] bool walking() const { return shared_.walking; }
  // Copied for the walk and not yet taken by it, in bytes.
  [[nodiscard]] std::size_t walked_ahead() const { return shared_.walked.size() - walked_taken_; }
  static constexpr std::size_t kWalkPiece = std::size_t{512} << 10;
  static constexpr std::size_t kWalkSlice = std::size_t{256} << 10;

  // ---- Digest of everything replicated, equal on all nodes at the same index: 40 hex digits.
  [[nodiscard]] std::string digest(Breather& breather) const;
  [[nodiscard]] std::string digest_of(std::uint32_t db, std::string_view name) const;

  // ---- Audit: the same a range at a time, in bounded work (architecture, section 6). The ranges of keys from
  // AuditPlace{} to `audit_end`, the parts of the large values in them and the rest are everything.
  static constexpr std::uint64_t kAuditUnitsMax = 1000;  // more in one value, and it has ranges of its own
  [[nodiscard]] AuditPlace audit_end() const { return {database_count(), 0, 0}; }
  // About `units` of work from `from` on. What it answers depends on this node's tables; what it names does not.
  [[nodiscard]] AuditPlan plan_audit(AuditPlace from, std::uint64_t units) const;
  // Of the keys in [from, end). Of a large value only its size counts.
  [[nodiscard]] std::string digest_of_range(AuditPlace from, AuditPlace end, Breather& breather) const;
  // Of the units [first, first + count) of one value, as far as they exist, in the value's own order.
  [[nodiscard]] std::string digest_of_part(std::uint32_t db, std::string_view name, std::uint64_t first,
                                           std::uint64_t count, Breather& breather) const;
  // Of everything but the keys, and of `more`.
  [[nodiscard]] std::string digest_of_rest(std::string_view more) const;

 private:
  friend class Restorer;
  // Where a key lies or would lie.
  struct Place {
    Database* database;
    std::uint32_t slot;
    std::uint64_t hash;
    KeyTrie::Place at;
    explicit operator bool() const { return static_cast<bool>(at); }
    [[nodiscard]] Key* key() const { return at.item(); }
  };
  [[nodiscard]] Place place(std::uint32_t db, std::string_view name) const;
  [[nodiscard]] bool expired(const Key& key) const;
  void before_change(Database& database, std::uint32_t slot, KeyTrie::Leaf& leaf);
  void insert(const Place& place, Key* key);
  void replace(Place& place, Key* key, bool keep_object);
  void erase(const Place& place, bool keep_object);
  void mark_expiring(std::uint64_t clock_ms);
  [[nodiscard]] std::uint64_t watch_hash(std::uint32_t db, std::string_view name) const;
  void put(std::uint32_t db, std::string_view name, const KeyBlock::Value& value, std::uint64_t deadline_ms);
  void discard(Object* object);
  void tell_expired(const Database& database, const Key& key) const;
  void for_each_key(const Database& database, std::uint32_t first_slot, std::uint32_t end_slot, Breather& breather,
                    const std::function<void(const Key&)>& visit) const;
  LongString& lengthen(std::uint32_t db, std::string_view name, std::string_view present, std::uint64_t deadline_ms);
  void free_database(Database& database, std::size_t& elements);
  [[nodiscard]] std::string describe_rest() const;
  void write_store_record();
  void write_leaf(const Database& database, std::uint32_t slot, KeyTrie::Leaf& leaf);
  void walk_leaves(std::size_t bytes);
  void walked_object();
  void walked_database();
  void adopt_settings();

  Shared shared_;
  std::vector<std::unique_ptr<Database>> databases_;
  std::uint64_t clock_ms_ = 0;
  std::uint64_t index_ = 0;
  std::uint64_t read_clock_ms_ = 0;  // 0: no read under way
  mutable bool needs_clock_ = false;
  mutable AccessClock access_clock_;
  mutable std::uint64_t read_hits_ = 0;
  mutable std::uint64_t read_misses_ = 0;
  WatchTable watch_table_;
  Waiters waiters_;
  Scripts scripts_;
  std::function<void(std::uint32_t, std::string_view)> on_expired_;
  std::map<std::string, std::string, std::less<>> settings_;
  Users users_;
  std::uint32_t next_user_ = 1;
  Observer* changes_ = nullptr;
  Observer* misses_ = nullptr;
  Observer* readers_ = nullptr;

  std::deque<std::unique_ptr<Object>> garbage_objects_;
  std::deque<std::unique_ptr<Database>> garbage_databases_;

  // The walk: the databases as they were numbered when it began, where in them it is, and objects met and not yet
  // walked.
  std::vector<Database*> walk_databases_;
  std::size_t walk_database_ = 0;
  std::uint32_t walk_slot_ = 0;
  std::uint64_t walk_hash_ = 0;
  std::deque<Object*> walk_objects_;
  std::vector<std::unique_ptr<Database>> walk_flushed_;  // flushed, with leaves not yet walked
  std::size_t walked_taken_ = 0;                         // of shared_.walked
  bool walk_ended_ = false;
};

// Rebuilds a store from the pieces of a walk, in their order. Errors are kCorrupt.
class Restorer {
 public:
  Restorer();
  ~Restorer();
  [[nodiscard]] Status add(std::string_view piece);
  // After the last piece.
  [[nodiscard]] Result<std::unique_ptr<Store>> finish();

 private:
  [[nodiscard]] Status record(Record record, std::string_view body);
  [[nodiscard]] Status store_record(std::string_view body);
  [[nodiscard]] Status users_of(std::string_view& body);
  [[nodiscard]] Status leaf_record(std::string_view body);
  [[nodiscard]] Status object_record(std::string_view body);
  [[nodiscard]] Result<Key*> read_key(std::string_view& body);

  std::string pending_;
  std::unique_ptr<Store> store_;
  std::map<std::uint64_t, Object*> objects_;  // restored in parts, by the id they had; owned by their keys
  std::map<std::uint64_t, std::unique_ptr<Object>> unclaimed_;  // whose key has not come yet
  bool ended_ = false;
};

}  // namespace redraft::store
