#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/shared_bytes.h"

namespace redraft::net {

// Cuts a peer's byte stream into frames: four bytes of length (little endian, of what follows), then the frame.
//
// Bytes are read into `scratch`, which all links of a loop share, so an idle link owns no buffer. A frame that arrived
// whole is copied once into a buffer of exactly its size: entries slice it, and one that stays in the log for long must
// not keep a large receive buffer with it. Of a frame that did not arrive whole the length is known, and the rest is
// read straight into its own buffer.
class FrameReader {
 public:
  static constexpr std::size_t kLengthBytes = 4;

  // A longer frame, or an empty one, is an error: the stream cannot be trusted any more (pitfall F3).
  explicit FrameReader(std::size_t frame_max) : frame_max_(frame_max) {}

  // Where the next bytes go, at least one: the missing rest of a frame, or `scratch`.
  [[nodiscard]] std::span<char> space(std::span<char> scratch);
  // The first `size` bytes of what `space` gave last are there. Appends whole frames, without their lengths. False when
  // a length is out of bounds: drop the link, no byte behind it counts.
  [[nodiscard]] bool received(std::span<const char> scratch, std::size_t size, std::vector<SharedBytes>& frames);
  // The length that was out of bounds, for the log.
  [[nodiscard]] std::uint32_t bad_length() const { return bad_length_; }

 private:
  std::size_t frame_max_;
  std::array<char, kLengthBytes> length_{};  // of a frame of which less than that has arrived
  std::size_t length_size_ = 0;
  SharedBytesBuilder frame_;  // not whole yet, `missing_` > 0
  std::size_t missing_ = 0;
  std::uint32_t bad_length_ = 0;
};

}  // namespace redraft::net
