#include "server/commands/key_positions.h"

#include "resp/number.h"
#include "server/commands/letter_case.h"

namespace redraft::commands {

namespace {

void find_counted(std::span<const std::string_view> arguments, std::size_t count_at,
                  std::vector<std::uint32_t>& positions) {
  if (arguments.size() <= count_at) return;
  const auto count = resp::parse_int64(arguments[count_at]);
  const std::size_t first = count_at + 1;
  if (!count || *count < 1 || static_cast<std::uint64_t>(*count) > arguments.size() - first) return;
  for (std::size_t i = 0; i < static_cast<std::size_t>(*count); ++i) {
    positions.push_back(static_cast<std::uint32_t>(first + i));
  }
}

}  // namespace

void find_numkeys_at_1(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  find_counted(arguments, 1, positions);
}

void find_numkeys_at_2(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  find_counted(arguments, 2, positions);
}

void find_destination_and_numkeys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  const std::size_t before = positions.size();
  find_counted(arguments, 2, positions);
  if (positions.size() > before) positions.insert(positions.begin() + static_cast<std::ptrdiff_t>(before), 1);
}

void find_georadius_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  if (arguments.size() > 1) positions.push_back(1);
  std::size_t store = 0;
  for (std::size_t i = 5; i + 1 < arguments.size(); ++i) {
    if (!equals_ignoring_case(arguments[i], "store") && !equals_ignoring_case(arguments[i], "storedist")) continue;
    store = ++i;
  }
  if (store != 0) positions.push_back(static_cast<std::uint32_t>(store));
}

void find_sort_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  find_sort_ro_keys(arguments, positions);
  std::size_t store = 0;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    if (equals_ignoring_case(arguments[i], "limit")) {
      i += 2;
    } else if (equals_ignoring_case(arguments[i], "get") || equals_ignoring_case(arguments[i], "by")) {
      i += 1;
    } else if (equals_ignoring_case(arguments[i], "store") && i + 1 < arguments.size()) {
      store = i + 1;  // the last one counts, and the word behind it may be STORE again
    }
  }
  if (store != 0) positions.push_back(static_cast<std::uint32_t>(store));
}

void find_sort_ro_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  if (arguments.size() > 1) positions.push_back(1);
}

void find_migrate_keys(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions) {
  for (std::size_t i = 6; i < arguments.size(); ++i) {
    if (equals_ignoring_case(arguments[i], "auth")) {
      i += 1;
    } else if (equals_ignoring_case(arguments[i], "auth2")) {
      i += 2;
    } else if (equals_ignoring_case(arguments[i], "keys")) {
      if (!arguments[3].empty()) return;
      while (++i < arguments.size()) positions.push_back(static_cast<std::uint32_t>(i));
      return;
    }
  }
  if (arguments.size() > 3) positions.push_back(3);
}

}  // namespace redraft::commands
