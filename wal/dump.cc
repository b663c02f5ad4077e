#include <algorithm>
#include <string>

#include "wal/codec.h"
#include "wal/log.h"
#include "wal/recover.h"
#include "wal/segment_scan.h"

namespace redraft::wal {
namespace {

std::string describe(const ScannedRecord& record) {
  const RecordHeader& header = record.header;
  std::string text = "  offset " + std::to_string(record.offset) + " sequence " +
                     std::to_string(header.sequence.value) + " synced_to " + std::to_string(header.synced_to.value);
  switch (header.type) {
    case RecordType::kCaller:
      return text + " kind " + std::to_string(header.kind) + " header " + std::to_string(header.header_size) +
             " payload " + std::to_string(header.payload_size);
    case RecordType::kSegmentStart:
      text += " segment start, previous segment " + std::to_string(record.body.previous_segment) + " ends at " +
              std::to_string(record.body.previous_end);
      break;
    case RecordType::kIdleMarker:
      text += " idle marker";
      break;
    case RecordType::kRelease:
      text += " release";
      break;
  }
  return text + ", log begins with segment " + std::to_string(record.body.first_segment) + " sequence " +
         std::to_string(record.body.first_sequence.value);
}

}  // namespace

Status dump(FileSystem& files, const std::string& directory, const std::function<void(std::string_view)>& line,
            const Meaning& meaning) {
  auto names = files.list(directory);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!segment_number_of(name)) continue;
    auto file = files.open(directory + "/" + name, OpenMode::kRead);
    if (!file) return file.error();
    auto size = (*file)->size();
    if (!size) return size.error();
    auto found = read_segment_header(**file);
    if (!found) return Error{found.error().code, name + ": " + found.error().message};
    SegmentHeader header{.number = *segment_number_of(name),
                         .salt = 0,
                         .size = std::max(*size, kSegmentSizeMin) / kSectorSize * kSectorSize};
    if (*found) header = **found;
    auto scan = scan_segment(**file, header, {});
    if (!scan) return scan.error();
    line(name + " segment " + std::to_string(header.number) + " size " + std::to_string(header.size) +
         (*found ? "" : ", header damaged") + (scan->used ? "" : ", unused"));
    std::uint64_t cursor = kRecordsBegin;
    for (const ScannedRecord& record : scan->records) {
      if (record.offset != cursor) {
        line("  offset " + std::to_string(cursor) + " no valid record in " + std::to_string(record.offset - cursor) +
             " bytes");
      }
      const bool callers = record.header.type == RecordType::kCaller;
      line(describe(record) + (callers && meaning ? meaning(record.header.sequence) : std::string()));
      cursor = record.end();
    }
    if (scan->last_trace >= cursor) {
      line("  offset " + std::to_string(cursor) + " remains of a record that is not whole");
    }
  }
  return Done{};
}

}  // namespace redraft::wal
