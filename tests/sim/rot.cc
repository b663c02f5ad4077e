#include "tests/sim/rot.h"

#include <algorithm>
#include <vector>

#include "wal/recover.h"
#include "wal/segment_scan.h"

namespace redraft::sim {
namespace {

struct Record {
  std::string path;
  std::uint64_t offset;
  std::uint64_t end;
  wal::Sequence sequence;
};

// Mostly the newest segment: what is wrong there may look like a torn end.
std::optional<RottenSpot> spot_in_log(testing::FaultFileSystem& files, const std::vector<std::string>& segments,
                                      Random& random) {
  wal::Sequence durable;
  std::vector<Record> records;
  for (const std::string& path : segments) {
    Result<std::unique_ptr<File>> file = files.open(path, OpenMode::kRead);
    if (!file) continue;
    auto header = wal::read_segment_header(**file);
    if (!header || !*header) continue;
    Result<wal::SegmentScan> scan = wal::scan_segment(**file, **header, {});
    if (!scan) continue;
    durable = std::max(durable, scan->watermark);
    for (const wal::ScannedRecord& record : scan->records) {
      records.push_back({path, record.offset, record.end(), record.header.sequence});
    }
  }
  std::erase_if(records, [durable](const Record& record) { return record.sequence > durable; });
  if (records.empty()) return std::nullopt;
  std::ranges::stable_sort(records, {}, &Record::sequence);
  const std::size_t newest = std::min<std::size_t>(records.size(), 8);
  const std::size_t back = random.chance(2, 3) ? random.below(newest) : random.below(records.size());
  const Record& record = records[records.size() - 1 - back];
  return RottenSpot{record.path, random.between(record.offset * 8, record.end * 8 - 1)};
}

}  // namespace

std::optional<RottenSpot> find_rotten_spot(testing::FaultFileSystem& files, Random& random) {
  std::vector<std::string> segments;
  std::vector<std::string> others;
  for (std::string& path : files.paths()) {
    if (files.content(path).empty()) continue;
    (path.find("/wal/") != std::string::npos ? segments : others).push_back(std::move(path));
  }
  if (!others.empty() && random.chance(1, 3)) {
    const std::string& path = others[random.below(others.size())];
    return RottenSpot{path, random.below(files.content(path).size() * 8)};
  }
  return spot_in_log(files, segments, random);
}

}  // namespace redraft::sim
