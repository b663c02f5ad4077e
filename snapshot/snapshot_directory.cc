#include "snapshot/snapshot_directory.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "snapshot/codec.h"

namespace redraft::snapshot {

Result<std::vector<SnapshotFile>> list_snapshots(FileSystem& files, const std::string& directory) {
  auto names = files.list(directory);
  if (!names) return names.error();
  std::vector<SnapshotFile> found;
  for (const std::string& name : *names) {
    const auto parsed = parse_name(name);
    if (!parsed || parsed->kind != FileName::Kind::kFinished) continue;
    found.push_back({.index = parsed->index, .term = parsed->term, .path = directory + "/" + name});
  }
  std::ranges::sort(found, [](const SnapshotFile& a, const SnapshotFile& b) {
    return std::tie(a.index, a.term) > std::tie(b.index, b.term);
  });
  return found;
}

Result<Selection> open_newest(FileSystem& files, const std::string& directory) {
  auto found = list_snapshots(files, directory);
  if (!found) return found.error();
  Selection selection;
  for (const SnapshotFile& file : *found) {
    auto reader = SnapshotReader::open(files, file.path);
    Status verified = reader ? (*reader)->verify() : Status(reader.error());
    if (verified && ((*reader)->key().index != file.index || (*reader)->key().term != file.term)) {
      verified = Error{ErrorCode::kCorrupt, file.path + ": the name is that of another snapshot"};
    }
    if (verified) {
      selection.reader = std::move(*reader);
      return selection;
    }
    if (verified.error().code == ErrorCode::kUnsupported) return verified.error();
    selection.problems.push_back(verified.error().message);
  }
  return selection;
}

Status clean_directory(FileSystem& files, const std::string& directory, std::size_t keep,
                       std::uint64_t running_writer_index) {
  ensure(keep > 0, "the newest snapshot stays");
  auto finished = list_snapshots(files, directory);
  if (!finished) return finished.error();
  auto names = files.list(directory);
  if (!names) return names.error();
  std::vector<std::string> removed;
  for (const std::string& name : *names) {
    const auto parsed = parse_name(name);
    if (!parsed) continue;
    const bool interrupted = parsed->kind == FileName::Kind::kTemporary &&
                             (running_writer_index == 0 || parsed->index != running_writer_index);
    const bool overtaken =
        parsed->kind == FileName::Kind::kPart && !finished->empty() && parsed->index <= finished->front().index;
    if (interrupted || overtaken) removed.push_back(directory + "/" + name);
  }
  for (std::size_t i = keep; i < finished->size(); ++i) removed.push_back((*finished)[i].path);
  for (const std::string& path : removed) {
    if (Status done = files.remove(path); !done) return done;
  }
  return removed.empty() ? Status(Done{}) : files.sync_directory(directory);
}

Result<bool> has_partial_transfer(FileSystem& files, const std::string& directory) {
  auto names = files.list(directory);
  if (!names) return names.error();
  return std::ranges::any_of(*names, [](const std::string& name) {
    const auto parsed = parse_name(name);
    return parsed && parsed->kind == FileName::Kind::kPart;
  });
}

}  // namespace redraft::snapshot
