#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "raft/message.h"
#include "server/replica/fragments.h"
#include "server/store/store.h"
#include "snapshot/snapshot_reader.h"
#include "snapshot/snapshot_receiver.h"
#include "snapshot/snapshot_writer.h"

namespace redraft::replica {

// The state a snapshot file holds.
struct LoadedSnapshot {
  raft::SnapshotMetadata metadata;
  std::unique_ptr<store::Store> store;
  Fragments fragments;
};

// Builds the state beside whatever is live; everything is verified before it is returned (storage-faults row 9).
using LoadProgress = std::function<void(std::uint64_t bytes_read, std::uint64_t bytes_total)>;
[[nodiscard]] Result<LoadedSnapshot> load_snapshot(snapshot::SnapshotReader& reader, const LoadProgress& progress);

// Chunk kinds inside a snapshot file; never renumbered.
enum SnapshotChunk : std::uint32_t { kStoreChunk = 1, kFragmentChunk = 2 };
[[nodiscard]] snapshot::Metadata file_metadata(const raft::SnapshotMetadata& metadata, std::uint64_t clock_ms);
[[nodiscard]] std::string encode_fragment(const commands::Origin& origin, std::string_view bytes);

// One piece of work for the bulk thread: everything about snapshot files, none of it in the way of the log.
struct BulkRequest {
  enum class Kind : std::uint8_t {
    kCreate,     // begin our own snapshot: `metadata`
    kChunk,      // one more chunk of it: `chunk_kind`, `bytes`
    kFinish,     // make it durable under its name
    kAbort,      // forget it
    kRead,       // for a follower `node`: up to `size` bytes of the snapshot `index` from `offset`
    kReceive,    // from a leader: `bytes` at `offset` of the file `key`
    kLoad,       // the received file `key` is complete: finish it and load it
    kDiscard,    // forget what is being received
    kFreeStore,  // `old_store` was replaced
  };
  Kind kind;
  snapshot::Metadata metadata = {};
  std::uint32_t chunk_kind = 0;
  SharedBytes bytes = {};
  std::uint64_t node = 0;
  std::uint64_t index = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  snapshot::FileKey key = {};
  std::unique_ptr<store::Store> old_store = {};
};

struct BulkDone {
  BulkRequest::Kind kind;
  std::optional<Error> error = {};  // never fatal: a snapshot that fails is made or sent anew
  std::uint64_t node = 0;
  std::uint64_t index = 0;
  std::uint64_t offset = 0;
  std::size_t size = 0;  // kChunk: its bytes are no longer held
  snapshot::FileKey key = {};
  SharedBytes bytes = {};                       // kRead
  std::uint64_t received = 0;                   // kReceive
  std::unique_ptr<LoadedSnapshot> loaded = {};  // kLoad
};

// Carries BulkRequests out. Owned by the bulk thread (the simulator calls it inline).
class SnapshotFiles {
 public:
  SnapshotFiles(FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}
  [[nodiscard]] BulkDone execute(BulkRequest request);

 private:
  [[nodiscard]] Status create(const BulkRequest& request);
  [[nodiscard]] Status finish(BulkDone& done);
  [[nodiscard]] Status read(const BulkRequest& request, BulkDone& done);
  [[nodiscard]] Status receive(const BulkRequest& request, BulkDone& done);
  [[nodiscard]] Status load(BulkDone& done);

  FileSystem& files_;
  std::string directory_;
  std::unique_ptr<snapshot::SnapshotWriter> writer_;
  std::uint64_t writing_index_ = 0;
  std::unique_ptr<snapshot::SnapshotReader> reader_;  // the snapshot being sent
  std::unique_ptr<snapshot::SnapshotReceiver> receiver_;
};

}  // namespace redraft::replica
