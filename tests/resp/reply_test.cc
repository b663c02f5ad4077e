#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "resp/reply_reader.h"
#include "resp/writer.h"

namespace redraft::resp {
namespace {

std::string written(Writer::Protocol protocol, const std::function<void(Writer&)>& write) {
  std::string out;
  Writer writer(out, protocol);
  write(writer);
  return out;
}

// One row per kind of reply: what RESP2 and RESP3 connections get (redis.io/docs/reference/protocol-spec and the
// addReply functions of Redis 7.2).
// Around every length whose header, or whose way into the buffer, is another.
TEST(Writer, BulksOfEveryLength) {
  for (std::size_t size = 0; size < 2000; ++size) {
    const std::string bytes(size, 'x');
    const std::string whole = written(Writer::Protocol::kResp2, [&](Writer& w) { w.bulk(bytes); });
    ASSERT_EQ(whole, "$" + std::to_string(size) + "\r\n" + bytes + "\r\n");
  }
}

TEST(Writer, BytesOfEveryReplyInBothProtocols) {
  struct Case {
    std::function<void(Writer&)> write;
    std::string resp2;
    std::string resp3;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  const Case cases[] = {
      {[](Writer& w) { w.ok(); }, "+OK\r\n", "+OK\r\n"},
      {[](Writer& w) { w.simple("QUEUED"); }, "+QUEUED\r\n", "+QUEUED\r\n"},
      {[](Writer& w) { w.error("ERR syntax error"); }, "-ERR syntax error\r\n", "-ERR syntax error\r\n"},
      {[](Writer& w) { w.error("\r\nERR a\r\nb\nc\r\n"); }, "-ERR a  b c\r\n", "-ERR a  b c\r\n"},
      {[](Writer& w) { w.integer(0); }, ":0\r\n", ":0\r\n"},
      {[](Writer& w) { w.integer(-1); }, ":-1\r\n", ":-1\r\n"},
      {[](Writer& w) { w.integer(INT64_MIN); }, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
      {[](Writer& w) { w.integer(INT64_MAX); }, ":9223372036854775807\r\n", ":9223372036854775807\r\n"},
      {[](Writer& w) { w.bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
      {[](Writer& w) { w.bulk("a\r\nb"); }, "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
      {[](Writer& w) { w.bulk("0123456789"); }, "$10\r\n0123456789\r\n", "$10\r\n0123456789\r\n"},
      {[](Writer& w) { w.bulk_integer(-42); }, "$3\r\n-42\r\n", "$3\r\n-42\r\n"},
      {[](Writer& w) { w.null(); }, "$-1\r\n", "_\r\n"},
      {[](Writer& w) { w.null_array(); }, "*-1\r\n", "_\r\n"},
      {[](Writer& w) { w.boolean(true); }, ":1\r\n", "#t\r\n"},
      {[](Writer& w) { w.boolean(false); }, ":0\r\n", "#f\r\n"},
      {[](Writer& w) { w.number(3.0); }, "$1\r\n3\r\n", ",3\r\n"},
      {[](Writer& w) { w.number(0.1); }, "$3\r\n0.1\r\n", ",0.1\r\n"},
      {[=](Writer& w) { w.number(infinity); }, "$3\r\ninf\r\n", ",inf\r\n"},
      {[=](Writer& w) { w.number(-infinity); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
      {[](Writer& w) { w.number(std::nan("")); }, "$3\r\nnan\r\n", ",nan\r\n"},
      {[](Writer& w) { w.human_long_double(5.0e3L); }, "$4\r\n5000\r\n", ",5000\r\n"},
      {[](Writer& w) { w.big_number("-12345678901234567890"); }, "$21\r\n-12345678901234567890\r\n",
       "(-12345678901234567890\r\n"},
      {[](Writer& w) { w.verbatim("txt", "Some string"); }, "$11\r\nSome string\r\n", "=15\r\ntxt:Some string\r\n"},
      {[](Writer& w) { w.array(0); }, "*0\r\n", "*0\r\n"},
      {[](Writer& w) { w.array(1000); }, "*1000\r\n", "*1000\r\n"},
      {[](Writer& w) { w.set(2); }, "*2\r\n", "~2\r\n"},
      {[](Writer& w) { w.map(2); }, "*4\r\n", "%2\r\n"},
      {[](Writer& w) { w.push(3); }, "*3\r\n", ">3\r\n"},
      {[](Writer& w) { w.raw(":1\r\n"); }, ":1\r\n", ":1\r\n"},
  };
  int row = 0;
  for (const Case& c : cases) {
    EXPECT_EQ(written(Writer::Protocol::kResp2, c.write), c.resp2) << "row " << row;
    EXPECT_EQ(written(Writer::Protocol::kResp3, c.write), c.resp3) << "row " << row;
    ++row;
  }
  EXPECT_EQ(written(Writer::Protocol::kResp3, [](Writer& w) { w.attribute(1); }), "|1\r\n");
}

TEST(Writer, AggregatesWhoseCountIsKnownAtTheEnd) {
  const auto write = [](Writer& w) {
    w.bulk("before");
    const Writer::Deferred outer = w.defer();
    w.bulk("k");
    const Writer::Deferred inner = w.defer();
    for (int i = 0; i < 12; ++i) w.integer(i);
    w.end_set(inner, 12);
    w.end_map(outer, 1);
    const Writer::Deferred empty = w.defer();
    w.end_array(empty, 0);
    const Writer::Deferred push = w.defer();
    w.end_push(push, 0);
    w.integer(5);
  };
  const std::string numbers = ":0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n:11\r\n";
  EXPECT_EQ(written(Writer::Protocol::kResp2, write),
            "$6\r\nbefore\r\n*2\r\n$1\r\nk\r\n*12\r\n" + numbers + "*0\r\n*0\r\n:5\r\n");
  EXPECT_EQ(written(Writer::Protocol::kResp3, write),
            "$6\r\nbefore\r\n%1\r\n$1\r\nk\r\n~12\r\n" + numbers + "*0\r\n>0\r\n:5\r\n");
}

TEST(Writer, RollbackAndChangeOfProtocol) {
  EXPECT_EQ(written(Writer::Protocol::kResp2,
                    [](Writer& w) {
                      w.null();
                      const Writer::Deferred deferred = w.defer();
                      w.array(2);
                      w.integer(1);
                      w.rollback(deferred);
                      w.set_protocol(Writer::Protocol::kResp3);
                      w.null();
                    }),
            "$-1\r\n_\r\n");
}

TEST(ReplyReader, ReadsWhatTheWriterWrites) {
  const auto write = [](Writer& w) {
    w.attribute(1);
    w.simple("ttl");
    w.integer(3600);
    w.map(2);
    w.bulk("a\x01\"");
    w.set(2);
    w.boolean(true);
    w.null();
    w.number(-1.5);
    w.push(3);
    w.big_number("-123");
    w.verbatim("txt", "hi");
    w.error("ERR no");
  };
  const std::string bytes = written(Writer::Protocol::kResp3, write);
  const ReplyRead read = read_reply(bytes + "+next\r\n");
  ASSERT_EQ(read.outcome, ReplyRead::Outcome::kReply) << read.error;
  EXPECT_EQ(read.consumed, bytes.size());
  EXPECT_EQ(to_string(read.reply), R"(map 4
attributes
  simple "ttl"
  integer "3600"
  bulk "a\x01\""
  set 2
    boolean "t"
    null
  double "-1.5"
  push 3
    big-number "-123"
    verbatim "txt:hi"
    error "ERR no"
)");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(read_reply(std::string_view(bytes).substr(0, size)).outcome, ReplyRead::Outcome::kIncomplete) << size;
  }
}

TEST(ReplyReader, NullsOfBothProtocols) {
  EXPECT_EQ(read_reply("$-1\r\n").reply.type, Reply::Type::kNull);
  EXPECT_EQ(read_reply("_\r\n").reply.type, Reply::Type::kNull);
  EXPECT_EQ(read_reply("*-1\r\n").reply.type, Reply::Type::kNullArray);
}

TEST(ReplyReader, RefusesWhatIsNoReply) {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "*1\r\n";
  const std::string cases[] = {"x\r\n",           "+a\n",    ":1x\r\n",   ":\r\n",
                               "$-2\r\n",         "$x\r\n",  "$1\r\nabc", "$536870913\r\n",
                               "*-2\r\n",         "*1x\r\n", "#x\r\n",    ",x\r\n",
                               "(12a\r\n",        "(\r\n",   "_x\r\n",    "=3\r\ntxt\r\n",
                               "=4\r\ntxt|\r\n",  "%-1\r\n", "!-1\r\n",   "*4294967297\r\n",
                               "%2147483649\r\n", deep,      "+a\rb\r\n"};
  for (const std::string& bytes : cases) {
    EXPECT_EQ(read_reply(bytes).outcome, ReplyRead::Outcome::kError) << bytes;
  }
  // Pitfall F3: a length that is a lie reserves nothing.
  EXPECT_EQ(read_reply("*4294967296\r\n:1\r\n").outcome, ReplyRead::Outcome::kIncomplete);
}

}  // namespace
}  // namespace redraft::resp
