#include "snapshot/digest_state.h"

#include <xxhash.h>

#include <cstring>

#include "base/check.h"

namespace redraft::snapshot {

struct DigestState::State {
  XXH3_state_t* xxh3 = XXH3_createState();
  State() { ensure(xxh3 != nullptr, "memory for a digest is there"); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(xxh3); }
};

DigestState::DigestState() : state_(std::make_unique<State>()) {
  reset();
}
DigestState::~DigestState() = default;
DigestState::DigestState(DigestState&&) noexcept = default;
DigestState& DigestState::operator=(DigestState&&) noexcept = default;

void DigestState::reset() {
  ensure(XXH3_128bits_reset(state_->xxh3) == XXH_OK, "a digest can be begun");
}

void DigestState::update(std::string_view bytes) {
  if (bytes.empty()) return;
  ensure(XXH3_128bits_update(state_->xxh3, bytes.data(), bytes.size()) == XXH_OK, "a digest can be continued");
}

Digest DigestState::digest() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh3));
  Digest digest;
  static_assert(sizeof canonical.digest == sizeof digest);
  std::memcpy(digest.data(), canonical.digest, digest.size());
  return digest;
}

}  // namespace redraft::snapshot
