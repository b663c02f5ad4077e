#pragma once

#include <cstdint>

#include "server/store/breather.h"

namespace redraft::store {

// Long work that nobody waits for: only how often it would have breathed is told.
class NoBreath final : public Breather {
 public:
  void breathe() override { ++breaths; }
  std::uint64_t breaths = 0;
};

}  // namespace redraft::store
