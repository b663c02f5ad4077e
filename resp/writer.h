#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::resp {

// Appends replies to a byte buffer that the caller owns and that outlives the writer. A command writes each reply once,
// in RESP3's terms; for a RESP2 connection the writer sends what Redis sends there (a map as a flat array, a double as
// a bulk string, ...). Aggregates are announced by their count and followed by that many replies (a map: twice as
// many). Not thread-safe; allocates only to grow the buffer.
class Writer {
 public:
  enum class Protocol : std::uint8_t { kResp2 = 2, kResp3 = 3 };

  Writer(std::string& out, Protocol protocol) : out_(&out), protocol_(protocol) {}

  [[nodiscard]] Protocol protocol() const { return protocol_; }
  [[nodiscard]] bool resp3() const { return protocol_ == Protocol::kResp3; }
  void set_protocol(Protocol protocol) { protocol_ = protocol; }
  [[nodiscard]] std::string& out() { return *out_; }

  void ok() { out_->append("+OK\r\n", 5); }
  void simple(std::string_view text);  // without CR or LF
  // `text` begins with its code: "ERR syntax error". Line ends in it become spaces, as Redis does, since the client may
  // have put them there.
  void error(std::string_view text);
  void integer(std::int64_t value);
  void bulk(std::string_view bytes);
  void bulk_integer(std::int64_t value);      // the decimal text of `value` as a bulk string
  void null();                                // RESP2: $-1
  void null_array();                          // RESP2: *-1; RESP3 has one null only
  void boolean(bool value);                   // RESP2: :1 or :0
  void number(double value);                  // RESP2: bulk string; format_double's text
  void human_long_double(long double value);  // format_human_long_double's text; RESP2: bulk string
  void big_number(std::string_view digits);   // RESP2: bulk string
  // `format` has three letters, "txt" or "mkd"; RESP2: bulk string of the text alone.
  void verbatim(std::string_view format, std::string_view text);

  void array(std::size_t count) { aggregate('*', count); }
  void set(std::size_t count) { aggregate(resp3() ? '~' : '*', count); }
  void map(std::size_t pairs) { resp3() ? aggregate('%', pairs) : aggregate('*', 2 * pairs); }
  void push(std::size_t count) { aggregate(resp3() ? '>' : '*', count); }
  // Only for RESP3: RESP2 has no place for attributes, so a command leaves them out there.
  void attribute(std::size_t pairs);

  // An aggregate whose count is known only after its elements are written. Nested ones end in reverse order of their
  // beginning. Ending moves the bytes written since; so use array(n) where n is known.
  class Deferred {
    friend class Writer;
    explicit Deferred(std::size_t offset) : offset_(offset) {}
    std::size_t offset_;
  };
  [[nodiscard]] Deferred defer() const { return Deferred(out_->size()); }
  void end_array(Deferred deferred, std::size_t count) { insert(deferred, '*', count); }
  void end_set(Deferred deferred, std::size_t count) { insert(deferred, resp3() ? '~' : '*', count); }
  void end_map(Deferred deferred, std::size_t pairs) {
    resp3() ? insert(deferred, '%', pairs) : insert(deferred, '*', 2 * pairs);
  }
  void end_push(Deferred deferred, std::size_t count) { insert(deferred, resp3() ? '>' : '*', count); }
  // Forgets everything written since `defer()`, e.g. to answer an error instead.
  void rollback(Deferred deferred) { out_->resize(deferred.offset_); }

  // Bytes that are a complete RESP reply already.
  void raw(std::string_view reply) { out_->append(reply); }

 private:
  void aggregate(char type, std::size_t count);
  void insert(Deferred deferred, char type, std::size_t count);

  std::string* out_;
  Protocol protocol_;
};

}  // namespace redraft::resp
