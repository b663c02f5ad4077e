#include "server/commands/rdb/listpack.h"

#include <optional>

#include "base/little_endian.h"
#include "resp/number.h"
#include "server/commands/rdb/signed_little.h"

namespace redraft::rdb {
namespace {

constexpr std::size_t kHeaderSize = 6;
constexpr char kEnd = '\xff';
constexpr std::uint16_t kCountUnknown = 0xffff;

// How many bytes the length behind an element takes. Redis takes the next larger form one early.
std::size_t length_width(std::uint64_t size) {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  return size < 268435455 ? 4 : 5;
}

// Seven bits a byte, the highest in front; all but the frontmost byte are marked, for it is read from the end.
void append_length_behind(std::string& to, std::uint64_t size) {
  for (std::size_t i = length_width(size); i > 0; --i) {
    const auto seven = static_cast<unsigned>(size >> (7 * (i - 1)) & 127);
    const bool frontmost = i == length_width(size);
    to.push_back(static_cast<char>(frontmost ? seven : seven | 128));
  }
}

}  // namespace

ListpackReader::ListpackReader(std::string_view blob) {
  if (blob.size() < kHeaderSize + 1 || load_little<std::uint32_t>(blob.data()) != blob.size() || blob.back() != kEnd) {
    ok_ = false;
    return;
  }
  const auto count = load_little<std::uint16_t>(blob.data() + 4);
  counted_ = count != kCountUnknown;
  left_ = count;
  rest_ = blob.substr(kHeaderSize, blob.size() - kHeaderSize - 1);
  if (counted_ && (left_ == 0) != rest_.empty()) fail();
}

// The size of the element without the length behind it; 0 when malformed.
std::size_t ListpackReader::read_element(Element& element) {
  const auto first = static_cast<unsigned char>(rest_.front());
  const auto second = [this] { return static_cast<unsigned char>(rest_.size() > 1 ? rest_[1] : 0); };
  const auto text = [&](std::size_t header, std::size_t size) -> std::size_t {
    if (rest_.size() < header || size > rest_.size() - header) return 0;
    element.bytes = rest_.substr(header, size);
    return header + size;
  };
  const auto integer = [&](std::size_t width) -> std::size_t {
    if (rest_.size() < 1 + width) return 0;
    element.is_integer = true;
    element.integer = signed_little(rest_.substr(1, width));
    return 1 + width;
  };
  element = Element();
  if (first < 0x80) {
    element.is_integer = true;
    element.integer = first;
    return 1;
  }
  if (first < 0xc0) return text(1, first & 0x3f);
  if (first < 0xe0) {
    if (rest_.size() < 2) return 0;
    const unsigned raw = (first & 0x1fu) << 8 | second();
    element.is_integer = true;
    element.integer = raw < 4096 ? static_cast<std::int64_t>(raw) : static_cast<std::int64_t>(raw) - 8192;
    return 2;
  }
  if (first < 0xf0) return text(2, (first & 0x0fu) << 8 | second());
  switch (first) {
    case 0xf0:
      return rest_.size() < 5 ? 0 : text(5, load_little<std::uint32_t>(rest_.data() + 1));
    case 0xf1:
      return integer(2);
    case 0xf2:
      return integer(3);
    case 0xf3:
      return integer(4);
    case 0xf4:
      return integer(8);
    default:
      return 0;
  }
}

bool ListpackReader::take(Element& element) {
  if (rest_.empty()) return ok_ && counted_ && left_ != 0 ? fail() : false;
  if (counted_ && left_ == 0) return fail();
  const std::size_t size = read_element(element);
  if (size == 0) return fail();
  std::string behind;
  append_length_behind(behind, size);
  if (rest_.substr(size, behind.size()) != behind) return fail();
  rest_.remove_prefix(size + behind.size());
  if (counted_) --left_;
  return true;
}

bool ListpackReader::next(std::string_view& element, std::string& scratch) {
  Element taken;
  if (!take(taken)) return false;
  if (taken.is_integer) {
    scratch = resp::to_text(taken.integer);
    element = scratch;
  } else {
    element = taken.bytes;
  }
  return true;
}

bool ListpackReader::next_integer(std::int64_t& value) {
  Element taken;
  if (!take(taken)) return fail();
  if (!taken.is_integer) {
    // Redis reads numbers of streams from texts too.
    const std::optional<std::int64_t> number = resp::parse_int64(taken.bytes);
    if (!number) return fail();
    taken.integer = *number;
  }
  value = taken.integer;
  return true;
}

void ListpackWriter::add(std::string_view element) {
  if (element.size() <= resp::kIntegerTextMax) {
    if (const std::optional<std::int64_t> integer = resp::parse_int64(element)) return add_integer(*integer);
  }
  const std::size_t begin = blob_.size();
  if (element.size() < 64) {
    blob_.push_back(static_cast<char>(0x80 | element.size()));
  } else if (element.size() < 4096) {
    blob_.push_back(static_cast<char>(0xe0 | element.size() >> 8));
    blob_.push_back(static_cast<char>(element.size() & 0xff));
  } else {
    blob_.push_back('\xf0');
    blob_.resize(blob_.size() + 4);
    store_little(blob_.data() + blob_.size() - 4, static_cast<std::uint32_t>(element.size()));
  }
  blob_ += element;
  end_element(begin);
}

void ListpackWriter::add_integer(std::int64_t value) {
  const std::size_t begin = blob_.size();
  const auto fits = [value](int bits) {
    const std::int64_t limit = std::int64_t{1} << (bits - 1);
    return value >= -limit && value < limit;
  };
  const auto append = [this, value](char first, std::size_t width) {
    char bytes[8];
    store_little(bytes, value);
    blob_.push_back(first);
    blob_.append(bytes, width);
  };
  if (value >= 0 && value < 128) {
    blob_.push_back(static_cast<char>(value));
  } else if (fits(13)) {
    const auto raw = static_cast<unsigned>(value & 0x1fff);
    blob_.push_back(static_cast<char>(0xc0 | raw >> 8));
    blob_.push_back(static_cast<char>(raw & 0xff));
  } else if (fits(16)) {
    append('\xf1', 2);
  } else if (fits(24)) {
    append('\xf2', 3);
  } else if (fits(32)) {
    append('\xf3', 4);
  } else {
    append('\xf4', 8);
  }
  end_element(begin);
}

void ListpackWriter::end_element(std::size_t begin) {
  append_length_behind(blob_, blob_.size() - begin);
  ++count_;
}

std::string ListpackWriter::finish() {
  blob_.push_back(kEnd);
  store_little(blob_.data(), static_cast<std::uint32_t>(blob_.size()));
  store_little(blob_.data() + 4, count_ < kCountUnknown ? static_cast<std::uint16_t>(count_) : kCountUnknown);
  std::string whole = std::move(blob_);
  blob_ = std::string(kHeaderSize, '\0');
  count_ = 0;
  return whole;
}

}  // namespace redraft::rdb
