#pragma once

namespace redraft::store {

// Long loops call `breathe` every few hundred elements; whoever runs the node serves its peers and timers there and
// applies nothing (architecture, section 7).
class Breather {
 public:
  virtual ~Breather() = default;
  virtual void breathe() = 0;
};

}  // namespace redraft::store
