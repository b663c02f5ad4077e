#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redraft::store {

// What WATCH compares with: log indexes of the last change, by a hash of database and name, and of whole databases.
// Replicated, in the snapshot. Its size is fixed, so a collision may say that a key has changed; none hides a change.
class WatchTable {
 public:
  explicit WatchTable(std::uint32_t databases) : places_(kPlaces), databases_(databases) {}

  // Keys whose hashes have the same one collide.
  [[nodiscard]] static std::size_t place_of(std::uint64_t hash) { return hash % kPlaces; }

  void touch(std::uint64_t hash, std::uint64_t index) { places_[place_of(hash)] = index; }
  void touch_database(std::uint32_t db, std::uint64_t index) { databases_[db] = index; }
  // As if every key had changed.
  void touch_all(std::uint64_t index);
  [[nodiscard]] bool changed_since(std::uint32_t db, std::uint64_t hash, std::uint64_t index) const {
    return databases_[db] > index || places_[place_of(hash)] > index;
  }

  // docs/store-format.md, the store record.
  void encode(std::string& to) const;
  // False when malformed or of another size; the table then is unusable.
  [[nodiscard]] bool decode(std::string_view& from);

 private:
  // While a thousand other keys change, one EXEC in 130 aborts by a collision.
  static constexpr std::size_t kPlaces = 131072;

  std::vector<std::uint64_t> places_;
  std::vector<std::uint64_t> databases_;
};

}  // namespace redraft::store
