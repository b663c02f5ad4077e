#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redraft::resp {

// One reply of RESP2 or RESP3 as a tree. For tests, the differential runner and tools, not for the server's own way.
struct Reply {
  enum class Type {
    kSimple,
    kError,
    kInteger,
    kBulk,
    kNull,       // $-1 or _
    kNullArray,  // *-1
    kDouble,
    kBoolean,
    kBigNumber,
    kVerbatim,
    kBulkError,
    kArray,
    kMap,  // elements alternate key and value
    kSet,
    kPush,
  };
  Type type = Type::kNull;
  std::string text;          // the payload of everything that is neither aggregate nor null, as it was on the wire
  std::int64_t integer = 0;  // kInteger; kBoolean: 0 or 1
  std::vector<Reply> elements;
  std::vector<Reply> attributes;  // alternate key and value

  friend bool operator==(const Reply&, const Reply&) = default;
};

struct ReplyLimits {
  std::int64_t bulk_max = std::int64_t{512} * 1024 * 1024;
  std::int64_t elements_max = std::int64_t{1} << 32;
  std::size_t depth_max = 32;
};

struct ReplyRead {
  enum class Outcome { kIncomplete, kReply, kError };
  Outcome outcome = Outcome::kIncomplete;
  std::size_t consumed = 0;  // after kReply
  Reply reply;               // after kReply
  std::string error;         // after kError
};

// Reads the first reply of `bytes`; starts over at each call.
[[nodiscard]] ReplyRead read_reply(std::string_view bytes, const ReplyLimits& limits = {});

// The tree as indented text, one line per node, for failure messages and expectations.
[[nodiscard]] std::string to_string(const Reply& reply);

}  // namespace redraft::resp
