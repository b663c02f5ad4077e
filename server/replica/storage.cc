#include "server/replica/storage.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/little_endian.h"
#include "raft/stored.h"
#include "server/replica/snapshot_files.h"
#include "snapshot/snapshot_directory.h"

namespace redraft::replica {
namespace {

Error damaged(const std::string& what) {
  return {ErrorCode::kCorrupt, what};
}

}  // namespace

Storage::Storage(FileSystem& files, wal::DataDirectory directory, Options options)
    : files_(files),
      directory_(std::move(directory)),
      options_(options),
      ballast_(files, directory_.path(), options.reserve_bytes) {}

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
    fresh.node_id = options.joins ? 0 : options.node == 0 ? 1 : options.node;
    fresh.incarnation = options.seed;
    if (Status set = data.set_identity(fresh); !set) return set.error();
  } else if (options.node != 0 && data.identity()->node_id != options.node &&
             data.identity()->claimed_node != options.node) {
    return Error{ErrorCode::kInvalid, "the directory " + directory + " belongs to node " +
                                          std::to_string(data.identity()->node_id) + ", not to node " +
                                          std::to_string(options.node)};
  }
  if (Result<std::uint64_t> boot = data.raise_boot(options.lease_us); !boot) return boot.error();
  storage->identity_ = *data.identity();
  if (Status found = storage->ballast_.find(); !found) return found.error();
  Result<std::string> snapshots = data.snapshot_directory();
  if (!snapshots) return snapshots.error();
  storage->snapshot_directory_ = *snapshots;
  return storage;
}

Result<std::unique_ptr<Recovered>> Storage::recover(const Progress& progress) {
  auto recovered = std::make_unique<Recovered>();
  recovered->identity = identity_;
  Result<RepairMark> mark = RepairMark::open(files_, directory_.group_path());
  if (!mark) return mark.error();
  mark_.emplace(std::move(*mark));
  const bool condemned = mark_->repair() == Repair::kState;
  if (condemned) {
    if (Status forgotten = forget_state(); !forgotten) return forgotten.error();
    recovered->warnings.emplace_back("The state of this node differed from the majority's: it comes anew from a peer");
  }
  if (Status loaded = load_snapshot_into(*recovered, progress); !loaded) return loaded.error();
  raft::Restored& restored = recovered->restored;

  Result<LogContents> contents = open_log(restored.snapshot);
  if (!contents) return contents.error();
  Result<bool> vote_known = recover_vote(*contents, recovered->warnings);
  if (!vote_known) return vote_known.error();
  restored.hard_state = hard_state_;
  if (condemned) {
    contents->entries.clear();
    contents->places.clear();
  }
  if (condemned || contents->hole() || !*vote_known) {
    if (Status begun = begin_repair(*recovered, *contents, *vote_known); !begun) return begun.error();
  }
  // Only now, when it is clear that this directory is used: a refusal leaves it as it was.
  if (Status cleaned = snapshot::clean_directory(files_, snapshot_directory_); !cleaned) return cleaned.error();
  restored.commit_index = contents->commit_index;
  for (raft::Entry& entry : contents->entries) restored.entries.push_back(std::move(entry));
  if (condemned) restored.commit_index = {};
  places_ = std::move(contents->places);
  hard_state_record_ = contents->hard_state_record;
  restored.restart_log = !contents->leads_to_snapshot();
  restored.may_vote = mark_->repair() == Repair::kNone;
  recovered->repair = mark_->repair();
  recovered->log_bytes = log_->size_on_disk();
  return recovered;
}

Status Storage::load_snapshot_into(Recovered& recovered, const Progress& progress) {
  raft::Restored& restored = recovered.restored;
  Result<snapshot::Selection> selection = snapshot::open_newest(files_, snapshot_directory_);
  if (!selection) return selection.error();
  for (const std::string& problem : selection->problems) {
    recovered.warnings.push_back("A snapshot is damaged: " + problem);
  }
  if (selection->reader != nullptr) {
    Result<LoadedSnapshot> loaded = load_snapshot(*selection->reader, progress);
    if (!loaded) return loaded.error();
    restored.snapshot = loaded->metadata;
    recovered.store = std::move(loaded->store);
    recovered.fragments = std::move(loaded->fragments);
  } else {
    recovered.store = std::make_unique<store::Store>(store::Options{.databases = options_.databases});
  }
  restored.commit_index = restored.applied_index = restored.snapshot.index;
  return Done{};
}

Result<LogContents> Storage::open_log(const raft::SnapshotMetadata& snapshot) {
  Result<std::string> directory = directory_.log_directory();
  if (!directory) return directory.error();
  LogContents contents(snapshot.index, snapshot.term);
  Result<std::unique_ptr<wal::Log>> log = wal::Log::open(
      files_, *directory, {.segment_size = options_.segment_size, .salt_seed = options_.seed + identity_.boot},
      [&contents](const wal::RecordView& record) { contents.add(record); });
  if (!log) return log.error();
  log_ = std::move(*log);
  contents.finish(log_->recovery());
  if (Status read = read_extent(contents); !read) return read.error();
  if (contents.malformed()) return damaged("the log in " + *directory + " has records that this version does not read");
  return contents;
}

// A log whose newest files are gone looks like a shorter log; the mark beside it tells (row 16, in part).
Status Storage::read_extent(LogContents& contents) {
  const std::string directory = directory_.group_path();
  Result<wal::TwoSlotFile> file = wal::TwoSlotFile::open(files_, directory, "extent");
  const bool lost = !file && file.error().code == ErrorCode::kCorrupt;
  if (!file && !lost) return file.error();
  extent_.emplace(lost ? wal::TwoSlotFile::anew(files_, directory, "extent") : std::move(*file));
  const std::string& value = extent_->value();
  noted_segment_ = value.size() == sizeof noted_segment_ ? load_little<std::uint64_t>(value.data()) : 0;
  if (log_->recovered_segment() < noted_segment_) {
    contents.lost_end(directory + "/wal: " + std::to_string(noted_segment_) +
                      " is the newest segment that was written to, and it is not there");
  }
  return Done{};
}

Status Storage::note_extent() {
  const std::uint64_t newest = log_->newest_segment();
  if (newest <= noted_segment_) return Done{};
  std::string value(sizeof newest, '\0');
  store_little(value.data(), newest);
  if (Status written = extent_->write(value); !written) {
    // Without room the mark stays behind, which only makes it say less.
    return written.error().code == ErrorCode::kNoSpace ? Status(Done{}) : written;
  }
  noted_segment_ = newest;
  return Done{};
}

// A vote is written to its file and then to the log, and promised when both are durable: so what the log alone says was
// all that was ever promised, and the file alone as well.
Result<bool> Storage::recover_vote(const LogContents& contents, std::vector<std::string>& warnings) {
  hard_state_ = contents.hard_state;
  Result<wal::TwoSlotFile> vote = directory_.open_vote();
  const bool file_lost = !vote && vote.error().code == ErrorCode::kCorrupt;
  if (!vote && !file_lost) return vote.error();
  if (!file_lost) {
    vote_.emplace(std::move(*vote));
    if (vote_->absent()) return contents.hard_state_known();
    Result<raft::HardState> voted = raft::decode_hard_state(vote_->value());
    if (!voted) return damaged("the vote file does not hold a vote");
    // The file is written before the record that follows it, so of two terms the later one counts.
    if (contents.hard_state.term <= voted->term) hard_state_ = *voted;
    return true;
  }
  const bool known = contents.hard_state_known();
  warnings.push_back(vote.error().message + (known ? "; the log has the vote" : "; the log has lost it too"));
  vote_.emplace(directory_.new_vote());
  if (known && hard_state_ != raft::HardState{}) {
    if (Status written = write_vote(hard_state_); !written) return written.error();
  }
  return known;
}

// From here on the log goes on behind what is verified; the mark is durable first.
Status Storage::begin_repair(Recovered& recovered, const LogContents& contents, bool vote_known) {
  const raft::Restored& restored = recovered.restored;
  const bool has_peers = options_.has_peers || contents.members_seen > 1 ||
                         restored.snapshot.configuration.members().size() > 1 || mark_->repair() == Repair::kState;
  std::string what = contents.hole() ? contents.hole()->describe() : "";
  if (!vote_known) what += (what.empty() ? "" : "; ") + std::string("term and vote are lost");
  if (!has_peers) {
    for (const std::string& warning : recovered.warnings) what = warning + "; " + what;
    return damaged(what + ". This node has no peers to repair it: bring back a copy of its directory");
  }
  if (!what.empty()) recovered.warnings.push_back(what);
  if (Status marked = mark_->set(vote_known ? Repair::kEntries : Repair::kVote); !marked) return marked;
  if (!vote_known) {
    // The term at least never goes back (pitfall A4).
    if (!contents.entries.empty()) hard_state_.term = std::max(hard_state_.term, contents.entries.back().term);
    if (Status written = write_vote(hard_state_); !written) return written;
    recovered.restored.hard_state = hard_state_;
  }
  raft::LogIndex last = restored.snapshot.index;
  raft::Term last_term = restored.snapshot.term;
  if (!contents.entries.empty()) {
    last = contents.entries.back().index;
    last_term = contents.entries.back().term;
  }
  const std::string header = encode_repair(last, last_term);
  const wal::Record record{kRepairRecord, header, {}, 0};
  if (Result<wal::Sequence> written = log_->append(std::span(&record, 1)); !written) return written.error();
  return log_->sync();
}

// All of the state is to come from a peer: no snapshot of it must be found again.
Status Storage::forget_state() {
  Result<std::vector<snapshot::SnapshotFile>> snapshots = snapshot::list_snapshots(files_, snapshot_directory_);
  if (!snapshots) return snapshots.error();
  for (const snapshot::SnapshotFile& file : *snapshots) {
    if (Status removed = files_.remove(file.path); !removed) return removed;
  }
  return files_.sync_directory(snapshot_directory_);
}

Status Storage::write_metadata(const DiskRequest& request) {
  if (request.bootstrap) {
    wal::Identity identity = identity_;
    identity.cluster_id = *request.bootstrap;
    identity.founded_alone = request.founds_alone;
    if (request.assigned_node != 0) {
      identity.claimed_node = identity.node_id;
      identity.node_id = request.assigned_node;
    }
    if (Status set = directory_.set_identity(identity); !set) return set;
    identity_ = identity;
  }
  if (request.repaired && mark_->repair() == Repair::kEntries) {
    if (Status set = mark_->set(Repair::kNone); !set) return set;
  }
  if (request.condemn_state) {
    if (Status set = mark_->set(Repair::kState); !set) return set;
  }
  // A vote is durable in its own file before the record that repeats it, see recover_vote.
  if (request.raft.hard_state && *request.raft.hard_state != hard_state_) return write_vote(*request.raft.hard_state);
  return Done{};
}

Result<std::vector<DiskDone>> Storage::execute(std::vector<DiskRequest> requests) {
  std::vector<DiskRequest> all = std::exchange(stalled_, {});
  all.insert(all.end(), std::make_move_iterator(requests.begin()), std::make_move_iterator(requests.end()));
  Status written = Done{};
  for (const DiskRequest& request : all) {
    if (written) written = write_metadata(request);
  }
  if (written) written = append(all);
  if (!written) {
    if (written.error().code != ErrorCode::kNoSpace) return written.error();
    return stall(std::move(all));
  }
  if (Status synced = log_->sync(); !synced) return synced.error();
  if (Status noted = note_extent(); !noted) return noted.error();
  std::vector<DiskDone> done;
  for (const DiskRequest& request : all) {
    DiskDone& one = done.emplace_back(report());
    one.ticket = request.raft.ticket;
    one.bootstrapped = request.bootstrap.has_value();
    one.repaired = request.repaired && mark_->repair() == Repair::kNone;
    one.condemned = request.condemn_state;
    if (Status finished = finish(request, one); !finished) return finished.error();
  }
  return done;
}

DiskDone Storage::report() const {
  DiskDone done;
  done.low_space = ballast_.spent();
  done.log_bytes = log_->size_on_disk();
  return done;
}

// What needs no room, so that a full disk does not hold it up: reading, and shortening the log.
Status Storage::finish(const DiskRequest& request, DiskDone& done) {
  if (request.load) load(*request.load, done);
  if (request.release_below) {
    Status released = release(*request.release_below);
    // With the next snapshot it is tried again.
    if (!released && released.error().code != ErrorCode::kNoSpace) return released;
    done.released_below = request.release_below;
    done.log_bytes = log_->size_on_disk();
  }
  return Done{};
}

std::vector<DiskDone> Storage::stall(std::vector<DiskRequest> requests) {
  ballast_.give_up();
  std::vector<DiskDone> done;
  done.push_back(report());
  done.back().no_space = true;
  for (DiskRequest& request : requests) {
    if (request.load || request.release_below) {
      done.push_back(report());
      done.back().no_space = true;
      // An error that is final shows again, in the next sync.
      static_cast<void>(finish(request, done.back()));
      request.load.reset();
      request.release_below.reset();
    }
    const bool waits = request.raft.wanted() || request.bootstrap || request.repaired || request.condemn_state;
    if (waits) stalled_.push_back(std::move(request));
  }
  return done;
}

std::optional<DiskDone> Storage::space_news() {
  if (ballast_.spent() == std::exchange(told_low_space_, ballast_.spent())) return std::nullopt;
  DiskDone news = report();
  news.unasked = true;
  return news;
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
      places_.restart_after(request.raft.restart_after->index, request.raft.keep_entries_after_snapshot);
      ++sequence.value;
    }
    if (request.raft.hard_state) {
      hard_state_ = *request.raft.hard_state;
      hard_state_record_ = sequence;
      ++sequence.value;
    }
    for (const raft::Entry& entry : request.raft.entries) {
      places_.remember(entry.index, sequence);
      ++sequence.value;
    }
  }
  return Done{};
}

// Never a byte that does not verify (row 8): what cannot be read is not there, and the follower gets a snapshot.
void Storage::load(const raft::LogRead& read, DiskDone& done) {
  done.load = read;
  std::size_t bytes = 0;
  for (raft::LogIndex index = read.first; index <= read.last; ++index) {
    const std::optional<wal::Sequence> sequence = places_.find(index);
    if (!sequence) break;
    Result<wal::RecordView> record = log_->read(*sequence);
    if (!record) {
      done.unreadable = record.error().message;
      break;
    }
    raft::LogIndex commit_index;
    std::optional<raft::Entry> entry = decode_entry(*record, commit_index);
    if (!entry || entry->index != index) {
      done.unreadable = "the log's record of entry " + std::to_string(index.value) + " is another one";
      break;
    }
    if (!done.loaded.empty() && bytes + entry->payload.size() > read.bytes_max) break;
    bytes += entry->payload.size();
    done.loaded.push_back(std::move(*entry));
  }
}

Status Storage::release(raft::LogIndex below) {
  if (!ballast_.spent()) {
    // As far back as the older snapshot, which stands in if the newest turns out to be damaged (row 9).
    Result<std::vector<snapshot::SnapshotFile>> snapshots = snapshot::list_snapshots(files_, snapshot_directory_);
    if (!snapshots) return snapshots.error();
    if (snapshots->size() > 1) below = std::min(below, raft::LogIndex{(*snapshots)[1].index + 1});
  }
  places_.forget_below(below);
  wal::Sequence keep = places_.oldest().value_or(log_->next_sequence());
  // Term and vote stay in the log too: written again before the segment with their newest record goes.
  if (hard_state_record_ < keep) {
    const std::string header = raft::encode_hard_state(hard_state_);
    const wal::Record record{kHardStateRecord, header, {}, 0};
    Result<wal::Sequence> written = log_->append(std::span(&record, 1));
    if (!written) return written.error();
    hard_state_record_ = *written;
    if (Status synced = log_->sync(); !synced) return synced;
  }
  return log_->release_before(keep);
}

Result<bool> Storage::idle() {
  if (!ballast_.restore()) return false;
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
