#include "raft/wire.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "raft/messages.pb.h"
#include "raft/proto_conversion.h"
#include "raft/stored.h"

namespace redraft::raft {

namespace {

// --- to bytes: one function for each message ---

void write(const AppendEntries& message, wire::Envelope& envelope, WireFrame& frame) {
  wire::AppendEntries& proto = *envelope.mutable_append_entries();
  proto.set_prev_log_index(message.prev_log_index.value);
  proto.set_prev_log_term(message.prev_log_term.value);
  proto.set_commit_index(message.commit_index.value);
  proto.set_round(message.round);
  proto.set_sent_at_us(message.sent_at_us);
  proto.set_lease_us(message.lease_us);
  proto.set_repair_index(message.repair_index.value);
  ensure(message.entries.size() <= kEntriesPerMessageMax, "no more entries than a decoder takes");
  proto.mutable_entries()->Reserve(static_cast<int>(message.entries.size()));
  for (const Entry& entry : message.entries) {
    wire::EntryHeader& header = *proto.add_entries();
    header.set_term(entry.term.value);
    header.set_type(static_cast<std::uint32_t>(entry.type));
    header.set_payload_size(static_cast<std::uint32_t>(entry.payload.size()));
    header.set_payload_crc(entry.payload_crc);
    frame.payload_size += entry.payload.size();
    frame.payloads.push_back(entry.payload);
  }
  ensure(frame.payload_size <= kPayloadSizeMax, "no frame is larger than a decoder takes");
}

void write(const AppendEntriesReply& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  wire::AppendEntriesReply& proto = *envelope.mutable_append_entries_reply();
  proto.set_round(message.round);
  proto.set_lease_sent_at_us(message.lease_sent_at_us);
  proto.set_rejected(message.rejected);
  proto.set_vouches(message.vouches);
  proto.set_match_index(message.match_index.value);
  proto.set_rejected_index(message.rejected_index.value);
  proto.set_hint_index(message.hint_index.value);
  proto.set_hint_term(message.hint_term.value);
}

void write(const RoundReply& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  wire::RoundReply& proto = *envelope.mutable_round_reply();
  proto.set_round(message.round);
  proto.set_lease_sent_at_us(message.lease_sent_at_us);
}

void write(const RequestVote& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  wire::RequestVote& proto = *envelope.mutable_request_vote();
  proto.set_last_log_index(message.last_log_index.value);
  proto.set_last_log_term(message.last_log_term.value);
  proto.set_pre_vote(message.pre_vote);
  proto.set_leader_transfer(message.leader_transfer);
  proto.set_early_election(message.early_election);
}

void write(const RequestVoteReply& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  wire::RequestVoteReply& proto = *envelope.mutable_request_vote_reply();
  proto.set_pre_vote(message.pre_vote);
  proto.set_granted(message.granted);
}

void write(const InstallSnapshot& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  to_proto(message.snapshot, *envelope.mutable_install_snapshot()->mutable_snapshot());
}

void write(const InstallSnapshotReply& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  wire::InstallSnapshotReply& proto = *envelope.mutable_install_snapshot_reply();
  proto.set_rejected(message.rejected);
  proto.set_vouches(message.vouches);
  proto.set_snapshot_index(message.snapshot_index.value);
  proto.set_match_index(message.match_index.value);
}

void write(const TimeoutNow& /*message*/, wire::Envelope& envelope, WireFrame& /*frame*/) {
  static_cast<void>(envelope.mutable_timeout_now());
}

void write(const ReadIndexRequest& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  envelope.mutable_read_index_request()->set_id(message.id.value);
}

void write(const ReadIndexReply& message, wire::Envelope& envelope, WireFrame& /*frame*/) {
  wire::ReadIndexReply& proto = *envelope.mutable_read_index_reply();
  proto.set_id(message.id.value);
  proto.set_ok(message.ok);
  proto.set_index(message.index.value);
}

// --- from bytes ---

Error corrupt(std::string what) {
  return Error{ErrorCode::kCorrupt, "peer frame: " + std::move(what)};
}

// Indexes are sums here and there: a peer's numbers must leave room.
constexpr std::uint64_t kIndexMax = std::numeric_limits<std::uint64_t>::max() / 2;

Result<Message> read(const wire::AppendEntries& proto, Term term, const SharedBytes& payload) {
  AppendEntries message;
  message.term = term;
  message.prev_log_index = LogIndex{proto.prev_log_index()};
  message.prev_log_term = Term{proto.prev_log_term()};
  message.commit_index = LogIndex{proto.commit_index()};
  message.round = proto.round();
  message.sent_at_us = proto.sent_at_us();
  message.lease_us = proto.lease_us();
  message.repair_index = LogIndex{proto.repair_index()};
  if (proto.entries_size() > static_cast<int>(kEntriesPerMessageMax)) return corrupt("too many entries");
  if (proto.prev_log_index() > kIndexMax || proto.commit_index() > kIndexMax) return corrupt("an impossible index");
  if (proto.prev_log_term() > term.value) return corrupt("an entry from the future");
  message.entries.reserve(static_cast<std::size_t>(proto.entries_size()));
  std::size_t offset = 0;
  Term previous_term = message.prev_log_term;
  for (const wire::EntryHeader& header : proto.entries()) {
    const std::size_t size = header.payload_size();
    if (size > payload.size() - offset) return corrupt("payloads longer than the frame");
    if (header.type() == 0) return corrupt("an entry without a type");
    if (header.type() > static_cast<std::uint32_t>(EntryType::kConfiguration)) {
      return Error{ErrorCode::kUnsupported, "peer frame: an entry of a later version"};
    }
    Entry entry;
    entry.index = message.prev_log_index + message.entries.size() + 1;
    entry.term = Term{header.term()};
    if (entry.term < previous_term || entry.term > term) return corrupt("terms that decrease along the log");
    previous_term = entry.term;
    entry.type = static_cast<EntryType>(header.type());
    entry.payload_crc = header.payload_crc();
    entry.payload = payload.slice(offset, size);
    if (crc32c(entry.payload.view()) != entry.payload_crc) return corrupt("a payload that differs from its checksum");
    if (entry.type == EntryType::kConfiguration) {
      const Result<Configuration> configuration = decode_configuration(entry.payload.view());
      if (!configuration.ok()) return configuration.error();
    }
    offset += size;
    message.entries.push_back(std::move(entry));
  }
  if (offset != payload.size()) return corrupt("bytes behind the last payload");
  return Message{std::move(message)};
}

Message read(const wire::AppendEntriesReply& proto, Term term) {
  AppendEntriesReply message;
  message.term = term;
  message.round = proto.round();
  message.lease_sent_at_us = proto.lease_sent_at_us();
  message.rejected = proto.rejected();
  message.vouches = proto.vouches();
  message.match_index = LogIndex{proto.match_index()};
  message.rejected_index = LogIndex{proto.rejected_index()};
  message.hint_index = LogIndex{proto.hint_index()};
  message.hint_term = Term{proto.hint_term()};
  return message;
}

Message read(const wire::RequestVote& proto, Term term) {
  RequestVote message;
  message.term = term;
  message.last_log_index = LogIndex{proto.last_log_index()};
  message.last_log_term = Term{proto.last_log_term()};
  message.pre_vote = proto.pre_vote();
  message.leader_transfer = proto.leader_transfer();
  message.early_election = proto.early_election();
  return message;
}

Message read(const wire::InstallSnapshotReply& proto, Term term) {
  InstallSnapshotReply message;
  message.term = term;
  message.rejected = proto.rejected();
  message.vouches = proto.vouches();
  message.snapshot_index = LogIndex{proto.snapshot_index()};
  message.match_index = LogIndex{proto.match_index()};
  return message;
}

Result<Message> read_message(const wire::Envelope& proto, const SharedBytes& payload) {
  const Term term{proto.term()};
  if (proto.term() > kIndexMax) return corrupt("an impossible term");
  using Case = wire::Envelope::MessageCase;
  if (proto.message_case() != Case::kAppendEntries && !payload.empty()) return corrupt("a payload nobody asked for");
  switch (proto.message_case()) {
    case Case::kAppendEntries:
      return read(proto.append_entries(), term, payload);
    case Case::kAppendEntriesReply:
      return read(proto.append_entries_reply(), term);
    case Case::kRoundReply:
      return Message{RoundReply{term, proto.round_reply().round(), proto.round_reply().lease_sent_at_us()}};
    case Case::kRequestVote:
      return read(proto.request_vote(), term);
    case Case::kRequestVoteReply:
      return Message{
          RequestVoteReply{term, proto.request_vote_reply().pre_vote(), proto.request_vote_reply().granted()}};
    case Case::kInstallSnapshot: {
      Result<SnapshotMetadata> snapshot = from_proto(proto.install_snapshot().snapshot());
      if (!snapshot.ok()) return snapshot.error();
      if (snapshot->index.value == 0 || snapshot->index.value > kIndexMax || snapshot->term > term) {
        return corrupt("an impossible snapshot");
      }
      return Message{InstallSnapshot{term, std::move(snapshot).value()}};
    }
    case Case::kInstallSnapshotReply:
      return read(proto.install_snapshot_reply(), term);
    case Case::kTimeoutNow:
      return Message{TimeoutNow{term}};
    case Case::kReadIndexRequest:
      return Message{ReadIndexRequest{term, ReadId{proto.read_index_request().id()}}};
    case Case::kReadIndexReply:
      return Message{ReadIndexReply{term, ReadId{proto.read_index_reply().id()}, proto.read_index_reply().ok(),
                                    LogIndex{proto.read_index_reply().index()}}};
    case Case::MESSAGE_NOT_SET:
      return Error{ErrorCode::kUnsupported, "peer frame: a message of a later version"};
  }
  return corrupt("no message");
}

}  // namespace

void encode(const Envelope& envelope, WireFrame& frame) {
  frame.payloads.clear();
  frame.payload_size = 0;
  wire::Envelope proto;
  proto.set_from(envelope.from.value);
  proto.set_to(envelope.to.value);
  proto.set_group(envelope.group.value);
  proto.set_incarnation(envelope.incarnation.value);
  std::visit(
      [&proto, &frame](const auto& message) {
        proto.set_term(message.term.value);
        write(message, proto, frame);
      },
      envelope.message);
  ensure(proto.SerializeToString(&frame.header), "a header of ours can be written");
  ensure(frame.header.size() <= kHeaderSizeMax, "no header is larger than a decoder takes");
}

Result<Envelope> decode(std::string_view header, SharedBytes payload) {
  if (header.size() > kHeaderSizeMax) return corrupt("a header beyond the limit");
  if (payload.size() > kPayloadSizeMax) return corrupt("a payload beyond the limit");
  wire::Envelope proto;
  if (!proto.ParseFromArray(header.data(), static_cast<int>(header.size())))
    return corrupt("a header that cannot be read");
  if (proto.from() == 0 || proto.to() == 0) return corrupt("from or to nobody");
  Result<Message> message = read_message(proto, payload);
  if (!message.ok()) return message.error();
  return Envelope{NodeId{proto.from()}, NodeId{proto.to()}, GroupId{proto.group()}, Incarnation{proto.incarnation()},
                  std::move(message).value()};
}

}  // namespace redraft::raft
