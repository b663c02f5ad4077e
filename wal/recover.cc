#include "wal/recover.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/crc32c.h"
#include "base/planted.h"
#include "wal/file_window.h"
#include "wal/segment_scan.h"

namespace redraft::wal {
namespace {

struct Candidate {
  std::uint64_t name_number = 0;
  SegmentHeader header;
  bool header_readable = false;
  std::string path;
  std::unique_ptr<File> file;
  std::uint64_t file_size = 0;
  SegmentScan scan;
};

class Recoverer {
 public:
  Recoverer(FileSystem& files, const std::string& directory, std::uint64_t segment_size,
            const Log::Watermark& watermark, OpenMode mode)
      : files_(files), directory_(directory), segment_size_(segment_size), watermark_(watermark), mode_(mode) {}

  Result<RecoveredLog> run() {
    if (Status collected = collect(); !collected) return collected.error();
    if (Status scanned = scan(); !scanned) return scanned.error();
    sort_out();
    assemble();
    return std::move(out_);
  }

 private:
  // Every header is read before anything is decided, so that a version from the future leaves all as it is (row 20).
  Status collect() {
    auto names = files_.list(directory_);
    if (!names) return names.error();
    for (const std::string& name : *names) {
      const std::string path = directory_ + "/" + name;
      if (name.ends_with(".wal.new")) out_.leftovers.push_back(path);
      const auto number = segment_number_of(name);
      if (!number) continue;
      out_.highest_number = std::max(out_.highest_number, *number);
      Candidate candidate{.name_number = *number, .header = {}, .path = path, .file = {}, .scan = {}};
      auto file = files_.open(path, mode_);
      if (!file) return file.error();
      candidate.file = std::move(*file);
      auto size = candidate.file->size();
      if (!size) return size.error();
      candidate.file_size = *size;
      auto header = read_segment_header(*candidate.file);
      if (!header) return Error{header.error().code, path + ": " + header.error().message};
      if (*header) {
        candidate.header = **header;
        candidate.header_readable = true;
        out_.highest_number = std::max(out_.highest_number, candidate.header.number);
      } else {
        const std::uint64_t whole = std::max(*size, kSegmentSizeMin) / kSectorSize * kSectorSize;
        candidate.header = {.number = *number, .salt = 0, .size = whole};
      }
      candidates_.push_back(std::move(candidate));
    }
    return Done{};
  }

  // Newest first: each segment's start says where the log begins, and what is older need not be read (row 14).
  Status scan() {
    std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
      return std::pair(a.header.number, a.name_number) < std::pair(b.header.number, b.name_number);
    });
    for (auto candidate = candidates_.rbegin(); candidate != candidates_.rend(); ++candidate) {
      if (candidate->header.number < out_.first_segment) continue;
      auto scan = scan_segment(*candidate->file, candidate->header, watermark_);
      if (!scan) return scan.error();
      candidate->scan = std::move(*scan);
      for (const ScannedRecord& record : candidate->scan.records) {
        if (record.header.type == RecordType::kCaller || record.body.first_segment < out_.first_segment) continue;
        out_.first_segment = record.body.first_segment;
        out_.first_sequence = record.body.first_sequence;
      }
    }
    return Done{};
  }

  void sort_out() {
    std::vector<Candidate> used;
    for (Candidate& candidate : candidates_) {
      const bool is_old = candidate.header.number < out_.first_segment;
      const bool is_double = !used.empty() && used.back().header.number == candidate.header.number;
      if (!is_old && !is_double && candidate.scan.used) {
        used.push_back(std::move(candidate));
        continue;
      }
      // Every segment has its full size and a durable header before it has a name, so one that has not was damaged and
      // may have been used. It is left alone unless the log's own beginning says that it is past.
      const bool damaged = !candidate.header_readable || candidate.file_size < candidate.header.size ||
                           candidate.scan.unreadable_end != 0;
      if (!is_old && (candidate.scan.used || damaged)) {
        if (!candidate.scan.used) unreadable_.push_back({candidate.header.number, candidate.path});
        continue;
      }
      const bool whole = candidate.header_readable && candidate.file_size == candidate.header.size &&
                         candidate.header.size == segment_size_;
      const bool untouched = candidate.scan.last_trace == 0 && candidate.name_number == candidate.header.number;
      if (whole && !is_old && untouched && candidate.header.number == out_.highest_number) {
        out_.prepared =
            std::make_unique<Segment>(candidate.header, candidate.path, std::move(candidate.file), Sequence{});
      } else {
        (whole ? out_.recyclable : out_.leftovers).push_back(candidate.path);
      }
    }
    candidates_ = std::move(used);
    for (const Candidate& candidate : candidates_) {
      watermark_found_ = std::max(watermark_found_, candidate.scan.watermark);
      for (const ScannedRecord& record : candidate.scan.records) {
        if (record.header.type == RecordType::kSegmentStart) {
          declared_ends_[record.body.previous_segment] = record.body.previous_end;
        }
      }
    }
  }

  void damaged(const std::string& file, std::uint64_t offset, Sequence first, Sequence end) {
    out_.recovery.damaged.push_back({.file = file, .offset = offset, .first = first, .last = {end.value - 1}});
  }

  void lost_end(const std::string& file, std::uint64_t offset) {
    damaged(file, offset, expected_, {expected_.value + 1});
    out_.recovery.damaged.back().end_unknown = true;
    ++expected_.value;
    appendable_ = false;
  }

  void cut(const Candidate& candidate, std::uint64_t offset) {
    out_.recovery.cut = Cut{.file = candidate.path, .offset = offset, .first_dropped = expected_};
    appendable_ = false;
  }

  // Damage is corruption in a finished segment, or below a number that some valid record says was durable. Otherwise
  // all that follows was never acknowledged (storage-faults rows 1 to 3).
  void assemble() {
    expected_ = out_.first_sequence;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      Candidate& candidate = candidates_[i];
      auto segment = std::make_unique<Segment>(candidate.header, candidate.path, std::move(candidate.file), expected_);
      if (!candidate.header_readable) damaged(candidate.path, 0, expected_, expected_);
      appendable_ = candidate.header_readable;
      take_records(candidate, *segment, i + 1 == candidates_.size());
      out_.segments.push_back(std::move(segment));
    }
    if (!candidates_.empty() && !out_.recovery.cut) finish_last(candidates_.back(), *out_.segments.back());
    for (const auto& [number, path] : unreadable_) {
      if (candidates_.empty() || number > candidates_.back().header.number) lost_end(path, 0);
    }
    out_.next = expected_;
    out_.chain_crc = chain_crc_;
    out_.appendable = appendable_;
    out_.recovery.first = out_.first_sequence;
    out_.recovery.last = {expected_.value - 1};
    out_.recovery.watermark = watermark_found_;
  }

  void take_records(const Candidate& candidate, Segment& segment, bool is_last) {
    const auto declared = declared_ends_.find(candidate.header.number);
    const std::uint64_t limit = declared == declared_ends_.end() ? candidate.header.records_end() : declared->second;
    std::uint64_t cursor = kRecordsBegin;
    out_.unvouched_begin = 0;
    for (const ScannedRecord& record : candidate.scan.records) {
      if (record.offset >= limit) break;
      if (record.header.sequence < expected_) continue;  // cannot be written by us; a hole for what follows
      const bool in_place = record.offset == cursor;
      const bool in_order =
          record.header.sequence == expected_ && (!chain_known_ || record.header.previous_crc == chain_crc_);
      if (!in_place || !in_order) {
        // A whole segment start that does not continue the segment before: that one lost its end (row 11).
        const bool before = in_place && cursor == kRecordsBegin;
        const bool torn = watermark_found_ < expected_ && candidate.scan.unreadable_end <= cursor;
        const bool may_cut = is_last && (torn || planted::is(planted::Bug::kCutIgnoresSyncedTo));
        if (!before && (may_cut || planted::is(planted::Bug::kCutAtBadChecksum))) {
          cut(candidate, cursor);
          break;
        }
        appendable_ = false;
        const bool blame_previous = before && !out_.segments.empty();
        damaged(blame_previous ? out_.segments.back()->path() : candidate.path,
                blame_previous ? out_.segments.back()->end() : cursor, expected_, record.header.sequence);
      }
      if (segment.empty()) segment.set_first(record.header.sequence);
      expected_ = record.header.sequence;
      if (record.header.type == RecordType::kCaller) {
        segment.add(expected_, record.offset);
        ++expected_.value;
      }
      if (out_.unvouched_begin == 0 && record.header.sequence > watermark_found_) {
        out_.unvouched_begin = record.offset;
      }
      chain_crc_ = record.header.header_crc;
      chain_known_ = true;
      cursor = record.end();
      segment.set_end(cursor);
    }
    if (out_.unvouched_begin == 0) out_.unvouched_begin = cursor;
  }

  void finish_last(const Candidate& candidate, const Segment& segment) {
    const bool ignored = planted::is(planted::Bug::kCutIgnoresSyncedTo) || planted::is(planted::Bug::kCutAtBadChecksum);
    if (watermark_found_ >= expected_ && !ignored) {
      const Sequence end{watermark_found_.value + 1};
      damaged(candidate.path, segment.end(), expected_, end);
      expected_ = end;
      appendable_ = false;
    } else if ((candidate.header_readable && candidate.file_size < candidate.header.size) ||
               candidate.scan.unreadable_end > segment.end()) {
      lost_end(candidate.path, segment.end());  // pitfall F5: segments are made at full size
    } else if (candidate.scan.last_trace >= segment.end()) {
      cut(candidate, segment.end());
    }
  }

  FileSystem& files_;
  const std::string& directory_;
  const std::uint64_t segment_size_;
  const Log::Watermark& watermark_;
  const OpenMode mode_;
  std::vector<Candidate> candidates_;
  std::vector<std::pair<std::uint64_t, std::string>> unreadable_;  // number and path, unused as far as one can see
  std::map<std::uint64_t, std::uint64_t> declared_ends_;
  Sequence watermark_found_;
  Sequence expected_;
  std::uint32_t chain_crc_ = 0;
  bool chain_known_ = false;
  bool appendable_ = false;
  RecoveredLog out_;
};

}  // namespace

Result<std::optional<SegmentHeader>> read_segment_header(File& file) {
  auto size = file.size();
  if (!size) return size.error();
  for (const std::uint64_t offset : {std::uint64_t{0}, *size >= kSectorSize ? *size - kSectorSize : 0}) {
    std::array<char, kSegmentHeaderSize> bytes{};
    auto read = file.read_at(offset, bytes);
    if (!read && read.error().code != ErrorCode::kIo) return read.error();
    auto header = decode_segment_header({bytes.data(), read ? *read : 0});
    if (!header || *header) return header;
  }
  return std::optional<SegmentHeader>();
}

Status replay(const std::vector<std::unique_ptr<Segment>>& segments, const Log::Visitor& visitor) {
  for (const auto& segment : segments) {
    FileWindow window(segment->file(), segment->header().size, FileWindow::Unreadable::kIsDamage);
    Status done = segment->for_each([&](Sequence sequence, std::uint64_t offset) -> Status {
      auto fixed = window.at(offset, kRecordHeaderSize + kHeaderSizeMax);
      if (!fixed) return fixed.error();
      const auto header = decode_record_header(*fixed, offset);
      const std::uint64_t payload_offset = header ? header->payload_offset() : 0;
      auto whole = window.at(offset, payload_offset + (header ? header->payload_size : 0));
      if (!whole) return whole.error();
      const std::string_view payload = whole->substr(std::min<std::size_t>(payload_offset, whole->size()));
      if (!header || header->sequence != sequence || payload.size() != header->payload_size ||
          crc32c(payload) != header->payload_crc) {
        return Error{ErrorCode::kCorrupt, segment->path() + " at offset " + std::to_string(offset) +
                                              ": a record changed between two readings"};
      }
      visitor({.sequence = sequence,
               .kind = header->kind,
               .header = whole->substr(kRecordHeaderSize, header->header_size),
               .payload = SharedBytes::copy_of(payload),
               .payload_crc = header->payload_crc,
               .position = {segment->number(), offset}});
      return Done{};
    });
    if (!done) return done;
  }
  return Done{};
}

Result<RecoveredLog> recover(FileSystem& files, const std::string& directory, std::uint64_t segment_size,
                             const Log::Watermark& watermark, OpenMode mode) {
  return Recoverer(files, directory, segment_size, watermark, mode).run();
}

}  // namespace redraft::wal
