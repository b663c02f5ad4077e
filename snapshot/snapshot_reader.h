#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "snapshot/digest_state.h"
#include "snapshot/format.h"

namespace redraft::snapshot {

// Reads a finished snapshot file. Every error about its bytes is kCorrupt with file and offset; a version from the
// future is kUnsupported. Not thread-safe; runs on a disk thread.
class SnapshotReader {
 public:
  // Verifies header and footer, not yet what lies between.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotReader>> open(FileSystem& files, std::string path);

  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  [[nodiscard]] const FileKey& key() const { return key_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t chunk_count() const { return chunk_count_; }

  // Reads the whole file and compares every checksum and the digest; next_chunk() begins anew afterwards.
  [[nodiscard]] Status verify();

  // The next chunk, verified and decompressed; nothing after the last one. The end is reported only if the digest of
  // the whole file was right too: state built from the chunks may be served after that and not before (row 9).
  [[nodiscard]] Result<std::optional<Chunk>> next_chunk();
  // Share of the file that next_chunk() has read, in bytes of key().size.
  [[nodiscard]] std::uint64_t progress() const { return cursor_; }

  // Raw bytes of the file, for a transfer; the receiver verifies them. Fills all of `into` or fails: a short read is
  // not the end of data (pitfall E6).
  [[nodiscard]] Status read_range(std::uint64_t offset, std::span<char> into);

 private:
  SnapshotReader(std::string path, std::unique_ptr<File> file);
  [[nodiscard]] Status load();
  [[nodiscard]] Error corrupt(std::uint64_t offset, std::string_view what) const;
  [[nodiscard]] Status read_exactly(std::uint64_t offset, std::span<char> into);
  void rewind();

  std::string path_;
  std::unique_ptr<File> file_;
  Metadata metadata_;
  FileKey key_;
  std::string header_bytes_;
  std::uint64_t chunks_end_ = 0;
  std::uint64_t chunk_count_ = 0;
  std::uint64_t raw_size_ = 0;

  std::uint64_t cursor_ = 0;
  std::uint64_t chunks_read_ = 0;
  std::uint64_t raw_read_ = 0;
  DigestState digest_;
  std::vector<char> stored_;
  std::vector<char> raw_;
};

}  // namespace redraft::snapshot
