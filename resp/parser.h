#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redraft::resp {

// What a client may send, in bytes and counts. Checked as soon as a length is known, before anything is reserved for
// it.
struct RequestLimits {
  std::int64_t bulk_max = std::int64_t{512} * 1024 * 1024;  // proto-max-bulk-len
  std::int64_t arguments_max = 1024 * 1024;
  // A longer inline request, or a longer line with a length in it, is refused.
  std::size_t line_max = std::size_t{64} * 1024;
  // While the client has to authenticate first; as in Redis since 6.2.6, so that strangers cannot reserve memory.
  std::int64_t unauthenticated_bulk_max = 16384;
  std::int64_t unauthenticated_arguments_max = 10;
};

// Finds the requests in a client's byte stream: multibulk ("*2\r\n$3\r\nGET\r\n...") and inline ("GET key\r\n", quoted
// as redis-cli quotes). One per connection; not thread-safe.
//
// The caller owns one contiguous buffer of unparsed input and calls `parse` with all of it; after every call it drops
// the first `consumed()` bytes. Between calls the buffer may grow at the end and move in memory, but its bytes stay as
// they are: the parser continues where it stopped and never reads the body of a bulk. So the frames do not depend on
// how the stream was cut up. Errors are final: answer `error()`, then close the connection.
//
//     while (parser.parse(input) == RequestParser::Outcome::kRequest) {
//       handle(parser.arguments());
//       input.remove_prefix(parser.consumed());
//     }
//     input.remove_prefix(parser.consumed());  // empty requests ("\r\n", "*0\r\n") before an incomplete one
//     reserve(parser.needed());
class RequestParser {
 public:
  enum class Outcome { kIncomplete, kRequest, kError };

  explicit RequestParser(const RequestLimits& limits = {}) : limits_(limits) {}

  [[nodiscard]] Outcome parse(std::string_view buffer);

  // After kRequest: at least one argument. Views into the buffer given to `parse` (or, for inline requests with quotes,
  // into the parser); valid until either changes.
  [[nodiscard]] std::span<const std::string_view> arguments() const { return arguments_; }
  // Bytes at the front of the buffer that are done with, for every outcome.
  [[nodiscard]] std::size_t consumed() const { return consumed_; }
  // After kIncomplete: at least this many bytes beyond the given buffer are missing, never less than 1; within the
  // limits, so it may be reserved (bulk_max + 2 at most).
  [[nodiscard]] std::size_t needed() const { return needed_; }
  // After kError: for Writer::error, e.g. "ERR Protocol error: invalid bulk length".
  [[nodiscard]] const std::string& error() const { return error_; }

  // Both take effect from the next length that is read. False by default: a server without password says true at once.
  void set_authenticated(bool authenticated) { authenticated_ = authenticated; }
  void set_bulk_max(std::int64_t bulk_max) { limits_.bulk_max = bulk_max; }

 private:
  struct Piece {
    std::size_t offset;  // from the start of the request, as the buffer may move
    std::size_t size;
  };
  // kEmpty: the request has no arguments and gets no reply; look for the next.
  enum class Step { kIncomplete, kRequest, kError, kEmpty };
  enum class Line { kComplete, kIncomplete, kTooLong };

  void begin_request();
  Step parse_inline(std::string_view request);
  Step parse_multibulk(std::string_view request);
  Step parse_count(std::string_view request);
  Step parse_bulk_size(std::string_view request);
  Line find_line_end(std::string_view request, char end, std::size_t& end_offset);
  bool split_inline(std::string_view line);
  Step refuse(std::string_view reason);

  RequestLimits limits_;
  bool authenticated_ = false;

  // State inside one request; all offsets count from its first byte.
  bool started_ = false;             // the arguments count is known (multibulk)
  std::size_t position_ = 0;         // everything before it is parsed
  std::size_t scanned_ = 0;          // no line end in [position_, scanned_)
  std::int64_t arguments_left_ = 0;  // bulks still to come
  std::int64_t bulk_size_ = -1;      // of the bulk whose header is parsed and whose body is not complete; else -1
  std::vector<Piece> pieces_;

  std::vector<std::string_view> arguments_;
  std::string unquoted_;  // arguments of an inline request, back to back, when it has quotes
  std::size_t consumed_ = 0;
  std::size_t needed_ = 1;
  std::string error_;
};

}  // namespace redraft::resp
