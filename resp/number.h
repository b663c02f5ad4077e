#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redraft::resp {

// Numbers in the text forms that Redis reads and writes. Locale-free as long as nobody calls setlocale (we never do),
// no libm, so the same on every node.

// Decimal only: no space, plus sign, leading zero or "-0"; the whole text; 64 bits. (Redis's strict integer reading.)
[[nodiscard]] std::optional<std::int64_t> parse_int64(std::string_view text);
// As above for [0, 2^64); also takes what strtoull takes beyond the signed range (a plus sign, leading zeros).
[[nodiscard]] std::optional<std::uint64_t> parse_uint64(std::string_view text);
// Decimal or hexadecimal floats, "inf", "infinity", optional sign; no space around; neither NaN nor out of range.
[[nodiscard]] std::optional<double> parse_double(std::string_view text);
// At most 5119 bytes long, as in Redis (INCRBYFLOAT, HINCRBYFLOAT); may be infinite, never NaN.
[[nodiscard]] std::optional<long double> parse_long_double(std::string_view text);

inline constexpr std::size_t kIntegerTextMax = 20;  // "-9223372036854775808"
// Writes the decimal text to `out`, which has room for kIntegerTextMax bytes; returns its length. No NUL.
std::size_t format_int64(std::int64_t value, char* out);
std::size_t format_uint64(std::uint64_t value, char* out);
[[nodiscard]] std::string to_text(std::int64_t value);
// How many bytes format_int64 writes.
[[nodiscard]] std::size_t int64_text_size(std::int64_t value);

inline constexpr std::size_t kDoubleTextMax = 32;
// Shortest text that reads back as the same double, laid out as Redis 7.2 lays it out: "inf", "-inf", "nan", "-0", "3",
// "0.1", "1e+22". `out` has room for kDoubleTextMax bytes.
std::size_t format_double(double value, char* out);

// Fixed notation with 17 decimals, trailing zeros removed, never "-0": what INCRBYFLOAT stores and answers.
[[nodiscard]] std::string format_human_long_double(long double value);

}  // namespace redraft::resp
