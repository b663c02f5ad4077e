// Any bytes as a snapshot file and as what a peer sends: refused or read, and both ways agree.

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/little_endian.h"
#include "snapshot/codec.h"
#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_reader.h"
#include "snapshot/snapshot_receiver.h"
#include "tests/base/fault_file_system.h"

namespace redraft::snapshot {
namespace {

// Gives the fuzzer's bytes right checksums where they look like a header, chunks and a footer.
void seal(std::string& bytes) {
  if (bytes.size() < kHeaderSizeFixed + 4 + kFooterSize) return;
  std::memcpy(bytes.data(), "RDRFTSNP", 8);
  store_little(bytes.data() + 8, kFormatVersion);
  std::size_t at = kHeaderSizeFixed + 4;
  store_little(bytes.data() + 12, static_cast<std::uint32_t>(at));
  store_little(bytes.data() + 44, std::uint32_t{0});
  store_little(bytes.data() + 48, std::uint32_t{0});
  store_little(bytes.data() + at - 4, crc32c({bytes.data(), at - 4}));
  const std::size_t end = bytes.size() - kFooterSize;
  std::uint64_t number = 0;
  std::uint64_t raw_size = 0;
  while (end - at >= kChunkHeaderSize) {
    ChunkHeader header{.kind = load_little<std::uint32_t>(bytes.data() + at + 4),
                       .raw_size = load_little<std::uint32_t>(bytes.data() + at + 8) % 2000,
                       .stored_size = load_little<std::uint32_t>(bytes.data() + at + 12) % 600,
                       .number = number,
                       .stored_crc = 0};
    if (header.stored_size > end - at - kChunkHeaderSize) break;
    header.raw_size = std::max(header.raw_size, header.stored_size);
    header.stored_crc = crc32c({bytes.data() + at + kChunkHeaderSize, header.stored_size});
    encode(header, bytes.data() + at);
    at += kChunkHeaderSize + header.stored_size;
    raw_size += header.raw_size;
    ++number;
  }
  bytes.resize(at + kFooterSize);
  DigestState digest;
  digest.update({bytes.data(), at});
  encode(Footer{.chunk_count = number, .raw_size = raw_size, .file_size = bytes.size(), .digest = digest.digest()},
         bytes.data() + at);
}

}  // namespace
}  // namespace redraft::snapshot

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace redraft::snapshot;
  if (size < 2) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if ((data[0] & 1) != 0) seal(bytes);
  redraft::testing::FaultFileSystem files;
  static_cast<void>(files.make_directories("/s"));
  files.set_content("/s/f", bytes);
  auto reader = SnapshotReader::open(files, "/s/f");
  if (!reader) return 0;
  const bool verified = (*reader)->verify().ok();

  const FileKey key = (*reader)->key();
  auto receiver = SnapshotReceiver::open(files, "/s", key);
  redraft::ensure(receiver.ok(), "a file with header and footer can be announced");
  const std::size_t step = 1 + data[1] * std::size_t{3};
  bool received = true;
  for (std::size_t at = 0; at < bytes.size() && received; at += step) {
    received = (*receiver)->write(at, std::string_view(bytes).substr(at, step)).ok();
  }
  received = received && (*receiver)->complete() && (*receiver)->finish().ok();
  // The receiver does not decompress; all else it knows as well as the reader.
  redraft::ensure(received || !verified, "what the reader accepts can be transferred");
  auto selection = open_newest(files, "/s");
  redraft::ensure((selection.ok() && selection->reader != nullptr) == verified || !received,
                  "what arrived is served exactly if it verifies");
  return 0;
}
