#include "server/replica/log_contents.h"

#include <algorithm>
#include <utility>

#include "base/little_endian.h"
#include "raft/stored.h"

namespace redraft::replica {

std::optional<raft::Entry> decode_entry(const wal::RecordView& record, raft::LogIndex& commit_index) {
  Result<raft::EntryHeader> header = raft::decode_entry_header(record.header);
  if (record.kind != kEntryRecord || !header || header->payload_crc != record.payload_crc) return std::nullopt;
  raft::Entry entry;
  entry.index = header->index;
  entry.term = header->term;
  entry.type = header->type;
  entry.payload = record.payload;
  entry.payload_crc = record.payload_crc;
  commit_index = header->commit_index;
  return entry;
}

std::string encode_repair(raft::LogIndex index, raft::Term term) {
  std::string bytes(16, '\0');
  store_little(bytes.data(), index.value);
  store_little(bytes.data() + 8, term.value);
  return bytes;
}

// ---- EntryPlaces

void EntryPlaces::remember(raft::LogIndex index, wal::Sequence sequence) {
  if (sequences_.empty() || index < first_ || index > first_ + sequences_.size()) {
    sequences_.clear();
    first_ = index;
  }
  sequences_.resize(index - first_);
  sequences_.push_back(sequence);
}

void EntryPlaces::restart_after(raft::LogIndex index, bool keep_later) {
  if (!keep_later) sequences_.clear();
  forget_below(index + 1);
}

void EntryPlaces::truncate_after(raft::LogIndex index) {
  while (!sequences_.empty() && first_ + (sequences_.size() - 1) > index) sequences_.pop_back();
}

void EntryPlaces::forget_below(raft::LogIndex index) {
  while (!sequences_.empty() && first_ < index) {
    sequences_.pop_front();
    ++first_;
  }
}

std::optional<wal::Sequence> EntryPlaces::find(raft::LogIndex index) const {
  if (index < first_ || index - first_ >= sequences_.size()) return std::nullopt;
  return sequences_[index - first_];
}

std::optional<wal::Sequence> EntryPlaces::oldest() const {
  if (sequences_.empty()) return std::nullopt;
  return sequences_.front();
}

// ---- LogContents

std::string LogContents::Hole::describe() const {
  std::string text = "the log lacks entry " + std::to_string(index.value) + " and perhaps later ones";
  if (beyond.value != 0) text += " (seen behind it: up to entry " + std::to_string(beyond.value) + ")";
  return where.empty() ? text : where + "; " + text;
}

raft::LogIndex LogContents::last_index() const {
  return entries.empty() ? snapshot_ : entries.back().index;
}

void LogContents::begin_hole(raft::LogIndex beyond) {
  if (!hole_) hole_ = Hole{.where = {}, .index = last_index() + 1, .beyond = {}};
  hole_->beyond = std::max(hole_->beyond, beyond);
}

// From here on the log is told anew and in full.
void LogContents::anchor(raft::LogIndex last) {
  hole_.reset();
  anchored_ = true;
  last_ = last;
}

void LogContents::note_term(raft::LogIndex index, raft::Term term) {
  if (index > snapshot_) return;
  term_there_ = index == snapshot_ ? term : raft::Term{};
}

bool LogContents::agrees_with_snapshot() const {
  if (snapshot_.value == 0) return true;
  if (!anchored_ || last_ < snapshot_) return false;
  if (term_there_.value != 0) return term_there_ == snapshot_term_;
  return entries.empty() || entries.front().term >= snapshot_term_;
}

void LogContents::add(const wal::RecordView& record) {
  if (expected_.value == 0) {
    first_seen_ = record.sequence;
  } else if (record.sequence != expected_) {
    begin_hole({});
    hard_state_known_ = false;
  }
  expected_ = {record.sequence.value + 1};
  switch (record.kind) {
    case kEntryRecord:
      add_entry(record);
      return;
    case kHardStateRecord: {
      Result<raft::HardState> state = raft::decode_hard_state(record.header);
      malformed_ = malformed_ || !state;
      if (!state) return;
      hard_state_record = record.sequence;
      hard_state_known_ = true;
      if (state->term >= hard_state.term) hard_state = *state;
      return;
    }
    case kRestartRecord:
      add_restart(record);
      return;
    case kRepairRecord:
      add_repair(record);
      return;
    default:
      malformed_ = true;
  }
}

void LogContents::add_entry(const wal::RecordView& record) {
  raft::LogIndex commit;
  std::optional<raft::Entry> entry = decode_entry(record, commit);
  malformed_ = malformed_ || !entry;
  if (!entry) return;
  if (entry->type == raft::EntryType::kConfiguration) {
    Result<raft::Configuration> configuration = raft::decode_configuration(entry->payload.view());
    if (configuration) members_seen = std::max(members_seen, configuration->members().size());
  }
  const raft::LogIndex index = entry->index;
  const bool continues = !hole_ && anchored_ && index <= last_ + 1;
  if (!continues) {
    if (index > snapshot_ + 1) {
      begin_hole(index);
      return;
    }
    if (hole_) places.clear();
    entries.clear();
    anchor(index);
  }
  while (!entries.empty() && entries.back().index >= index) entries.pop_back();
  last_ = index;
  note_term(index, entry->term);
  places.remember(index, record.sequence);
  if (index <= snapshot_) return;
  commit_index = std::max(commit_index, commit);
  entries.push_back(std::move(*entry));
}

void LogContents::add_restart(const wal::RecordView& record) {
  const std::string_view bytes = record.payload.view();
  Result<raft::SnapshotMetadata> behind =
      raft::decode_snapshot_metadata(bytes.substr(0, bytes.empty() ? 0 : bytes.size() - 1));
  malformed_ = malformed_ || bytes.empty() || !behind;
  if (bytes.empty() || !behind) return;
  members_seen = std::max(members_seen, behind->configuration.members().size());
  const bool keep_later = bytes.back() != 0;
  if (keep_later) {
    // The log agreed with that snapshot, so the entries in front of it are as good as it is.
    if (behind->index <= snapshot_) places.restart_after(behind->index, true);
    return;
  }
  if (behind->index > snapshot_) {
    begin_hole({});  // that snapshot is damaged or gone
    return;
  }
  entries.clear();
  places.restart_after(behind->index, false);
  anchor(behind->index);
  note_term(behind->index, behind->term);
}

void LogContents::add_repair(const wal::RecordView& record) {
  malformed_ = malformed_ || record.header.size() != 16;
  if (malformed_) return;
  const raft::LogIndex index{load_little<std::uint64_t>(record.header.data())};
  const raft::Term term{load_little<std::uint64_t>(record.header.data() + 8)};
  if (index <= snapshot_) {
    entries.clear();
    places.truncate_after(index);
    anchor(index);
    note_term(index, term);
    return;
  }
  while (!entries.empty() && entries.back().index > index) entries.pop_back();
  places.truncate_after(index);
  const bool reaches = !entries.empty() && entries.back().index == index && entries.back().term == term;
  if (reaches) {
    anchor(index);
  } else {
    begin_hole({});
  }
}

void LogContents::finish(const wal::Recovery& recovery) {
  const wal::Sequence none{0};
  const wal::Damage* lost = nullptr;
  for (const wal::Damage& damage : recovery.damaged) {
    if (!damage.lost_records()) continue;
    if (lost == nullptr) lost = &damage;
    const bool at_end = expected_ == none || damage.last >= expected_;
    const bool at_start = first_seen_ != none && damage.last < first_seen_;
    if (at_end) hard_state_known_ = false;
    if (at_start && hard_state_record == none) hard_state_known_ = false;
    if (at_end || (at_start && !anchored_)) begin_hole({});
  }
  if (hole_ && lost != nullptr) hole_->where = lost->describe();
  leads_to_snapshot_ = agrees_with_snapshot();
  if (!leads_to_snapshot_) {
    entries.clear();
    places.clear();
  }
  // A commit index beyond what recovery kept came with records that were never acknowledged.
  commit_index = std::min(std::max(commit_index, snapshot_), last_index());
}

void LogContents::lost_end(const std::string& where) {
  hard_state_known_ = false;
  begin_hole({});
  if (hole_->where.empty()) hole_->where = where;
}

}  // namespace redraft::replica
