// alter_snapshot DIRECTORY KEY VALUE: a stopped node's newest snapshot is written again with another value for one key,
// every checksum right, and the older one removed: a state that is wrong and does not show it, for tests of the audit.

#include <cstdio>
#include <string>

#include "server/replica/snapshot_files.h"
#include "snapshot/snapshot_directory.h"

namespace {

using redraft::Result;
using redraft::Status;
using redraft::replica::LoadedSnapshot;

Status alter(redraft::FileSystem& files, const std::string& directory, const std::string& key,
             const std::string& value) {
  Result<redraft::snapshot::Selection> newest = redraft::snapshot::open_newest(files, directory);
  if (!newest) return newest.error();
  if (newest->reader == nullptr) return redraft::Error{redraft::ErrorCode::kInvalid, "no snapshot is there"};
  Result<LoadedSnapshot> loaded = redraft::replica::load_snapshot(*newest->reader, [](std::uint64_t, std::uint64_t) {});
  if (!loaded) return loaded.error();
  newest->reader.reset();
  redraft::store::Store& store = *loaded->store;
  if (!store.exists(0, key)) return redraft::Error{redraft::ErrorCode::kInvalid, "no such key in it"};
  store.set_string(0, key, value, 0);

  Result<std::vector<redraft::snapshot::SnapshotFile>> all = redraft::snapshot::list_snapshots(files, directory);
  if (!all) return all.error();
  for (const redraft::snapshot::SnapshotFile& file : *all) {
    if (Status removed = files.remove(file.path); !removed) return removed;
  }
  Result<std::unique_ptr<redraft::snapshot::SnapshotWriter>> writer = redraft::snapshot::SnapshotWriter::create(
      files, directory, redraft::replica::file_metadata(loaded->metadata, store.clock_ms()), {});
  if (!writer) return writer.error();
  store.begin_walk();
  for (bool more = true; more;) {
    std::string bytes;
    more = store.walk(bytes);
    if (bytes.empty()) continue;
    if (Status added = (*writer)->add_chunk(redraft::replica::kStoreChunk, bytes); !added) return added;
  }
  Result<redraft::snapshot::FileKey> written = (*writer)->finish();
  return written ? Status(redraft::Done{}) : Status(written.error());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: alter_snapshot DIRECTORY KEY VALUE\n", stderr);
    return 2;
  }
  const auto files = redraft::posix_file_system();
  const Status altered = alter(*files, argv[1], argv[2], argv[3]);
  if (altered.ok()) return 0;
  std::fprintf(stderr, "%s\n", altered.error().message.c_str());
  return 1;
}
