#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "wal/codec.h"
#include "wal/log.h"

namespace redraft::wal {

struct ScannedRecord {
  std::uint64_t offset = 0;
  RecordHeader header;
  InternalBody body;  // of the log's own records
  [[nodiscard]] std::uint64_t end() const { return offset + header.size(); }
};

// All that one segment file can tell by itself. Nothing is decided here about what belongs to the log.
struct SegmentScan {
  std::vector<ScannedRecord> records;  // header and payload verified; in the order of their offsets, perhaps with gaps
  bool used = false;                   // some record header verified, so records were written here
  Sequence watermark;                  // highest that a verified header or a caller's record vouches for as durable
  // The last place at which the segment's salt stands as it would in a record, damaged or not; 0: nowhere.
  std::uint64_t last_trace = 0;
  // Where the last part ends that the disk could not read back; 0: it read everything. No torn write does that.
  std::uint64_t unreadable_end = 0;
};

// Reads the whole file; looks for records behind a damaged one at every aligned offset. `header.salt` may be 0 when the
// segment's header is unreadable: then it is found from the records, the newest of which decides.
[[nodiscard]] Result<SegmentScan> scan_segment(File& file, SegmentHeader& header, const Log::Watermark& watermark);

}  // namespace redraft::wal
