#pragma once

#include <cstdint>

#include "resp/reply_reader.h"
#include "server/commands/context.h"
#include "server/commands/script_host.h"
#include "server/store/breather.h"
#include "server/store/store.h"
#include "tests/sim/operation.h"

namespace redraft::sim {

// A store of the production code in which every command runs alone, in the order of the log, on one node that nothing
// ever happens to. It judges the commands of which a second model would only say again what the server's code says:
// that their replies are Redis's is what the differential tests are for; here they must be those of one undisturbed
// life, orders of elements included. Its keys are apart from those of the model.
class Reference final : private commands::Surroundings, private store::Breather {
 public:
  Reference();

  // True for what it judges: scripts and functions, and what names one of its keys.
  [[nodiscard]] static bool judges(const Command& command);

  void begin_entry(std::uint64_t index, std::uint64_t clock_ms);
  // A write of the entry that was begun; `seed` is the entry's for this command.
  [[nodiscard]] resp::Reply apply(const Command& command, const commands::Origin& origin, std::uint64_t seed);
  [[nodiscard]] resp::Reply read(const Command& command, std::uint64_t clock_ms);

 private:
  [[nodiscard]] resp::Reply run(const Command& command, const commands::Origin& origin, std::uint64_t seed,
                                std::uint64_t clock_ms, bool applying);
  resp::Writer* waiting_client(const commands::Origin&) override { return nullptr; }
  void notify(commands::Event, std::string_view, std::string_view, std::uint32_t) override {}
  commands::ScriptHost* script_host() override { return &script_host_; }
  void breathe() override {}

  store::Store store_;
  commands::ScriptHost script_host_;
  std::uint64_t index_ = 0;
  std::uint64_t clock_ms_ = 0;
};

}  // namespace redraft::sim
