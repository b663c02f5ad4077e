#include "server/replica/directory_report.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/crc32c.h"
#include "base/little_endian.h"
#include "raft/stored.h"
#include "server/replica/log_contents.h"
#include "server/replica/peers.h"
#include "snapshot/snapshot_directory.h"
#include "wal/inspect.h"

namespace redraft::replica {
namespace {

std::string text(std::uint64_t number) {
  return std::to_string(number);
}

// Only if there is one: a lock would have to be created otherwise.
Result<std::unique_ptr<FileLock>> lock_if_any(FileSystem& files, const std::string& path) {
  if (!files.exists(path)) return Error{ErrorCode::kNotFound, path + ": no such directory"};
  if (!files.exists(path + "/lock")) return std::unique_ptr<FileLock>();
  return files.lock(path + "/lock");
}

class Reporter {
 public:
  Reporter(FileSystem& files, const std::string& path) : files_(files), path_(path) {}

  Result<DirectoryReport> run() {
    Result<std::unique_ptr<FileLock>> lock = lock_if_any(files_, path_);
    if (!lock) return lock.error();
    Status done = look_at_identity();
    if (done) done = look_at_snapshots();
    if (done) done = look_at_log();
    if (done) done = look_at_vote();
    if (done) done = look_at_mark();
    if (!done) return done.error();
    return std::move(out_);
  }

 private:
  void say(std::string line) { out_.lines.push_back(std::move(line)); }
  void blame(std::string line) { out_.damage.push_back(std::move(line)); }

  // Nothing: the file does not exist, or is damaged, which has been noted.
  Result<std::optional<std::string>> two_slots(const std::string& name) {
    const std::string path = path_ + "/" + name;
    auto look = wal::TwoSlotFile::look(files_, path);
    if (!look && look.error().code == ErrorCode::kNotFound) return std::optional<std::string>();
    if (!look) return look.error();
    if (look->damaged_slots == 2) blame(path + ": both copies are damaged");
    if (look->damaged_slots == 1) say(path + ": one of two copies is damaged; the next start mends it");
    return std::move(look->value);
  }

  Status look_at_identity() {
    auto value = two_slots("identity");
    if (!value) return value.error();
    if (!*value) {
      if (out_.damage.empty()) say("No identity: this is no node's directory, or a new one");
      return Done{};
    }
    auto identity = wal::decode_identity(**value);
    if (!identity) return identity.error();
    out_.identity = *identity;
    say("Node " + text(identity->node_id) + " of cluster " + to_hex(identity->cluster_id) + ", incarnation " +
        text(identity->incarnation) + ", started " + text(identity->boot) + " times");
    return Done{};
  }

  Status look_at_snapshots() {
    const std::string directory = path_ + "/snapshot";
    if (!files_.exists(directory)) return Done{};
    auto found = snapshot::list_snapshots(files_, directory);
    if (!found) return found.error();
    for (const snapshot::SnapshotFile& file : *found) {
      auto reader = snapshot::SnapshotReader::open(files_, file.path);
      Status verified = reader ? (*reader)->verify() : Status(reader.error());
      if (!verified && verified.error().code == ErrorCode::kUnsupported) return verified;
      if (!verified) {
        blame(verified.error().message);
        continue;
      }
      const snapshot::FileKey& key = (*reader)->key();
      say("Snapshot " + file.path + ": up to entry " + text(key.index) + " of term " + text(key.term) + ", " +
          text(key.size) + " bytes, sound");
      if (raft::LogIndex{key.index} <= out_.snapshot_index) continue;
      Result<raft::Configuration> members = raft::decode_configuration((*reader)->metadata().membership);
      if (!members) return members.error();
      out_.snapshot_index = raft::LogIndex{key.index};
      out_.last_term = raft::Term{key.term};
      out_.configuration = std::move(*members);
    }
    return Done{};
  }

  Status look_at_log() {
    LogContents contents(out_.snapshot_index, out_.last_term);
    const std::string directory = path_ + "/wal";
    if (files_.exists(directory)) {
      auto log = wal::inspect(files_, directory, [&](const wal::RecordView& record) { contents.add(record); });
      if (!log) return log.error();
      contents.finish(log->recovery);
      describe(*log);
      if (Status looked = look_at_extent(*log, contents); !looked) return looked;
      if (contents.malformed()) blame(directory + ": records that this version does not read");
    }
    for (const raft::Entry& entry : contents.entries) {
      if (entry.type != raft::EntryType::kConfiguration) continue;
      Result<raft::Configuration> members = raft::decode_configuration(entry.payload.view());
      if (members) out_.configuration = std::move(*members);
    }
    if (!contents.entries.empty()) {
      out_.first_index = contents.entries.front().index;
      out_.last_term = contents.entries.back().term;
    }
    out_.last_index = contents.last_index();
    out_.commit_index = std::max(contents.commit_index, out_.snapshot_index);
    out_.hard_state = contents.hard_state;
    say("Last entry: index " + text(out_.last_index.value) + ", term " + text(out_.last_term.value) +
        "; committed for certain up to " + text(out_.commit_index.value));
    if (contents.hole()) blame(contents.hole()->describe());
    return Done{};
  }

  void describe(const wal::Inspection& log) {
    say("Log: " + text(log.segments) + " segments, records " + text(log.recovery.first.value) + " to " +
        text(log.recovery.last.value) + ", known durable up to " + text(log.recovery.watermark.value));
    if (!log.end_file.empty()) {
      say("The live records end at offset " + text(log.end_offset) + " of " + log.end_file);
    }
    if (const auto& cut = log.recovery.cut) {
      say("An unfinished write at offset " + text(cut->offset) + " of " + cut->file + ", records from " +
          text(cut->first_dropped.value) + " on: never acknowledged, the next start cuts it");
    }
    for (const wal::Damage& damage : log.recovery.damaged) blame(damage.describe());
  }

  Status look_at_extent(const wal::Inspection& log, LogContents& contents) {
    auto value = two_slots("extent");
    if (!value) return value.error();
    if (!*value || (*value)->size() != 8) return Done{};
    const auto newest = load_little<std::uint64_t>((*value)->data());
    if (log.newest_segment < newest) {
      contents.lost_end(path_ + "/wal: segment " + text(newest) + ", the newest that was written to, is not there");
    }
    return Done{};
  }

  Status look_at_vote() {
    const std::size_t before = out_.damage.size();
    auto value = two_slots("vote");
    if (!value) return value.error();
    if (*value) {
      Result<raft::HardState> state = raft::decode_hard_state(**value);
      if (!state) return state.error();
      if (state->term >= out_.hard_state.term) out_.hard_state = *state;
    }
    if (out_.damage.size() == before) {
      say("Term " + text(out_.hard_state.term.value) + ", " +
          (out_.hard_state.voted_for.value == 0 ? std::string("no vote")
                                                : "vote for node " + text(out_.hard_state.voted_for.value)));
    }
    return Done{};
  }

  Status look_at_mark() {
    auto value = two_slots("repair");
    if (!value) return value.error();
    if (!*value || (*value)->size() != 2) return Done{};
    out_.repair = static_cast<Repair>((**value)[1]);
    if (out_.repair != Repair::kNone) say("In repair by its peers, without a vote: " + to_string(out_.repair));
    return Done{};
  }

  FileSystem& files_;
  const std::string& path_;
  DirectoryReport out_;
};

std::string meaning_of(const wal::RecordView& record) {
  switch (record.kind) {
    case kEntryRecord: {
      raft::LogIndex commit;
      const std::optional<raft::Entry> entry = decode_entry(record, commit);
      if (!entry) return ": an entry that cannot be read";
      const char* type = entry->type == raft::EntryType::kCommand     ? "commands"
                         : entry->type == raft::EntryType::kTermStart ? "term start"
                                                                      : "configuration";
      return ": entry " + text(entry->index.value) + " of term " + text(entry->term.value) + ", " + type +
             ", committed " + text(commit.value);
    }
    case kHardStateRecord: {
      Result<raft::HardState> state = raft::decode_hard_state(record.header);
      if (!state) return ": a vote that cannot be read";
      return ": term " + text(state->term.value) + ", vote for " + text(state->voted_for.value);
    }
    case kRestartRecord: {
      const std::string_view bytes = record.payload.view();
      Result<raft::SnapshotMetadata> behind =
          raft::decode_snapshot_metadata(bytes.substr(0, bytes.empty() ? 0 : bytes.size() - 1));
      if (!behind) return ": a restart that cannot be read";
      return ": the log starts anew behind snapshot " + text(behind->index.value);
    }
    case kRepairRecord:
      if (record.header.size() != 16) break;
      return ": a repair begins behind entry " + text(load_little<std::uint64_t>(record.header.data()));
    default:
      break;
  }
  return ": unknown";
}

Status note_decision(FileSystem& files, const std::string& path, const std::string& decision) {
  const std::string name = path + "/recovery.txt";
  auto file = files.open(name, files.exists(name) ? OpenMode::kReadWrite : OpenMode::kCreateNew);
  if (!file) return file.error();
  auto size = (*file)->size();
  if (!size) return size.error();
  const std::string_view bytes = decision;
  Status done = (*file)->write_at(*size, std::span(&bytes, 1));
  if (done) done = (*file)->sync_data();
  if (done) done = files.sync_directory(path);
  return done;
}

// The entry that makes this node the only member, and everything before it committed.
Status append_configuration(FileSystem& files, wal::DataDirectory& data, const DirectoryReport& report,
                            const raft::Configuration& alone, std::uint64_t salt_seed) {
  Result<std::string> directory = data.log_directory();
  if (!directory) return directory.error();
  auto log = wal::Log::open(files, *directory, {.salt_seed = salt_seed}, [](const wal::RecordView&) {});
  if (!log) return log.error();
  const raft::Term term{std::max(report.hard_state.term, report.last_term).value + 1};
  const std::string behind = encode_repair(report.last_index, report.last_term);
  const std::string state = raft::encode_hard_state({term, raft::NodeId{}});
  const SharedBytes payload = SharedBytes::copy_of(raft::encode_configuration(alone));
  const std::uint32_t crc = crc32c(payload.view());
  std::string header(raft::kEntryHeaderSize, '\0');
  raft::encode_entry_header({report.last_index + 1, term, raft::EntryType::kConfiguration, crc, report.commit_index},
                            header.data());
  const std::vector<wal::Record> records = {
      {kRepairRecord, behind, {}, 0}, {kHardStateRecord, state, {}, 0}, {kEntryRecord, header, payload, crc}};
  if (auto written = (*log)->append(records); !written) return written.error();
  if (Status synced = (*log)->sync(); !synced) return synced;
  auto vote = data.open_vote();
  if (!vote && vote.error().code != ErrorCode::kCorrupt) return vote.error();
  wal::TwoSlotFile file = vote ? std::move(*vote) : data.new_vote();
  return file.write(state);
}

}  // namespace

Result<DirectoryReport> report_directory(FileSystem& files, const std::string& path) {
  return Reporter(files, path).run();
}

Status dump_directory(FileSystem& files, const std::string& path, const std::function<void(std::string_view)>& line) {
  Result<std::unique_ptr<FileLock>> lock = lock_if_any(files, path);
  if (!lock) return lock.error();
  std::map<wal::Sequence, std::string> meanings;
  auto log = wal::inspect(files, path + "/wal",
                          [&](const wal::RecordView& record) { meanings[record.sequence] = meaning_of(record); });
  if (!log) return log.error();
  return wal::dump(files, path + "/wal", line, [&meanings](wal::Sequence sequence) {
    const auto found = meanings.find(sequence);
    return found == meanings.end() ? std::string(": not part of the log any more") : found->second;
  });
}

Result<std::string> found_anew(FileSystem& files, const std::string& path, const std::string& decision,
                               const std::array<std::uint8_t, 28>& random) {
  Result<DirectoryReport> report = report_directory(files, path);
  if (!report) return report.error();
  if (!report->identity) return Error{ErrorCode::kCorrupt, path + ": no readable identity"};
  Result<wal::DataDirectory> data = wal::DataDirectory::open(files, path);
  if (!data) return data.error();
  wal::Identity identity = *data->identity();
  std::copy_n(random.begin(), identity.cluster_id.size(), identity.cluster_id.begin());
  identity.cluster_id[0] |= 1;  // never the id that means none
  std::memcpy(&identity.incarnation, random.data() + identity.cluster_id.size(), sizeof identity.incarnation);
  raft::Member self;
  self.id = raft::NodeId{identity.node_id};
  self.incarnation = raft::Incarnation{identity.incarnation};
  if (const raft::Member* known = report->configuration.find(self.id)) self.address = known->address;
  self.voter = true;
  const std::string cluster = to_hex(identity.cluster_id);
  const raft::Configuration alone(cluster, {self});
  Status done = append_configuration(files, *data, *report, alone, identity.incarnation);
  if (done) {
    Result<RepairMark> mark = RepairMark::open(files, data->group_path());
    if (!mark) return mark.error();
    // A new incarnation has promised nothing, and what is missing is missing for good.
    done = mark->forget();
  }
  if (done) done = data->set_identity(identity);
  if (done) done = note_decision(files, path, decision + "new cluster " + cluster + "\n");
  if (!done) return done.error();
  return cluster;
}

}  // namespace redraft::replica
