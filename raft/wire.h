#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "raft/message.h"

namespace redraft::raft {

// A frame's header is at most this long; its payload area at most kPayloadSizeMax. Decoders refuse more.
inline constexpr std::size_t kHeaderSizeMax = std::size_t{128} << 10;
inline constexpr std::size_t kEntriesPerMessageMax = 4096;

// A message as it leaves the process: a protobuf header (messages.proto), then the payloads back to back by gather
// write. How the two lengths are told is the link's matter.
struct WireFrame {
  std::string header;
  std::vector<SharedBytes> payloads;
  std::size_t payload_size = 0;  // of all payloads
};

// Reuses the capacity of `frame`, whose content is replaced.
void encode(const Envelope& envelope, WireFrame& frame);

// The entries' payloads become slices of `payload`, so the received buffer is kept and nothing is copied. kCorrupt:
// the header does not parse, a limit or length does not hold, a payload's CRC differs, a configuration is damaged; the
// link is to be dropped. kUnsupported: a kind of message or entry of a later version (pitfall I4).
[[nodiscard]] Result<Envelope> decode(std::string_view header, SharedBytes payload);

}  // namespace redraft::raft
