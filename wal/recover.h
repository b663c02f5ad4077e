#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "wal/log.h"
#include "wal/segment.h"

namespace redraft::wal {

// What lies in a log's directory, judged but not yet changed.
struct RecoveredLog {
  std::vector<std::unique_ptr<Segment>> segments;  // of the log, oldest first, with their good records
  std::unique_ptr<Segment> prepared;               // made ready and never written to
  std::vector<std::string> recyclable;             // files below the log's beginning, of whole size
  std::vector<std::string> leftovers;              // files that mean nothing any more
  Recovery recovery;
  std::uint32_t chain_crc = 0;
  Sequence next{1};
  std::uint64_t first_segment = 1;
  Sequence first_sequence{1};
  std::uint64_t highest_number = 0;
  // The last segment ends as if it had been closed in peace: the next record may follow in it.
  bool appendable = false;
  // From here to the last segment's end nothing vouches for its being on disk.
  std::uint64_t unvouched_begin = 0;
};

[[nodiscard]] Result<RecoveredLog> recover(FileSystem& files, const std::string& directory, std::uint64_t segment_size,
                                           const Log::Watermark& watermark, OpenMode mode = OpenMode::kReadWrite);

// Hands the records of those segments to the visitor, in order, each verified again.
[[nodiscard]] Status replay(const std::vector<std::unique_ptr<Segment>>& segments, const Log::Visitor& visitor);

// A segment's file with its header: the first copy that verifies. Both damaged: nothing. kUnsupported as decoded.
[[nodiscard]] Result<std::optional<SegmentHeader>> read_segment_header(File& file);

}  // namespace redraft::wal
