#include "server/replica/storage.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "raft/stored.h"
#include "server/replica/snapshot_files.h"
#include "snapshot/snapshot_directory.h"

namespace redraft::replica {
namespace {

// The kinds of log records, docs/wal-format.md ("What redraft writes"). Never renumbered.
enum RecordKind : std::uint8_t {
  kEntryRecord = 1,      // raft::EntryHeader, and the entry's payload
  kHardStateRecord = 2,  // raft::HardState
  kRestartRecord = 3,    // the log starts anew behind a snapshot: its metadata, then one byte: are later entries kept
};

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

Error damaged(const std::string& what) {
  return {ErrorCode::kCorrupt, what};
}

}  // namespace

Storage::Storage(FileSystem& files, wal::DataDirectory directory, Options options)
    : files_(files), directory_(std::move(directory)), options_(options) {}

Result<std::unique_ptr<Storage>> Storage::open(FileSystem& files, const std::string& directory,
                                               const Options& options) {
  Result<wal::DataDirectory> opened = wal::DataDirectory::open(files, directory);
  if (!opened) return opened.error();
  std::unique_ptr<Storage> storage(new Storage(files, std::move(*opened), options));
  wal::DataDirectory& data = storage->directory_;
  if (!data.identity()) {
    Result<bool> has_log = data.has_log();
    if (!has_log) return has_log.error();
    if (*has_log) {
      return damaged("the directory " + directory + " has a log but no identity: it is damaged or not a node's own");
    }
    wal::Identity fresh;
    fresh.node_id = options.node == 0 ? 1 : options.node;
    fresh.incarnation = options.seed;
    if (Status set = data.set_identity(fresh); !set) return set.error();
  } else if (options.node != 0 && data.identity()->node_id != options.node) {
    return Error{ErrorCode::kInvalid, "the directory " + directory + " belongs to node " +
                                          std::to_string(data.identity()->node_id) + ", not to node " +
                                          std::to_string(options.node)};
  }
  if (Result<std::uint64_t> boot = data.raise_boot(); !boot) return boot.error();
  storage->identity_ = *data.identity();
  Result<std::string> snapshots = data.snapshot_directory();
  if (!snapshots) return snapshots.error();
  storage->snapshot_directory_ = *snapshots;
  return storage;
}

Result<std::unique_ptr<Recovered>> Storage::recover(const Progress& progress) {
  auto recovered = std::make_unique<Recovered>();
  recovered->identity = identity_;
  if (Status cleaned = snapshot::clean_directory(files_, snapshot_directory_); !cleaned) return cleaned.error();
  Result<snapshot::Selection> selection = snapshot::open_newest(files_, snapshot_directory_);
  if (!selection) return selection.error();
  if (selection->reader != nullptr) {
    Result<LoadedSnapshot> loaded = load_snapshot(*selection->reader, progress);
    if (!loaded) return loaded.error();
    recovered->restored.snapshot = loaded->metadata;
    recovered->store = std::move(loaded->store);
    recovered->fragments = std::move(loaded->fragments);
  } else {
    recovered->store = std::make_unique<store::Store>(store::Options{.databases = options_.databases});
  }
  recovered->restored.commit_index = recovered->restored.applied_index = recovered->restored.snapshot.index;

  Result<wal::TwoSlotFile> vote = directory_.open_vote();
  if (!vote) return vote.error();
  vote_.emplace(std::move(*vote));
  if (!vote_->absent()) {
    Result<raft::HardState> voted = raft::decode_hard_state(vote_->value());
    if (!voted) return damaged("the vote file does not hold a vote");
    recovered->restored.hard_state = *voted;
  }
  if (Status opened = open_log(recovered->restored); !opened) return opened.error();
  hard_state_ = recovered->restored.hard_state;
  recovered->log_bytes = log_->size_on_disk();
  return recovered;
}

Status Storage::open_log(raft::Restored& restored) {
  Result<std::string> directory = directory_.log_directory();
  if (!directory) return directory.error();
  std::deque<raft::Entry> entries;
  bool malformed = false;
  const raft::LogIndex snapshot_index = restored.snapshot.index;
  const auto visit = [&](const wal::RecordView& record) {
    if (record.kind == kHardStateRecord) {
      Result<raft::HardState> state = raft::decode_hard_state(record.header);
      malformed = malformed || !state;
      if (!state) return;
      hard_state_record_ = record.sequence;
      // The vote file is written before the record that follows it, so of two terms the later one counts.
      if (state->term >= restored.hard_state.term) restored.hard_state = *state;
      return;
    }
    if (record.kind == kRestartRecord) {
      const std::string_view bytes = record.payload.view();
      Result<raft::SnapshotMetadata> behind =
          raft::decode_snapshot_metadata(bytes.substr(0, bytes.empty() ? 0 : bytes.size() - 1));
      malformed = malformed || bytes.empty() || !behind;
      if (malformed) return;
      restart_after(behind->index, bytes.back() != 0);
      while (!entries.empty() && (bytes.back() == 0 || entries.front().index <= behind->index)) entries.pop_front();
      return;
    }
    raft::LogIndex commit_index;
    std::optional<raft::Entry> entry = decode_entry(record, commit_index);
    malformed = malformed || !entry;
    if (!entry) return;
    remember(entry->index, record.sequence);
    if (entry->index <= snapshot_index) return;
    restored.commit_index = std::max(restored.commit_index, commit_index);
    while (!entries.empty() && entries.back().index >= entry->index) entries.pop_back();
    entries.push_back(std::move(*entry));
  };
  Result<std::unique_ptr<wal::Log>> log = wal::Log::open(
      files_, *directory, {.segment_size = options_.segment_size, .salt_seed = options_.seed + identity_.boot}, visit);
  if (!log) return log.error();
  log_ = std::move(*log);
  for (const wal::Damage& damage : log_->recovery().damaged) {
    if (damage.lost_records()) return damaged(damage.describe());
  }
  if (malformed) return damaged("the log in " + *directory + " has records that this version does not read");
  raft::LogIndex expected = snapshot_index + 1;
  for (raft::Entry& entry : entries) {
    if (entry.index != expected) {
      return damaged("the log in " + *directory + " lacks entry " + std::to_string(expected.value) +
                     " between the snapshot and entry " + std::to_string(entry.index.value));
    }
    ++expected;
    restored.entries.push_back(std::move(entry));
  }
  // A commit index beyond what recovery kept came with records that were never acknowledged.
  restored.commit_index = std::min(restored.commit_index, expected - 1);
  return Done{};
}

void Storage::restart_after(raft::LogIndex index, bool keep_later) {
  if (!keep_later) sequences_.clear();
  while (!sequences_.empty() && first_index_ <= index) {
    sequences_.pop_front();
    ++first_index_;
  }
}

// A later record overrides the entries from its index on (conflicts, paper 5.3). What lies behind a gap is useless.
void Storage::remember(raft::LogIndex index, wal::Sequence sequence) {
  if (sequences_.empty() || index < first_index_ || index > first_index_ + sequences_.size()) {
    sequences_.clear();
    first_index_ = index;
  }
  sequences_.resize(index - first_index_);
  sequences_.push_back(sequence);
}

Result<std::vector<DiskDone>> Storage::execute(std::vector<DiskRequest> requests) {
  std::vector<DiskRequest> all = std::exchange(stalled_, {});
  all.insert(all.end(), std::make_move_iterator(requests.begin()), std::make_move_iterator(requests.end()));
  std::vector<DiskDone> done;
  for (const DiskRequest& request : all) {
    if (request.bootstrap) {
      wal::Identity identity = identity_;
      identity.cluster_id = *request.bootstrap;
      if (Status set = directory_.set_identity(identity); !set) return set.error();
      identity_ = identity;
    }
    // A vote is durable in its own file before the record that repeats it, see open_log.
    if (request.raft.hard_state && *request.raft.hard_state != hard_state_) {
      if (Status written = write_vote(*request.raft.hard_state); !written) {
        if (written.error().code != ErrorCode::kNoSpace) return written.error();
        return stall(std::move(all));
      }
    }
  }
  if (Status appended = append(all); !appended) {
    if (appended.error().code != ErrorCode::kNoSpace) return appended.error();
    return stall(std::move(all));
  }
  if (Status synced = log_->sync(); !synced) return synced.error();
  for (DiskRequest& request : all) {
    DiskDone& one = done.emplace_back();
    one.ticket = request.raft.ticket;
    one.bootstrapped = request.bootstrap.has_value();
    if (request.load) {
      Result<std::vector<raft::Entry>> loaded = load(*request.load);
      if (!loaded) return loaded.error();
      one.load = request.load;
      one.loaded = std::move(*loaded);
    }
    if (request.release_below) {
      if (Status released = release(*request.release_below); !released) return released.error();
      one.released_below = request.release_below;
    }
    one.log_bytes = log_->size_on_disk();
  }
  return done;
}

std::vector<DiskDone> Storage::stall(std::vector<DiskRequest> requests) {
  std::vector<DiskDone> done(1);
  done.front().no_space = true;
  stalled_ = std::move(requests);
  return done;
}

Status Storage::write_vote(const raft::HardState& hard_state) {
  if (Status written = vote_->write(raft::encode_hard_state(hard_state)); !written) return written;
  hard_state_ = hard_state;
  return Done{};
}

Status Storage::append(const std::vector<DiskRequest>& requests) {
  records_.clear();
  headers_.clear();
  std::size_t entries = 0;
  for (const DiskRequest& request : requests) entries += request.raft.entries.size();
  headers_.resize(entries * raft::kEntryHeaderSize);  // the records hold views into it
  std::deque<std::string> hard_states;
  char* header = headers_.data();
  for (const DiskRequest& request : requests) {
    if (request.raft.restart_after) {
      std::string behind = raft::encode_snapshot_metadata(*request.raft.restart_after);
      behind.push_back(request.raft.keep_entries_after_snapshot ? 1 : 0);
      const std::uint32_t crc = crc32c(behind);
      records_.push_back({kRestartRecord, {}, SharedBytes::copy_of(behind), crc});
    }
    if (request.raft.hard_state) {
      hard_states.push_back(raft::encode_hard_state(*request.raft.hard_state));
      records_.push_back({kHardStateRecord, hard_states.back(), {}, 0});
    }
    for (const raft::Entry& entry : request.raft.entries) {
      raft::encode_entry_header({entry.index, entry.term, entry.type, entry.payload_crc, request.raft.commit_index},
                                header);
      records_.push_back({kEntryRecord, {header, raft::kEntryHeaderSize}, entry.payload, entry.payload_crc});
      header += raft::kEntryHeaderSize;
    }
  }
  if (records_.empty()) return Done{};
  Result<wal::Sequence> first = log_->append(records_);
  records_.clear();
  if (!first) return first.error();
  wal::Sequence sequence = *first;
  for (const DiskRequest& request : requests) {
    if (request.raft.restart_after) {
      restart_after(request.raft.restart_after->index, request.raft.keep_entries_after_snapshot);
      ++sequence.value;
    }
    if (request.raft.hard_state) {
      hard_state_ = *request.raft.hard_state;
      hard_state_record_ = sequence;
      ++sequence.value;
    }
    for (const raft::Entry& entry : request.raft.entries) {
      remember(entry.index, sequence);
      ++sequence.value;
    }
  }
  return Done{};
}

Result<std::vector<raft::Entry>> Storage::load(const raft::LogRead& read) {
  std::vector<raft::Entry> entries;
  std::size_t bytes = 0;
  for (raft::LogIndex index = read.first; index <= read.last; ++index) {
    if (index < first_index_ || index - first_index_ >= sequences_.size()) break;
    Result<wal::RecordView> record = log_->read(sequences_[index - first_index_]);
    if (!record) return record.error();  // never a byte that does not verify (row 8)
    raft::LogIndex commit_index;
    std::optional<raft::Entry> entry = decode_entry(*record, commit_index);
    if (!entry || entry->index != index) {
      return damaged("the log's record of entry " + std::to_string(index.value) + " is another one");
    }
    if (!entries.empty() && bytes + entry->payload.size() > read.bytes_max) break;
    bytes += entry->payload.size();
    entries.push_back(std::move(*entry));
  }
  return entries;
}

Status Storage::release(raft::LogIndex below) {
  while (!sequences_.empty() && first_index_ < below) {
    sequences_.pop_front();
    ++first_index_;
  }
  wal::Sequence keep = sequences_.empty() ? log_->next_sequence() : sequences_.front();
  // Term and vote stay in the log too: written again before the segment with their newest record goes.
  if (hard_state_record_ < keep) {
    const std::string header = raft::encode_hard_state(hard_state_);
    const wal::Record record{kHardStateRecord, header, {}, 0};
    Result<wal::Sequence> written = log_->append(std::span(&record, 1));
    if (!written) return written.error().code == ErrorCode::kNoSpace ? Status(Done{}) : Status(written.error());
    hard_state_record_ = *written;
    if (Status synced = log_->sync(); !synced) return synced;
  }
  return log_->release_before(keep);
}

Result<bool> Storage::idle() {
  Result<bool> prepared = log_->prepare_next();
  if (!prepared) {
    if (prepared.error().code != ErrorCode::kNoSpace) return prepared.error();
    return true;
  }
  if (!*prepared) return false;
  if (Status marked = log_->write_idle_marker(); !marked) {
    if (marked.error().code != ErrorCode::kNoSpace) return marked.error();
    return true;
  }
  if (Status synced = log_->sync(); !synced) return synced.error();
  return true;
}

}  // namespace redraft::replica
