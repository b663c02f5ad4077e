#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace redraft::store {

// A place in the order in which an audit goes through the keys: by database, slot and seeded hash. No table's shape or
// history is in it, so a range between two of them is the same keys on every node.
struct AuditPlace {
  std::uint32_t db = 0;
  std::uint32_t slot = 0;
  std::uint64_t hash = 0;
  friend auto operator<=>(const AuditPlace&, const AuditPlace&) = default;
};

// A value that takes more than one range. Units are elements, of a string pages of about 4 KiB.
struct LargeValue {
  std::uint32_t db = 0;
  std::string name;
  std::uint64_t units = 0;
};

// What the next range should be, and the large values whose keys lie in it.
struct AuditPlan {
  AuditPlace end;
  std::vector<LargeValue> large;
};

}  // namespace redraft::store
