#include "server/commands/rdb/lzf.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace redraft::rdb {
namespace {

constexpr std::size_t kLiteralsMax = 32;
constexpr std::size_t kDistanceMax = 8192;
constexpr std::size_t kMatchMax = 264;
constexpr std::size_t kMatchMin = 3;

std::size_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

class Packer {
 public:
  Packer(std::string_view bytes, std::size_t size_max, std::string& to)
      : bytes_(bytes), begin_(to.size()), size_max_(size_max), to_(to) {}

  [[nodiscard]] bool run() {
    while (at_ + kMatchMin <= bytes_.size()) {
      const std::uint32_t three = static_cast<std::uint32_t>(byte_at(bytes_, at_) << 16 |
                                                             byte_at(bytes_, at_ + 1) << 8 | byte_at(bytes_, at_ + 2));
      std::uint32_t& seen = seen_[three * 0x9e3779b1u >> (32 - kHashBits)];
      const std::size_t candidate = seen;  // its position plus one, 0 for none
      seen = static_cast<std::uint32_t>(at_ + 1);
      if (candidate == 0 || !take_match(candidate - 1)) ++at_;
      if (too_long()) return false;
    }
    at_ = bytes_.size();
    put_literals();
    return !too_long();
  }

 private:
  static constexpr int kHashBits = 12;

  [[nodiscard]] bool too_long() const { return to_.size() - begin_ >= size_max_; }

  void put_literals() {
    while (literals_ < at_) {
      const std::size_t count = std::min(kLiteralsMax, at_ - literals_);
      to_.push_back(static_cast<char>(count - 1));
      to_.append(bytes_.substr(literals_, count));
      literals_ += count;
    }
  }

  bool take_match(std::size_t from) {
    const std::size_t distance = at_ - from - 1;
    if (distance >= kDistanceMax) return false;
    const std::size_t longest = std::min(kMatchMax, bytes_.size() - at_);
    std::size_t length = 0;
    while (length < longest && bytes_[from + length] == bytes_[at_ + length]) ++length;
    if (length < kMatchMin) return false;
    put_literals();
    const std::size_t shown = length - 2;
    to_.push_back(static_cast<char>(std::min<std::size_t>(shown, 7) << 5 | distance >> 8));
    if (shown >= 7) to_.push_back(static_cast<char>(shown - 7));
    to_.push_back(static_cast<char>(distance & 0xff));
    at_ += length;
    literals_ = at_;
    return true;
  }

  std::string_view bytes_;
  std::size_t begin_;
  std::size_t size_max_;
  std::string& to_;
  std::size_t at_ = 0;
  std::size_t literals_ = 0;  // from here to at_ nothing is written yet
  std::array<std::uint32_t, 1u << kHashBits> seen_{};
};

}  // namespace

bool lzf_expand(std::string_view packed, std::size_t size, std::string& to) {
  if (size > packed.size() * kMatchMax) return false;
  const std::size_t begin = to.size();
  to.reserve(begin + size);
  for (std::size_t at = 0; at < packed.size();) {
    const std::size_t control = byte_at(packed, at++);
    if (control < kLiteralsMax) {
      const std::size_t count = control + 1;
      if (count > packed.size() - at || count > size - (to.size() - begin)) return false;
      to.append(packed.substr(at, count));
      at += count;
      continue;
    }
    std::size_t length = control >> 5;
    if (length == 7) {
      if (at >= packed.size()) return false;
      length += byte_at(packed, at++);
    }
    length += 2;
    if (at >= packed.size()) return false;
    const std::size_t distance = ((control & 0x1f) << 8 | byte_at(packed, at++)) + 1;
    const std::size_t written = to.size() - begin;
    if (distance > written || length > size - written) return false;
    // A reference may reach into what it writes itself.
    for (std::size_t i = 0; i < length; ++i) to.push_back(to[to.size() - distance]);
  }
  return to.size() - begin == size;
}

bool lzf_pack(std::string_view bytes, std::size_t size_max, std::string& to) {
  const std::size_t begin = to.size();
  if (bytes.size() < std::size_t{1} << 31 && Packer(bytes, size_max, to).run()) return true;
  to.resize(begin);
  return false;
}

}  // namespace redraft::rdb
