#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "snapshot/digest_state.h"
#include "snapshot/format.h"

namespace redraft::snapshot {

// Writes one snapshot under a temporary name; only `finish` gives it its own (storage-faults rows 12, 13). Destroyed
// before that, or after an error, it removes what it wrote: a failed snapshot is discarded and written anew, nothing
// else is lost (pitfall F14). Not thread-safe; runs on a disk thread.
class SnapshotWriter {
 public:
  struct Options {
    bool compress = true;  // LZ4, per chunk and only where it makes it smaller
    // The file is synced about every so many bytes, so that no single sync holds the disk for seconds (row 18).
    std::uint64_t sync_interval = std::uint64_t{8} << 20;
  };

  [[nodiscard]] static Result<std::unique_ptr<SnapshotWriter>> create(FileSystem& files, std::string directory,
                                                                      const Metadata& metadata, Options options);
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // At most kChunkSizeMax bytes. Buffered; small chunks do not cost a write each.
  [[nodiscard]] Status add_chunk(std::uint32_t kind, std::string_view bytes);
  // Footer, sync, rename, directory sync. The file is durable and complete when this returns its key.
  [[nodiscard]] Result<FileKey> finish();

  [[nodiscard]] std::uint64_t bytes_written() const { return offset_ + buffer_.size(); }

 private:
  SnapshotWriter(FileSystem& files, std::string directory, Options options);
  [[nodiscard]] Status flush();

  FileSystem& files_;
  std::string directory_;
  Options options_;
  std::string temporary_path_;
  std::string final_path_;
  std::unique_ptr<File> file_;
  FileKey key_;
  DigestState digest_;
  std::string buffer_;
  std::vector<char> compressed_;
  std::uint64_t offset_ = 0;  // bytes handed to the file
  std::uint64_t synced_ = 0;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t raw_size_ = 0;
  bool finished_ = false;
};

}  // namespace redraft::snapshot
