#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "wal/log.h"
#include "wal/segment.h"

namespace redraft::wal {

// Makes segment files whose blocks are all written and whose names are durable before a record goes there: from the
// file of a released segment, or filled with zeros. Has at most one ready and one on the way.
class SegmentMaker {
 public:
  SegmentMaker(FileSystem& files, std::string directory, const Options& options)
      : files_(files), directory_(std::move(directory)), options_(options) {}

  // What recovery found.
  [[nodiscard]] Status adopt(std::unique_ptr<Segment> prepared, std::vector<std::string> recyclable,
                             const std::vector<std::string>& leftovers, std::uint64_t highest_number);

  // One step towards a segment of at least `size` bytes that writes about `budget` bytes. True when it is ready.
  [[nodiscard]] Result<bool> prepare(std::uint64_t size, std::uint64_t budget);
  // How many bytes of the next segment of standard size are written.
  [[nodiscard]] std::uint64_t made() const;
  // The one that is ready.
  [[nodiscard]] std::unique_ptr<Segment> take() { return std::move(ready_); }

  // Files of segments that the log has given up for good, all of whole standard size or not.
  [[nodiscard]] Status give_back(const std::vector<std::string>& standard, const std::vector<std::string>& others);

  [[nodiscard]] std::uint64_t size_on_disk() const;

 private:
  struct Making {
    SegmentHeader header;
    std::string path;
    std::unique_ptr<File> file;
    std::uint64_t filled = 0;
  };
  [[nodiscard]] SegmentHeader next_header(std::uint64_t size);
  [[nodiscard]] Result<bool> recycle();
  [[nodiscard]] Result<bool> fill(std::uint64_t size, std::uint64_t budget);
  // Header, sync, final name, sync of the directory.
  [[nodiscard]] Status complete(Making making);
  void abandon();

  FileSystem& files_;
  const std::string directory_;
  const Options options_;
  std::unique_ptr<Segment> ready_;
  std::optional<Making> making_;
  std::vector<std::string> recyclable_;
  std::uint64_t next_number_ = 1;
  std::uint64_t salts_drawn_ = 0;
};

}  // namespace redraft::wal
