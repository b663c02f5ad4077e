#pragma once

namespace redraft::store {

// Long loops call `breathe` every few hundred elements; whoever runs the node serves its peers and timers there and
// applies nothing (architecture, section 7).
class Breather {
 public:
  virtual ~Breather() = default;
  virtual void breathe() = 0;
};

// For tests and for whoever has nobody to serve.
class NoBreather final : public Breather {
 public:
  void breathe() override {}
};

// One step for each element; every 256th breathes.
class Steps {
 public:
  explicit Steps(Breather& breather) : breather_(breather) {}
  void step() {
    if (++steps_ % 256 == 0) breather_.breathe();
  }

 private:
  Breather& breather_;
  unsigned steps_ = 0;
};

}  // namespace redraft::store
