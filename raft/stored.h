#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/configuration.h"
#include "raft/message.h"
#include "raft/types.h"

namespace redraft::raft {

// Bytes of what outlives the process, for the log, the metadata file and snapshot headers. Decoders return kCorrupt for
// what they did not write and kUnsupported for a later version; whoever stores the bytes adds the checksum.
[[nodiscard]] std::string encode_hard_state(const HardState& hard_state);
[[nodiscard]] Result<HardState> decode_hard_state(std::string_view bytes);

// Also the payload of a kConfiguration entry.
[[nodiscard]] std::string encode_configuration(const Configuration& configuration);
[[nodiscard]] Result<Configuration> decode_configuration(std::string_view bytes);

[[nodiscard]] std::string encode_snapshot_metadata(const SnapshotMetadata& snapshot);
[[nodiscard]] Result<SnapshotMetadata> decode_snapshot_metadata(std::string_view bytes);

// An entry's header as a log record carries it in front of the payload: index, term, type, payload CRC, and the commit
// index known when it was written. Fixed size, little-endian, no protobuf: this is on the path of every write.
inline constexpr std::size_t kEntryHeaderSize = 32;
struct EntryHeader {
  LogIndex index;
  Term term;
  EntryType type = EntryType::kCommand;
  std::uint32_t payload_crc = 0;
  LogIndex commit_index;
};
void encode_entry_header(const EntryHeader& header, char* into);
[[nodiscard]] Result<EntryHeader> decode_entry_header(std::string_view bytes);

}  // namespace redraft::raft
