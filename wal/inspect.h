#pragma once

#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "wal/log.h"

namespace redraft::wal {

// What opening a log would find, without changing anything: for tools.
struct Inspection {
  Recovery recovery;
  std::size_t segments = 0;
  std::uint64_t newest_segment = 0;  // its number; 0: there is none
  // Where the live records end; empty when there are none.
  std::string end_file;
  std::uint64_t end_offset = 0;
};
// Hands every readable record to `visitor`. A directory that does not exist is kNotFound.
[[nodiscard]] Result<Inspection> inspect(FileSystem& files, const std::string& directory, const Log::Visitor& visitor);

}  // namespace redraft::wal
