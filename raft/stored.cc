#include "raft/stored.h"

#include <cstring>

#include "raft/messages.pb.h"
#include "raft/proto_conversion.h"

namespace redraft::raft {

namespace {

Error corrupt(const char* what) {
  return Error{ErrorCode::kCorrupt, std::string("not a ") + what};
}

template <class Message>
bool parse(std::string_view bytes, Message& into) {
  return bytes.size() <= kPayloadSizeMax && into.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void put(char*& at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) *at++ = static_cast<char>(value >> (8 * i) & 0xffU);
}

std::uint64_t take(const char*& at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(*at++)} << (8 * i);
  return value;
}

}  // namespace

std::string encode_hard_state(const HardState& hard_state) {
  wire::HardState proto;
  proto.set_term(hard_state.term.value);
  proto.set_voted_for(hard_state.voted_for.value);
  return proto.SerializeAsString();
}

Result<HardState> decode_hard_state(std::string_view bytes) {
  wire::HardState proto;
  if (!parse(bytes, proto)) return corrupt("hard state");
  return HardState{Term{proto.term()}, NodeId{proto.voted_for()}};
}

std::string encode_configuration(const Configuration& configuration) {
  wire::Configuration proto;
  to_proto(configuration, proto);
  return proto.SerializeAsString();
}

Result<Configuration> decode_configuration(std::string_view bytes) {
  wire::Configuration proto;
  if (!parse(bytes, proto)) return corrupt("configuration");
  return from_proto(proto);
}

std::string encode_snapshot_metadata(const SnapshotMetadata& snapshot) {
  wire::SnapshotMetadata proto;
  to_proto(snapshot, proto);
  return proto.SerializeAsString();
}

Result<SnapshotMetadata> decode_snapshot_metadata(std::string_view bytes) {
  wire::SnapshotMetadata proto;
  if (!parse(bytes, proto)) return corrupt("snapshot's metadata");
  return from_proto(proto);
}

void encode_entry_header(const EntryHeader& header, char* into) {
  put(into, header.index.value, 8);
  put(into, header.term.value, 8);
  put(into, header.commit_index.value, 8);
  put(into, header.payload_crc, 4);
  put(into, static_cast<std::uint64_t>(header.type), 4);
}

Result<EntryHeader> decode_entry_header(std::string_view bytes) {
  if (bytes.size() < kEntryHeaderSize) return corrupt("log entry: too short");
  const char* at = bytes.data();
  EntryHeader header;
  header.index = LogIndex{take(at, 8)};
  header.term = Term{take(at, 8)};
  header.commit_index = LogIndex{take(at, 8)};
  header.payload_crc = static_cast<std::uint32_t>(take(at, 4));
  const std::uint64_t type = take(at, 4);
  if (type == 0 || header.index.value == 0) return corrupt("log entry");
  if (type > static_cast<std::uint64_t>(EntryType::kConfiguration)) {
    return Error{ErrorCode::kUnsupported, "a log entry of a later version: type " + std::to_string(type)};
  }
  header.type = static_cast<EntryType>(type);
  return header;
}

}  // namespace redraft::raft
