#include "wal/segment_scan.h"

#include <algorithm>

#include "base/crc32c.h"
#include "wal/file_window.h"

namespace redraft::wal {
namespace {

// The salt of the record with the highest number: a recycled file also holds older records of its former lives.
Result<std::uint64_t> find_salt(File& file, std::uint64_t end, std::uint64_t& unreadable_end) {
  FileWindow window(file, end, FileWindow::Unreadable::kIsDamage);
  std::uint64_t salt = 0;
  Sequence newest;
  for (std::uint64_t offset = kRecordsBegin; offset + kRecordHeaderSize <= end; offset += kRecordAlignment) {
    auto bytes = window.at(offset, kRecordHeaderSize + kHeaderSizeMax);
    if (!bytes) return bytes.error();
    if (bytes->size() < kRecordHeaderSize) break;
    if (load_little<std::uint64_t>(bytes->data() + kSaltOffset) == 0) continue;
    const auto header = decode_record_header(*bytes, offset);
    if (header && header->sequence >= newest) {
      newest = header->sequence;
      salt = header->salt;
    }
  }
  unreadable_end = window.unreadable_end();
  return salt;
}

class Scanner {
 public:
  Scanner(File& file, const SegmentHeader& segment, const Log::Watermark& watermark)
      : window_(file, segment.size, FileWindow::Unreadable::kIsDamage), segment_(segment), watermark_(watermark) {}

  Result<SegmentScan> run() {
    std::uint64_t offset = kRecordsBegin;
    while (offset + kRecordHeaderSize <= segment_.records_end()) {
      auto bytes = window_.rest_at(offset, kRecordHeaderSize + kHeaderSizeMax);
      if (!bytes) return bytes.error();
      if (bytes->size() < kRecordHeaderSize) break;
      const std::size_t skipped = distance_to_salt(*bytes);
      if (skipped > 0) {
        offset += skipped;
        continue;
      }
      scan_.last_trace = offset;
      const auto header = decode_record_header(*bytes, offset);
      if (!header || offset + header->size() > segment_.records_end()) {
        offset += kRecordAlignment;
        continue;
      }
      if (Status seen = see(offset, *header); !seen) return seen.error();
      // The header verifies, so its size is right even if the payload does not: what lies inside is no record.
      offset += header->size();
    }
    scan_.unreadable_end = window_.unreadable_end();
    return std::move(scan_);
  }

 private:
  // Bytes to the next place where the salt stands as in a record; all that can be judged if there is none.
  [[nodiscard]] std::size_t distance_to_salt(std::string_view bytes) const {
    std::size_t distance = 0;
    while (distance + kRecordHeaderSize <= bytes.size()) {
      if (load_little<std::uint64_t>(bytes.data() + distance + kSaltOffset) == segment_.salt) return distance;
      distance += kRecordAlignment;
    }
    return distance;
  }

  Status see(std::uint64_t offset, const RecordHeader& header) {
    scan_.used = true;
    scan_.watermark = std::max(scan_.watermark, header.synced_to);
    auto whole = window_.at(offset, header.payload_offset() + header.payload_size);
    if (!whole) return whole.error();
    if (whole->size() < header.payload_offset() + header.payload_size) return Done{};
    const std::string_view payload = whole->substr(header.payload_offset());
    if (crc32c(payload) != header.payload_crc) return Done{};
    ScannedRecord record{.offset = offset, .header = header, .body = {}};
    const std::string_view header_bytes = whole->substr(kRecordHeaderSize, header.header_size);
    if (header.type != RecordType::kCaller) {
      record.body = decode_internal_body(header_bytes.data());
    } else if (watermark_) {
      const RecordView view{.sequence = header.sequence,
                            .kind = header.kind,
                            .header = header_bytes,
                            .payload = SharedBytes::copy_of(payload),
                            .payload_crc = header.payload_crc,
                            .position = {segment_.number, offset}};
      scan_.watermark = std::max(scan_.watermark, watermark_(view));
    }
    scan_.records.push_back(record);
    return Done{};
  }

  FileWindow window_;
  const SegmentHeader& segment_;
  const Log::Watermark& watermark_;
  SegmentScan scan_;
};

}  // namespace

Result<SegmentScan> scan_segment(File& file, SegmentHeader& header, const Log::Watermark& watermark) {
  if (header.salt == 0) {
    SegmentScan nothing;
    auto salt = find_salt(file, header.records_end(), nothing.unreadable_end);
    if (!salt) return salt.error();
    if (*salt == 0) return nothing;
    header.salt = *salt;
  }
  return Scanner(file, header, watermark).run();
}

}  // namespace redraft::wal
