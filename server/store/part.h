#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::store {

// The unit of a snapshot's walk (architecture, section 5): a leaf of a table, a chunk of a list, a page of a string. It
// remembers the epoch of its last change or visit. While a walk is under way, a part of an earlier epoch has not been
// walked: whoever changes it lets the walk copy it first.
using Epoch = std::uint32_t;

// Takes what a walk must see before it changes. One per store; does nothing while no walk is under way.
class Walk;

// Little-endian numbers and length-prefixed bytes: the records of a snapshot, docs/store-format.md.
void put_number(std::string& to, std::uint64_t value);  // variable length, 1 to 10 bytes
void put_bytes(std::string& to, std::string_view bytes);
// False when malformed; `from` then is unusable.
[[nodiscard]] bool take_number(std::string_view& from, std::uint64_t& value);
[[nodiscard]] bool take_bytes(std::string_view& from, std::string_view& bytes);

}  // namespace redraft::store
