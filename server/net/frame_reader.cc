#include "server/net/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace redraft::net {
namespace {

std::uint32_t read_length(const char* bytes) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < FrameReader::kLengthBytes; ++i) {
    length |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return length;
}

}  // namespace

std::span<char> FrameReader::space(std::span<char> scratch) {
  if (missing_ == 0) return scratch;
  // The builder has the capacity; its size grows only by what arrives.
  const std::size_t have = frame_.size();
  char* rest = frame_.extend(missing_);
  frame_.truncate(have);
  return {rest, missing_};
}

bool FrameReader::received(std::span<const char> scratch, std::size_t size, std::vector<SharedBytes>& frames) {
  if (missing_ > 0) {
    ensure(size <= missing_, "no more arrives than there is space for");
    static_cast<void>(frame_.extend(size));
    missing_ -= size;
    if (missing_ == 0) frames.push_back(frame_.finish());
    return true;
  }
  std::string_view bytes(scratch.data(), size);
  while (!bytes.empty()) {
    const std::size_t of_length = std::min(kLengthBytes - length_size_, bytes.size());
    std::memcpy(length_.data() + length_size_, bytes.data(), of_length);
    length_size_ += of_length;
    bytes.remove_prefix(of_length);
    if (length_size_ < kLengthBytes) break;
    length_size_ = 0;
    const std::uint32_t length = read_length(length_.data());
    if (length == 0 || length > frame_max_) {
      bad_length_ = length;
      return false;
    }
    if (length <= bytes.size()) {
      frames.push_back(SharedBytes::copy_of(bytes.substr(0, length)));
      bytes.remove_prefix(length);
      continue;
    }
    frame_ = SharedBytesBuilder(length);
    frame_.append(bytes);
    missing_ = length - bytes.size();
    break;
  }
  return true;
}

}  // namespace redraft::net
