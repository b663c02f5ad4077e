// Peer frames of any bytes: the first two are the header's length, then header and payload area. Whatever is accepted
// is encoded to something that is accepted again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "raft/handshake.h"
#include "raft/stored.h"
#include "raft/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace redraft;
  using namespace redraft::raft;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(decode_handshake(bytes));
  static_cast<void>(decode_configuration(bytes));
  static_cast<void>(decode_snapshot_metadata(bytes));
  static_cast<void>(decode_hard_state(bytes));
  static_cast<void>(decode_entry_header(bytes));
  if (size < 2) return 0;
  const std::size_t header_size = std::min<std::size_t>(static_cast<std::size_t>(data[0]) << 8U | data[1], size - 2);
  const auto envelope = decode(bytes.substr(2, header_size), SharedBytes::copy_of(bytes.substr(2 + header_size)));
  if (!envelope.ok()) return 0;
  WireFrame frame;
  encode(*envelope, frame);
  std::string payload;
  for (const SharedBytes& part : frame.payloads) payload += part.view();
  ensure(decode(frame.header, SharedBytes::copy_of(payload)).ok(), "what was decoded can be encoded and decoded");
  return 0;
}
