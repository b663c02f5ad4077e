#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::rdb {

// Redis's listpack (antirez/listpack:listpack.md): six bytes of header, elements that carry their own length behind
// them for walking backwards, an end byte. Also how lists, small hashes, sorted sets and streams are dumped.

// Goes through one that may be anything. Each element is checked against what is left and against its own length
// behind it, the whole against its header.
class ListpackReader {
 public:
  explicit ListpackReader(std::string_view blob);

  // The next element, in `scratch` if it is an integer. False at the end, and at what does not fit: then not `ok`.
  [[nodiscard]] bool next(std::string_view& element, std::string& scratch);
  // Needs an integer there.
  [[nodiscard]] bool next_integer(std::int64_t& value);
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  struct Element {
    bool is_integer = false;
    std::int64_t integer = 0;
    std::string_view bytes;
  };
  [[nodiscard]] bool take(Element& element);
  [[nodiscard]] std::size_t read_element(Element& element);
  bool fail() {
    ok_ = false;
    rest_ = {};
    return false;
  }

  std::string_view rest_;  // elements only
  bool ok_ = true;
  bool counted_ = true;  // the header knows how many there are
  std::uint64_t left_ = 0;
};

// Makes one; a text that is an integer's exact text becomes one, as in Redis.
class ListpackWriter {
 public:
  ListpackWriter() : blob_(6, '\0') {}
  void add(std::string_view element);
  void add_integer(std::int64_t value);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::size_t size() const { return blob_.size() + 1; }
  // The whole; the writer starts anew.
  [[nodiscard]] std::string finish();

 private:
  void end_element(std::size_t begin);

  std::string blob_;
  std::uint64_t count_ = 0;
};

}  // namespace redraft::rdb
