#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/base/fault_file_system.h"
#include "tests/base/random.h"

namespace redraft::sim {

using testing::Random;

struct RottenSpot {
  std::string path;
  std::uint64_t bit = 0;
};

// Where a bit may turn on a disk that is not in use: in a file of which the node can tell that it is damaged. In the
// log these are the records at or below the newest mark of what is durable; a flip behind it cannot be told from the
// torn end that a power cut leaves (storage-faults row 3). Nothing when there is no such place.
[[nodiscard]] std::optional<RottenSpot> find_rotten_spot(testing::FaultFileSystem& files, Random& random);

}  // namespace redraft::sim
