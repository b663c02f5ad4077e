#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"
#include "snapshot/digest_state.h"
#include "snapshot/format.h"

namespace redraft::snapshot {

// Takes the raw bytes of another node's snapshot file, in order, and checks each chunk as it is complete. What is there
// survives a restart: `open` finds it, verifies it again and goes on (pitfall E7). The file gets its name, and can be
// listed and loaded, only in `finish`. Not thread-safe; runs on a disk thread.
class SnapshotReceiver {
 public:
  // Begins or resumes the transfer of exactly this file; a part of a different file is not touched.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotReceiver>> open(FileSystem& files, std::string directory,
                                                                      const FileKey& key);

  // How many bytes from the beginning are there: the sender goes on at this offset.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] const FileKey& key() const { return key_; }
  [[nodiscard]] bool complete() const { return received_ == key_.size; }

  // Adds the bytes at `offset`. Bytes that are there already are ignored, and so is a range that begins above
  // received(): either way the sender learns from the returned received() where to go on. kCorrupt: a checksum in these
  // bytes is wrong; received() has gone back to before that chunk and the sender may send it again. kNoSpace and kIo:
  // give this transfer up by `discard`; nothing else is lost.
  [[nodiscard]] Result<std::uint64_t> write(std::uint64_t offset, std::string_view bytes);

  // Needs complete(). Compares the digest, syncs, renames, syncs the directory; returns the path. When the digest is
  // wrong, kCorrupt, and the transfer begins at 0 again.
  [[nodiscard]] Result<std::string> finish();
  // Removes what was received.
  void discard();

 private:
  SnapshotReceiver(FileSystem& files, std::string directory, const FileKey& key);
  [[nodiscard]] Status resume();
  // Verifies the units that pending_ completes and moves checked_ behind them.
  [[nodiscard]] Status check_pending();
  // The size of the unit at the beginning of `bytes` once it is whole there and verified; 0 while more is needed.
  [[nodiscard]] Result<std::size_t> check_unit(std::string_view bytes);
  void start_anew();
  [[nodiscard]] Error corrupt(std::string_view what) const;

  FileSystem& files_;
  std::string directory_;
  std::string part_path_;
  std::string final_path_;
  FileKey key_;
  std::unique_ptr<File> file_;
  std::uint64_t received_ = 0;
  std::uint64_t checked_ = 0;  // a border between units: everything below is verified and in the digest
  std::uint64_t chunk_count_ = 0;
  std::uint64_t raw_size_ = 0;
  std::string pending_;  // the bytes in [checked_, received_)
  DigestState digest_;
};

}  // namespace redraft::snapshot
