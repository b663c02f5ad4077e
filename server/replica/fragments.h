#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/commands/context.h"

namespace redraft::replica {

// Commands larger than an entry arrive piece by piece and take effect with the last one. What has arrived is replicated
// state: it is in the snapshot, and dropped at the next term's first entry, since the client that sent it was told
// then.
class Fragments {
 public:
  // `size` of the whole command, where it is known: growing by doubling would copy hundreds of megabytes at once.
  void append(const commands::Origin& origin, std::string_view piece, std::size_t size = 0) {
    std::string& whole = unfinished_[origin];
    if (whole.empty()) whole.reserve(size);
    whole.append(piece);
    bytes_ += piece.size();
  }
  // Everything that arrived of the command, which is forgotten here.
  [[nodiscard]] std::string take(const commands::Origin& origin) {
    auto node = unfinished_.extract(origin);
    if (node.empty()) return {};
    bytes_ -= node.mapped().size();
    return std::move(node.mapped());
  }
  void clear() {
    unfinished_.clear();
    bytes_ = 0;
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] const std::map<commands::Origin, std::string>& all() const { return unfinished_; }

 private:
  std::map<commands::Origin, std::string> unfinished_;
  std::size_t bytes_ = 0;
};

// One that a client of this node sent, on its way into the log.
struct InPieces {
  std::uint64_t session = 0;
  std::uint64_t number = 0;
  std::string encoded;
  std::size_t offset = 0;  // of what is not proposed yet
};

}  // namespace redraft::replica
