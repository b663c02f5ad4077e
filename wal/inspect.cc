#include "wal/inspect.h"

#include <utility>

#include "wal/recover.h"

namespace redraft::wal {

Result<Inspection> inspect(FileSystem& files, const std::string& directory, const Log::Visitor& visitor) {
  auto recovered = recover(files, directory, Options{}.segment_size, {}, OpenMode::kRead);
  if (!recovered) return recovered.error();
  Inspection inspection;
  inspection.recovery = std::move(recovered->recovery);
  inspection.segments = recovered->segments.size();
  if (!recovered->segments.empty()) {
    inspection.newest_segment = recovered->segments.back()->number();
    inspection.end_file = recovered->segments.back()->path();
    inspection.end_offset = recovered->segments.back()->end();
  }
  if (Status done = replay(recovered->segments, visitor); !done) return done.error();
  return inspection;
}

}  // namespace redraft::wal
