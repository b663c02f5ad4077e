#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::rdb {

// The newest format whose values are read, and the one that DUMP writes unless a value needs the newer
// (redis/redis:src/rdb.h). Redis 7.0 reads 10, 7.2 reads 11.
inline constexpr std::uint16_t kVersionMax = 11;
inline constexpr std::uint16_t kVersionWritten = 10;

// What the byte in front of a value says; never renumbered.
enum class ValueType : std::uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kSortedSetText = 3,  // scores as text
  kHash = 4,
  kSortedSet = 5,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kSortedSetZiplist = 12,
  kHashZiplist = 13,
  kListQuicklist = 14,  // of ziplists
  kStreamListpacks = 15,
  kHashListpack = 16,
  kSortedSetListpack = 17,
  kListQuicklist2 = 18,  // of listpacks and single elements
  kStreamListpacks2 = 19,
  kSetListpack = 20,
  kStreamListpacks3 = 21,
};

// Takes RDB's primitives from bytes that may be anything. The first thing that does not fit makes it fail for good:
// everything taken afterwards is empty, so a caller need only look at `ok` before it believes a whole value, and never
// reserves memory by a number that was read.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  void fail() {
    ok_ = false;
    rest_ = {};
  }
  // Fails unless `fact`; answers whether all was well so far.
  bool expect(bool fact) {
    if (!fact) fail();
    return ok_;
  }

  [[nodiscard]] std::uint8_t byte();
  [[nodiscard]] std::string_view bytes(std::uint64_t count);
  // Little-endian and whole, whatever the width.
  template <class Integer>
  [[nodiscard]] Integer little() {
    const std::string_view taken = bytes(sizeof(Integer));
    Integer value = 0;
    for (std::size_t i = taken.size(); i > 0; --i) {
      value = static_cast<Integer>(value << 8 | static_cast<unsigned char>(taken[i - 1]));
    }
    return value;
  }
  // A length that is not the mark of an encoded string.
  [[nodiscard]] std::uint64_t length();
  // How many items of at least `item_size` bytes follow: more than could be there fails.
  [[nodiscard]] std::uint64_t count(std::size_t item_size = 1);
  // The bytes of a string; in `scratch` where they were an integer or packed.
  [[nodiscard]] std::string_view string(std::string& scratch);
  // Past a string, however it is encoded.
  void skip_string();
  [[nodiscard]] double binary_double();
  [[nodiscard]] double text_double();

 private:
  [[nodiscard]] std::uint64_t length_or_encoding(bool& encoded);
  [[nodiscard]] std::string_view integer_text(std::int64_t value, std::string& scratch);

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace redraft::rdb
