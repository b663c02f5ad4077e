#include "resp/parser.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resp/number.h"
#include "resp/writer.h"
#include "tests/base/allocations.h"

namespace redraft::resp {
namespace {

using Outcome = RequestParser::Outcome;
using Request = std::vector<std::string>;

RequestParser authenticated_parser(const RequestLimits& limits = {}) {
  RequestParser parser(limits);
  parser.set_authenticated(true);
  return parser;
}

struct Parsed {
  std::vector<Request> requests;
  std::optional<std::string> error;
  std::string rest;

  friend bool operator==(const Parsed&, const Parsed&) = default;
};

// Feeds `stream` in pieces of the given sizes (the last size repeats). The buffer is a fresh copy at each call, so
// views or pointers kept over a call would be found by the sanitizers.
Parsed parse_cut(std::string_view stream, const std::vector<std::size_t>& sizes, RequestParser parser) {
  Parsed parsed;
  std::size_t fed = 0;
  std::size_t turn = 0;
  while (true) {
    std::size_t offset = 0;
    while (true) {
      const std::vector<char> buffer(parsed.rest.begin() + static_cast<std::ptrdiff_t>(offset), parsed.rest.end());
      const Outcome outcome = parser.parse({buffer.data(), buffer.size()});
      EXPECT_LE(parser.consumed(), buffer.size());
      offset += parser.consumed();
      if (outcome == Outcome::kError) {
        parsed.error = parser.error();
        parsed.rest.clear();
        return parsed;
      }
      if (outcome == Outcome::kIncomplete) {
        EXPECT_GE(parser.needed(), 1u);
        break;
      }
      EXPECT_FALSE(parser.arguments().empty());
      parsed.requests.emplace_back(parser.arguments().begin(), parser.arguments().end());
    }
    parsed.rest.erase(0, offset);
    if (fed == stream.size()) return parsed;
    const std::size_t size = std::min(sizes[std::min(turn++, sizes.size() - 1)], stream.size() - fed);
    parsed.rest.append(stream.substr(fed, size));
    fed += size;
  }
}

Parsed parse_whole(std::string_view stream, RequestParser parser = authenticated_parser()) {
  return parse_cut(stream, {stream.size()}, std::move(parser));
}

std::string request_bytes(const Request& arguments) {
  std::string out = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& argument : arguments) {
    out += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
  }
  return out;
}

TEST(RequestParser, MultibulkAndInlineRequests) {
  struct Case {
    std::string_view stream;
    std::vector<Request> requests;
  };
  const Case cases[] = {
      {"*1\r\n$4\r\nPING\r\n", {{"PING"}}},
      {"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n", {{"SET", "k", ""}}},
      {"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n*1\r\n$4\r\nQUIT\r\n", {{"GET", "a\r\nb"}, {"QUIT"}}},
      {std::string_view("*2\r\n$3\r\nGET\r\n$3\r\na\0b\r\n", 22), {{"GET", std::string("a\0b", 3)}}},
      // Requests without arguments are passed over (unit/protocol of Redis: "Handle an empty query").
      {"*0\r\n*-1\r\n\r\n\n   \r\nPING\r\n", {{"PING"}}},
      {"*-10\r\nPING\r\n", {{"PING"}}},
      {"PING\n", {{"PING"}}},
      {"SET key  value\r\n", {{"SET", "key", "value"}}},
      {"\tGET\tkey \r\n", {{"GET", "key"}}},
      {"SET k \"a b\"\r\n", {{"SET", "k", "a b"}}},
      {"SET k 'a \\' \"b'\r\n", {{"SET", "k", "a ' \"b"}}},
      {"SET k \"\\x00\\xfF\\xg\\n\\r\\t\\b\\a\\\\\\\"\\q\"\r\n",
       {{"SET", "k", std::string("\0\xff", 2) + "xg\n\r\t\b\a\\\"q"}}},
      {"SET \"\" ''\r\n", {{"SET", "", ""}}},
      {"SET ab\"c d\" e'f'\r\n", {{"SET", "abc d", "ef"}}},
      {"a\vb\fc \v d\r\n", {{"a\vb\fc", "d"}}},
      {"a\rb\r\n", {{"a", "b"}}},
      // The two bytes behind a count, a length and a body are not looked at, as in Redis.
      {"*1\rX$4\rYPINGZZ", {{"PING"}}},
      {"*0000000000000000001\r\n", {}},
  };
  for (const Case& c : cases) {
    const Parsed parsed = parse_whole(c.stream);
    if (c.requests.empty()) {
      EXPECT_TRUE(parsed.error.has_value()) << c.stream;
      continue;
    }
    EXPECT_EQ(parsed.error, std::nullopt) << c.stream;
    EXPECT_EQ(parsed.requests, c.requests) << c.stream;
    EXPECT_EQ(parsed.rest, "") << c.stream;
  }
}

// Every protocol error of Redis 7.2, networking.c processInlineBuffer and processMultibulkBuffer.
TEST(RequestParser, ProtocolErrors) {
  struct Case {
    std::string stream;
    std::string error;  // behind "ERR Protocol error: "
  };
  const std::string digits_65537 = std::string(65537, '1');
  const Case cases[] = {
      {"*\r\n", "invalid multibulk length"},
      {"*x\r\n", "invalid multibulk length"},
      {"*+1\r\n", "invalid multibulk length"},
      {"* 1\r\n", "invalid multibulk length"},
      {"*01\r\n", "invalid multibulk length"},
      {"*-0\r\n", "invalid multibulk length"},
      {"*1x\r\n", "invalid multibulk length"},
      {"*1048577\r\n", "invalid multibulk length"},
      {"*3000000000\r\n", "invalid multibulk length"},
      {"*9223372036854775807\r\n", "invalid multibulk length"},
      {"*9223372036854775808\r\n", "invalid multibulk length"},
      {"*18446744073709551617\r\n", "invalid multibulk length"},
      {"*1" + digits_65537, "too big mbulk count string"},
      {"*1\r\nfoo\r\n", "expected '$', got 'f'"},
      {"*1\r\n:3\r\nfoo\r\n", "expected '$', got ':'"},
      {"*1\r\n\r\n", "expected '$', got ' '"},
      {"*1\r\n\n\r\n", "expected '$', got ' '"},
      {"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "expected '$', got 'f'"},
      {"*1\r\n$\r\n", "invalid bulk length"},
      {"*1\r\n$-1\r\n", "invalid bulk length"},
      {"*1\r\n$-10\r\n", "invalid bulk length"},
      {"*1\r\n$x\r\n", "invalid bulk length"},
      {"*1\r\n$+1\r\na\r\n", "invalid bulk length"},
      {"*1\r\n$01\r\na\r\n", "invalid bulk length"},
      {"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n", "invalid bulk length"},
      {"*1\r\n$536870913\r\n", "invalid bulk length"},
      {"*1\r\n$9223372036854775807\r\n", "invalid bulk length"},
      {"*1\r\n$9223372036854775808\r\n", "invalid bulk length"},
      {"*1\r\n$" + digits_65537, "too big bulk count string"},
      {std::string(65537, 'A'), "too big inline request"},
      {std::string(65537, 'A') + "\r\n", "too big inline request"},
      {"SET \"a\r\n", "unbalanced quotes in request"},
      {"SET 'a\r\n", "unbalanced quotes in request"},
      {"SET \"a\"b\r\n", "unbalanced quotes in request"},
      {"SET 'a'\"b\"\r\n", "unbalanced quotes in request"},
      {"set \"\"\"test-key\"\"\" test-value\r\n", "unbalanced quotes in request"},
      {"SET \"a\\\r\n", "unbalanced quotes in request"},
      {"SET \"a\\\"\r\n", "unbalanced quotes in request"},
  };
  for (const Case& c : cases) {
    const Parsed parsed = parse_whole(c.stream);
    EXPECT_EQ(parsed.error, "ERR Protocol error: " + c.error) << c.stream.substr(0, 80);
    EXPECT_TRUE(parsed.requests.empty());
  }
}

// "Protocol desync regression test" of Redis's unit/protocol: a NUL hides the end of the line, so such a client meets
// the limit instead of having its payload run as commands.
TEST(RequestParser, ANulHidesTheEndOfTheLine) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {std::string_view("\0", 1), "too big inline request"},
      {std::string_view("*\0", 2), "too big mbulk count string"},
      {std::string_view("*1\r\n$\0", 6), "too big bulk count string"},
  };
  for (const auto& [begin, error] : cases) {
    std::string stream(begin);
    for (int i = 0; i < 70; ++i) stream += "payload" + std::string(1024, 'A') + "\r\n";
    for (const std::size_t size : {stream.size(), std::size_t{1}, std::size_t{1000}}) {
      const Parsed parsed = parse_cut(stream, {size}, authenticated_parser());
      EXPECT_TRUE(parsed.requests.empty());
      EXPECT_EQ(parsed.error, "ERR Protocol error: " + std::string(error));
    }
  }
}

TEST(RequestParser, StrangersGetSmallerLimits) {
  struct Case {
    std::string stream;
    std::optional<std::string> error;
  };
  const Case cases[] = {
      {"*10\r\n", std::nullopt},
      {"*11\r\n", "ERR Protocol error: unauthenticated multibulk length"},
      {"*1048577\r\n", "ERR Protocol error: invalid multibulk length"},
      {"*1\r\n$16384\r\n", std::nullopt},
      {"*1\r\n$16385\r\n", "ERR Protocol error: unauthenticated bulk length"},
      {"*1\r\n$536870913\r\n", "ERR Protocol error: invalid bulk length"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(parse_whole(c.stream, RequestParser()).error, c.error) << c.stream;
  }
  // AUTH takes effect for what follows it in the same buffer, when the caller has carried it out between the calls.
  RequestParser parser;
  const std::string stream = "*1\r\n$4\r\nAUTH\r\n*11\r\n";
  ASSERT_EQ(parser.parse(stream), Outcome::kRequest);
  parser.set_authenticated(true);
  EXPECT_EQ(parser.parse(std::string_view(stream).substr(parser.consumed())), Outcome::kIncomplete);
}

TEST(RequestParser, LimitsAreParameters) {
  RequestLimits limits;
  limits.bulk_max = 3;
  limits.arguments_max = 2;
  limits.line_max = 8;
  const auto error_of = [&](std::string_view stream) {
    return parse_whole(stream, authenticated_parser(limits)).error;
  };
  EXPECT_EQ(error_of("*2\r\n$3\r\nabc\r\n"), std::nullopt);
  EXPECT_EQ(error_of("*3\r\n"), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(error_of("*1\r\n$4\r\n"), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(error_of("12345678\n"), std::nullopt);
  EXPECT_EQ(error_of("12345678\r\n"), "ERR Protocol error: too big inline request");
  RequestParser parser = authenticated_parser(limits);
  parser.set_bulk_max(4);
  EXPECT_EQ(parser.parse("*1\r\n$4\r\n"), Outcome::kIncomplete);
}

// Pitfalls B7 and F8: lengths close to what the integer types hold.
TEST(RequestParser, HugeLengthsDoNotWrapAround) {
  RequestLimits limits;
  limits.bulk_max = INT64_MAX;
  limits.arguments_max = INT64_MAX;
  RequestParser parser = authenticated_parser(limits);
  const std::uint64_t before = allocation_count();
  EXPECT_EQ(parser.parse("*9223372036854775807\r\n$9223372036854775807\r\nabc"), Outcome::kIncomplete);
  EXPECT_EQ(parser.needed(), std::size_t{9223372036854775807u} - 3 + 2);
  EXPECT_LE(allocation_count() - before, 2u);  // and nothing was reserved for the claim
}

TEST(RequestParser, TellsHowManyBytesAreMissing) {
  RequestParser parser = authenticated_parser();
  std::string buffer = "*2\r\n$3\r\nGET\r\n$536870912\r\n";
  EXPECT_EQ(parser.parse(buffer), Outcome::kIncomplete);
  EXPECT_EQ(parser.needed(), 536870914u);
  buffer += "abc";
  EXPECT_EQ(parser.parse(buffer), Outcome::kIncomplete);
  EXPECT_EQ(parser.needed(), 536870911u);
  EXPECT_EQ(parser.consumed(), 0u);

  RequestParser other = authenticated_parser();
  EXPECT_EQ(other.parse("\r\n*0\r\n*1\r\n$4\r\nPI"), Outcome::kIncomplete);
  EXPECT_EQ(other.consumed(), 6u);
  EXPECT_EQ(other.needed(), 4u);
  EXPECT_EQ(other.parse("*1\r\n$4\r\nPING\r\n"), Outcome::kRequest);
  EXPECT_EQ(other.consumed(), 14u);
}

// The body of a bulk is passed over, not read: bytes that do not exist yet are not touched, and a second look at the
// part that was there (here: replaced) makes no difference.
TEST(RequestParser, DoesNotLookAtParsedBytesAgain) {
  RequestParser parser = authenticated_parser();
  std::string buffer = "*2\r\n$3\r\nSET\r\n$10\r\n12345";
  EXPECT_EQ(parser.parse(buffer), Outcome::kIncomplete);
  std::string changed = "*" + std::string(buffer.size() - 1, '?');
  changed += "67890\r\n";
  ASSERT_EQ(parser.parse(changed), Outcome::kRequest);
  EXPECT_EQ(parser.arguments()[1], "?????67890");
}

// However a stream is cut up, the frames are the same, and so is the error that ends them.
TEST(RequestParser, FramesDoNotDependOnTheCuts) {
  std::mt19937 random(20260801);
  const auto below = [&random](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  const std::string_view alphabet = "*$\r\n \"'\\x0123456789-abc";
  const std::string_view snippets[] = {"*1\r\n",     "*2\r\n",  "$4\r\nPING\r\n", "$1\r\nk\r\n", "*0\r\n", "\r\n",
                                       "PING a\r\n", "\"a b\"", "*-1\r\n",        "$0\r\n\r\n",  "'",      "\\x41"};
  RequestLimits limits;
  limits.bulk_max = 40;
  limits.arguments_max = 20;
  limits.line_max = 30;
  for (int round = 0; round < 3000; ++round) {
    std::string stream;
    const std::uint32_t parts = 1 + below(12);
    for (std::uint32_t part = 0; part < parts; ++part) {
      switch (below(4)) {
        case 0: {
          Request request;
          for (std::uint32_t i = 0; i < 1 + below(4); ++i) request.emplace_back(below(20), static_cast<char>(random()));
          stream += request_bytes(request);
          break;
        }
        case 1:
          stream += snippets[below(std::size(snippets))];
          break;
        case 2:
          stream += "SET key " + std::string(below(15), 'v') + "\r\n";
          break;
        default:
          for (std::uint32_t i = 0; i < below(4); ++i)
            stream += alphabet[below(static_cast<std::uint32_t>(alphabet.size()))];
      }
    }
    const Parsed whole = parse_whole(stream, authenticated_parser(limits));
    EXPECT_EQ(parse_cut(stream, {1}, authenticated_parser(limits)), whole) << "round " << round;
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 20; ++i) sizes.push_back(1 + below(9));
    EXPECT_EQ(parse_cut(stream, sizes, authenticated_parser(limits)), whole) << "round " << round;
  }
}

TEST(RequestParser, ManyArguments) {
  Request request(100000, "x");
  const std::string stream = request_bytes(request) + request_bytes({"PING"});
  const Parsed parsed = parse_cut(stream, {65536}, authenticated_parser());
  ASSERT_EQ(parsed.requests.size(), 2u);
  EXPECT_EQ(parsed.requests[0], request);
  EXPECT_EQ(parsed.requests[1], Request{"PING"});
}

// Architecture, section 1: no allocation per command from socket to log.
TEST(RequestParser, AllocatesNothingInSteadyState) {
  RequestParser parser = authenticated_parser();
  const std::string set = request_bytes({"SET", "key:000012345678", std::string(100, 'v')});
  const std::string many = request_bytes(Request(1000, "member"));
  const std::string inline_request = "SET key \"quoted value\"\r\n";
  const std::string stream = many + set + inline_request + set;
  const auto parse_all = [&] {
    std::string_view rest = stream;
    int requests = 0;
    while (parser.parse(rest) == Outcome::kRequest) {
      rest.remove_prefix(parser.consumed());
      ++requests;
    }
    return requests;
  };
  ASSERT_EQ(parse_all(), 4);
  const std::uint64_t before = allocation_count();
  for (int i = 0; i < 100; ++i) parse_all();
  EXPECT_EQ(allocation_count() - before, 0u);
}

TEST(Writer, AllocatesOnlyToGrowTheBuffer) {
  std::string out;
  out.reserve(4096);
  Writer writer(out, Writer::Protocol::kResp3);
  const std::uint64_t before = allocation_count();
  writer.map(2);
  writer.bulk("key");
  writer.integer(INT64_MIN);
  writer.number(0.1);
  writer.verbatim("txt", "text");
  const Writer::Deferred deferred = writer.defer();
  writer.bulk_integer(7);
  writer.end_array(deferred, 1);
  writer.error("ERR something longer than any small string, so that it would be seen");
  EXPECT_EQ(allocation_count() - before, 0u);
}

}  // namespace
}  // namespace redraft::resp
