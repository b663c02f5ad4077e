#include "resp/number.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>

namespace redraft::resp {

namespace {

constexpr std::size_t kLongDoubleTextMax = std::size_t{5} * 1024;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// strtod and strtold want a terminating NUL; `read` gets a copy that has one and answers where it stopped.
template <class Value, class Read>
std::optional<Value> parse_float(std::string_view text, Read read) {
  if (text.empty() || is_space(text.front())) return std::nullopt;
  std::array<char, 64> small;
  std::string large;
  char* copy = small.data();
  if (text.size() >= small.size()) {
    large.assign(text);
    copy = large.data();
  } else {
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
  }
  errno = 0;
  char* end = nullptr;
  const Value value = read(copy, &end);
  if (end != copy + text.size() || std::isnan(value)) return std::nullopt;
  // Out of range; a text that means infinity and a subnormal result are no error.
  if (errno == ERANGE && (std::isinf(value) || std::fpclassify(value) == FP_ZERO)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_int64(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool negative = text.front() == '-';
  const std::string_view digits = negative ? text.substr(1) : text;
  if (digits.empty() || !is_digit(digits.front())) return std::nullopt;
  if (digits.front() == '0') return text == "0" ? std::optional<std::int64_t>(0) : std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_uint64(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  return parse_float<double>(text, [](const char* copy, char** end) { return std::strtod(copy, end); });
}

std::optional<long double> parse_long_double(std::string_view text) {
  if (text.size() >= kLongDoubleTextMax) return std::nullopt;
  return parse_float<long double>(text, [](const char* copy, char** end) { return std::strtold(copy, end); });
}

std::size_t format_int64(std::int64_t value, char* out) {
  return static_cast<std::size_t>(std::to_chars(out, out + kIntegerTextMax, value).ptr - out);
}

std::size_t format_uint64(std::uint64_t value, char* out) {
  return static_cast<std::size_t>(std::to_chars(out, out + kIntegerTextMax, value).ptr - out);
}

std::string to_text(std::int64_t value) {
  std::array<char, kIntegerTextMax> text;
  return {text.data(), format_int64(value, text.data())};
}

std::size_t int64_text_size(std::int64_t value) {
  std::array<char, kIntegerTextMax> text;
  return format_int64(value, text.data());
}

std::size_t format_double(double value, char* out) {
  const auto write = [out](std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    return text.size();
  };
  if (std::isnan(value)) return write("nan");
  if (std::isinf(value)) return write(value < 0 ? "-inf" : "inf");
  if (value == 0) return write(std::signbit(value) ? "-0" : "0");
  // As an integer where the conversion is exact beyond doubt.
  constexpr double kSafe = static_cast<double>(std::numeric_limits<std::int64_t>::max() / 2);
  if (value >= -kSafe && value <= kSafe) {
    const auto integer = static_cast<std::int64_t>(value);
    if (static_cast<double>(integer) == value) return format_int64(integer, out);
  }

  // The shortest digits d.ddd and exponent, then Redis 7.2's choice between plain and scientific notation.
  std::array<char, kDoubleTextMax> scientific;
  const auto scientific_end =
      std::to_chars(scientific.data(), scientific.data() + scientific.size(), value, std::chars_format::scientific).ptr;
  const char* in = scientific.data();
  char* at = out;
  if (*in == '-') *at++ = *in++;
  std::array<char, kDoubleTextMax> digits;
  std::size_t count = 0;
  for (; *in != 'e'; ++in) {
    if (*in != '.') digits[count++] = *in;
  }
  ++in;
  if (*in == '+') ++in;
  int exponent = 0;
  std::from_chars(in, scientific_end, exponent);
  const int scale = exponent - static_cast<int>(count) + 1;  // value = digits * 10^scale
  const int magnitude = exponent < 0 ? -exponent : exponent;

  if (scale >= 0 && magnitude < static_cast<int>(count) + 7) {
    std::memcpy(at, digits.data(), count);
    at += count;
    std::memset(at, '0', static_cast<std::size_t>(scale));
    at += scale;
  } else if (scale < 0 && (scale > -7 || magnitude < 4)) {
    if (exponent < 0) {
      const auto zeros = static_cast<std::size_t>(-exponent - 1);
      *at++ = '0';
      *at++ = '.';
      std::memset(at, '0', zeros);
      at += zeros;
      std::memcpy(at, digits.data(), count);
      at += count;
    } else {
      const auto whole = static_cast<std::size_t>(exponent + 1);
      std::memcpy(at, digits.data(), whole);
      at += whole;
      *at++ = '.';
      std::memcpy(at, digits.data() + whole, count - whole);
      at += count - whole;
    }
  } else {
    *at++ = digits[0];
    if (count > 1) {
      *at++ = '.';
      std::memcpy(at, digits.data() + 1, count - 1);
      at += count - 1;
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    at = std::to_chars(at, out + kDoubleTextMax, magnitude).ptr;
  }
  return static_cast<std::size_t>(at - out);
}

std::string format_human_long_double(long double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, kLongDoubleTextMax> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 17).ptr;
  std::string_view trimmed(text.data(), static_cast<std::size_t>(end - text.data()));
  while (trimmed.back() == '0') trimmed.remove_suffix(1);
  if (trimmed.back() == '.') trimmed.remove_suffix(1);
  if (trimmed == "-0") trimmed = "0";
  return std::string(trimmed);
}

}  // namespace redraft::resp
