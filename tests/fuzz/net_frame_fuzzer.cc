#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "server/net/frame_reader.h"

// The first byte of each input says how the stream is cut. However it is, the same frames come out, and what is taken
// off plus what waits is never more than what came in.
namespace {

struct Outcome {
  std::vector<std::string> frames;
  bool sound = true;
};

Outcome read(std::string_view stream, std::size_t cut) {
  Outcome outcome;
  redraft::net::FrameReader reader(4096);
  std::vector<char> scratch(512);
  std::vector<redraft::SharedBytes> frames;
  while (!stream.empty() && outcome.sound) {
    const std::span<char> space = reader.space(scratch);
    redraft::ensure(!space.empty(), "there is always space for the next byte");
    const std::size_t size = std::min({space.size(), stream.size(), cut});
    std::ranges::copy(stream.substr(0, size), space.begin());
    outcome.sound = reader.received(scratch, size, frames);
    stream.remove_prefix(size);
  }
  for (const redraft::SharedBytes& frame : frames) outcome.frames.emplace_back(frame.view());
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome one = read(stream, 1 + data[0]);
  const Outcome other = read(stream, 512);
  redraft::ensure(one.frames == other.frames && one.sound == other.sound, "frames do not depend on the cut");
  return 0;
}
