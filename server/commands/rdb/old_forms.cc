#include "server/commands/rdb/old_forms.h"

#include "base/little_endian.h"
#include "resp/number.h"
#include "server/commands/rdb/signed_little.h"

namespace redraft::rdb {
namespace {

constexpr std::size_t kZiplistHeader = 10;
constexpr char kEnd = '\xff';
constexpr unsigned kLongLength = 254;

// A length of one byte, or of four behind the byte 254. 0 for `size` when it is not all there.
std::size_t short_or_long(std::string_view from, std::size_t& size) {
  size = 0;
  if (from.empty()) return 0;
  const unsigned first = static_cast<unsigned char>(from.front());
  if (first < kLongLength) {
    size = 1;
    return first;
  }
  if (first != kLongLength || from.size() < 5) return 0;
  size = 5;
  return load_little<std::uint32_t>(from.data() + 1);
}

}  // namespace

ZiplistReader::ZiplistReader(std::string_view blob) {
  if (blob.size() < kZiplistHeader + 1 || load_little<std::uint32_t>(blob.data()) != blob.size() ||
      blob.back() != kEnd) {
    fail();
    return;
  }
  rest_ = blob.substr(kZiplistHeader, blob.size() - kZiplistHeader - 1);
}

bool ZiplistReader::fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

// The size of what stands behind the previous element's length; 0 when malformed.
std::size_t ZiplistReader::read_element(std::string_view from, std::string_view& element, std::string& scratch) const {
  if (from.empty()) return 0;
  const auto first = static_cast<unsigned char>(from.front());
  const auto text = [&](std::size_t header, std::size_t size) -> std::size_t {
    if (from.size() < header || size > from.size() - header) return 0;
    element = from.substr(header, size);
    return header + size;
  };
  const auto integer = [&](std::size_t width) -> std::size_t {
    if (from.size() < 1 + width) return 0;
    scratch = resp::to_text(signed_little(from.substr(1, width)));
    element = scratch;
    return 1 + width;
  };
  const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(from[at])); };
  switch (first >> 6) {
    case 0:
      return text(1, first & 0x3f);
    case 1:
      return from.size() < 2 ? 0 : text(2, (first & 0x3fu) << 8 | byte(1));
    case 2:
      return from.size() < 5 ? 0 : text(5, byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4));
    default:
      break;
  }
  switch (first) {
    case 0xc0:
      return integer(2);
    case 0xd0:
      return integer(4);
    case 0xe0:
      return integer(8);
    case 0xf0:
      return integer(3);
    case 0xfe:
      return integer(1);
    default:
      break;
  }
  if (first < 0xf1 || first > 0xfd) return 0;
  scratch = resp::to_text((first & 0x0f) - 1);
  element = scratch;
  return 1;
}

bool ZiplistReader::next(std::string_view& element, std::string& scratch) {
  if (rest_.empty()) return false;
  std::size_t header = 0;
  const std::size_t previous = short_or_long(rest_, header);
  if (header == 0 || previous != previous_size_) return fail();
  const std::size_t size = read_element(rest_.substr(header), element, scratch);
  if (size == 0) return fail();
  previous_size_ = header + size;
  rest_.remove_prefix(previous_size_);
  return true;
}

ZipmapReader::ZipmapReader(std::string_view blob) {
  if (blob.size() < 2 || blob.back() != kEnd) {
    fail();
    return;
  }
  rest_ = blob.substr(1, blob.size() - 2);
}

bool ZipmapReader::fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

bool ZipmapReader::next(std::string_view& element, std::string&) {
  if (rest_.empty()) return is_value_ ? fail() : false;
  std::size_t header = 0;
  const std::size_t size = short_or_long(rest_, header);
  if (header == 0) return fail();
  std::size_t unused = 0;
  if (is_value_) {
    if (rest_.size() == header) return fail();
    unused = static_cast<unsigned char>(rest_[header++]);
  }
  if (size > rest_.size() - header || unused > rest_.size() - header - size) return fail();
  element = rest_.substr(header, size);
  rest_.remove_prefix(header + size + unused);
  is_value_ = !is_value_;
  return true;
}

IntsetReader::IntsetReader(std::string_view blob) {
  ok_ = false;
  if (blob.size() < 8) return;
  width_ = load_little<std::uint32_t>(blob.data());
  const std::uint64_t count = load_little<std::uint32_t>(blob.data() + 4);
  ok_ = (width_ == 2 || width_ == 4 || width_ == 8) && blob.size() - 8 == count * width_;
  if (ok_) rest_ = blob.substr(8);
}

// In ascending order, as Redis searches it.
bool IntsetReader::next(std::string_view& element, std::string& scratch) {
  if (rest_.empty()) return false;
  const std::int64_t value = signed_little(rest_.substr(0, width_));
  if (any_ && value <= last_) {
    ok_ = false;
    return false;
  }
  any_ = true;
  last_ = value;
  rest_.remove_prefix(width_);
  scratch = resp::to_text(value);
  element = scratch;
  return true;
}

}  // namespace redraft::rdb
