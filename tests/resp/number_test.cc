#include "resp/number.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace redraft::resp {
namespace {

std::string double_text(double value) {
  std::array<char, kDoubleTextMax> text;
  return {text.data(), format_double(value, text.data())};
}

// Cases of Redis's own tests of string2ll (util.c) and around the borders.
TEST(Number, IntegersAreReadStrictly) {
  struct Case {
    std::string_view text;
    std::optional<std::int64_t> value;
  };
  const Case cases[] = {
      {"", std::nullopt},
      {"-", std::nullopt},
      {"+1", std::nullopt},
      {" 1", std::nullopt},
      {"1 ", std::nullopt},
      {"01", std::nullopt},
      {"-01", std::nullopt},
      {"00", std::nullopt},
      {"-0", std::nullopt},
      {"1.0", std::nullopt},
      {"0x1", std::nullopt},
      {std::string_view("1\0", 2), std::nullopt},
      {"0", 0},
      {"-1", -1},
      {"99", 99},
      {"-99", -99},
      {"9223372036854775807", INT64_MAX},
      {"9223372036854775808", std::nullopt},
      {"-9223372036854775808", INT64_MIN},
      {"-9223372036854775809", std::nullopt},
      {"18446744073709551616", std::nullopt},
      {"1000000000000000000000000000000", std::nullopt},
  };
  for (const Case& c : cases) EXPECT_EQ(parse_int64(c.text), c.value) << c.text;
  EXPECT_EQ(parse_uint64("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_uint64("18446744073709551616"), std::nullopt);
  EXPECT_EQ(parse_uint64("-1"), std::nullopt);
  EXPECT_EQ(parse_uint64(""), std::nullopt);
  EXPECT_EQ(parse_uint64("007"), 7u);
  EXPECT_EQ(parse_uint64("5x"), std::nullopt);
}

TEST(Number, IntegersAreWritten) {
  EXPECT_EQ(to_text(0), "0");
  EXPECT_EQ(to_text(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(int64_text_size(INT64_MIN), 20u);
  EXPECT_EQ(int64_text_size(9), 1u);
  std::array<char, kIntegerTextMax> text;
  EXPECT_EQ(std::string_view(text.data(), format_uint64(UINT64_MAX, text.data())), "18446744073709551615");
}

TEST(Number, DoublesAreRead) {
  EXPECT_EQ(parse_double("3.5"), 3.5);
  EXPECT_EQ(parse_double("+3.5e2"), 350);
  EXPECT_EQ(parse_double("0x10"), 16);
  EXPECT_EQ(parse_double("inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_double("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(parse_double("5e-324"), 5e-324);  // subnormal, but there
  EXPECT_EQ(parse_double("0." + std::string(200, '0') + "1"), 1e-201);
  const std::string_view bad[] = {"", "nan", "-nan", " 1", "1 ", "1x", "1e999", "-1e999", "1e-999", "."};
  for (const std::string_view text : bad) EXPECT_EQ(parse_double(text), std::nullopt) << text;
  EXPECT_EQ(parse_double(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Number, LongDoublesAreRead) {
  EXPECT_EQ(parse_long_double("10.5"), 10.5L);
  EXPECT_EQ(parse_long_double("5.0e3"), 5000.0L);
  EXPECT_TRUE(std::isinf(parse_long_double("inf").value_or(0)));
  const std::string_view bad[] = {"", "nan", " 1", "1 ", "1x", "1e99999"};
  for (const std::string_view text : bad) EXPECT_EQ(parse_long_double(text), std::nullopt) << text;
  EXPECT_TRUE(parse_long_double("0." + std::string(5100, '1')).has_value());
  EXPECT_EQ(parse_long_double(std::string(5120, '1')), std::nullopt);
}

// The layout of d2string in Redis 7.2 (util.c with fpconv_dtoa).
TEST(Number, DoublesAreWrittenAsRedis72Does) {
  const std::pair<double, std::string_view> cases[] = {
      {0.0, "0"},
      {-0.0, "-0"},
      {1.0, "1"},
      {-17.0, "-17"},
      {0.1, "0.1"},
      {-0.1, "-0.1"},
      {3.14159, "3.14159"},
      {1.0 / 3, "0.3333333333333333"},
      {100.5, "100.5"},
      {1e17, "100000000000000000"},
      {4611686018427387904.0, "4611686018427387904"},
      {1e19, "1e+19"},
      {1e22, "1e+22"},
      {1.5e22, "1.5e+22"},
      {9223372036854775808.0, "9223372036854776000"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {5e-324, "5e-324"},
      {0.0001, "0.0001"},
      {0.000001, "0.000001"},
      {1e-7, "1e-7"},
      {1.25e-7, "1.25e-7"},
      {-1.25e-9, "-1.25e-9"},
      {0.0012345, "0.0012345"},
      {0.00012345, "1.2345e-4"},
      {0.30000000000000004, "0.30000000000000004"},
      {12345.678901234567, "1.2345678901234567e+4"},
      {1234.5678901234567, "1234.5678901234567"},
      {123456789.123456789, "1.2345678912345679e+8"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(double_text(value), text);
  EXPECT_EQ(double_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(double_text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(double_text(-std::nan("")), "nan");
}

TEST(Number, DoublesSurviveTheWayToTextAndBack) {
  std::mt19937_64 random(20260801);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = double_text(value);
    ASSERT_LE(text.size(), kDoubleTextMax);
    ASSERT_EQ(parse_double(text), value) << text;
    const double fraction = static_cast<double>(static_cast<std::int64_t>(random())) / 1e12;
    ASSERT_EQ(parse_double(double_text(fraction)), fraction);
  }
}

// What INCRBYFLOAT answers: redis.io/commands/incrbyfloat, "fixed to a maximum of 17 digits after the decimal point".
TEST(Number, LongDoublesAreWrittenForHumans) {
  const std::pair<long double, std::string_view> cases[] = {
      {0.0L, "0"},
      {-0.0L, "0"},
      {10.50L, "10.5"},
      {3.0L, "3"},
      {5.0e3L, "5000"},
      {200.0L, "200"},
      {-1.1L, "-1.1"},
      {0.00000000000000001L, "0.00000000000000001"},
      {1e-18L, "0"},
      {-1e-18L, "0"},
      {17179869184.0L, "17179869184"},
      {1e20L, "100000000000000000000"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(format_human_long_double(value), text);
  EXPECT_EQ(format_human_long_double(std::numeric_limits<long double>::max()).size(), 4933u);
  EXPECT_EQ(format_human_long_double(-std::numeric_limits<long double>::infinity()), "-inf");
}

}  // namespace
}  // namespace redraft::resp
