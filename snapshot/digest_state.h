#pragma once

#include <memory>
#include <string_view>

#include "snapshot/format.h"

namespace redraft::snapshot {

// XXH3-128 over bytes that arrive in pieces.
class DigestState {
 public:
  DigestState();
  ~DigestState();
  DigestState(DigestState&&) noexcept;
  DigestState& operator=(DigestState&&) noexcept;

  void update(std::string_view bytes);
  [[nodiscard]] Digest digest() const;
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace redraft::snapshot
