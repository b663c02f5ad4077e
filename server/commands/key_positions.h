#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace redraft::commands {

// FindKeys of commands whose keys do not stand at fixed positions. They append nothing when the arguments make no
// sense; the command itself then answers the error.

// The count of keys at argument 1 or 2, the keys right behind it: LMPOP, SINTERCARD; BLMPOP, EVAL.
void find_numkeys_at_1(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
void find_numkeys_at_2(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
// A destination, then the count of keys, then the keys: ZUNIONSTORE.
void find_destination_and_numkeys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
// The key, and behind the fixed arguments that of the last STORE or STOREDIST: GEORADIUS and GEORADIUSBYMEMBER.
void find_georadius_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
// The sorted key and the last STORE's. What BY and GET read is found only while sorting.
void find_sort_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
// One key, or where that is empty those behind KEYS: MIGRATE.
void find_migrate_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
// SORT_RO knows no STORE.
void find_sort_ro_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);

}  // namespace redraft::commands
