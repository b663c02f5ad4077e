#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/client.h"
#include "tests/sim/history.h"

namespace redraft::sim {

// One kind of use of the server by several clients, and what must hold of the answers. The verdict is asked for once,
// when the faults are over and the state has been read.
class Workload {
 public:
  virtual ~Workload() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Before the faults begin.
  [[nodiscard]] virtual std::vector<Command> set_up() { return {}; }
  // One round; `done` when the client is free again.
  virtual void step(Client& client, std::function<void()> done) = 0;
  [[nodiscard]] virtual std::vector<Command> final_reads() = 0;
  [[nodiscard]] virtual Verdict verdict(const std::vector<resp::Reply>& finals) = 0;
  // It has rounds without writes, for clients that only read.
  [[nodiscard]] virtual bool can_only_read() const { return false; }
  // What was noticed at once.
  [[nodiscard]] const Verdict& noticed() const { return noticed_; }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }

 protected:
  explicit Workload(Schedule& schedule) : schedule_(schedule) {}
  // Done, and with a reply of this type; anything else that was done is an error nobody expects here.
  [[nodiscard]] bool got(const Answer& answer, resp::Reply::Type type);
  [[nodiscard]] bool got_bulk_or_null(const Answer& answer);
  void notice(const std::string& what) {
    if (!noticed_) noticed_ = std::string(name()) + ": " + what;
  }
  [[nodiscard]] std::uint64_t now() const { return schedule_.now_us(); }

  Schedule& schedule_;
  Verdict noticed_;
  std::uint64_t answered_ = 0;
};

enum class WorkloadKind : std::uint8_t {
  kCounters,
  kRegisters,
  kLists,
  kCompareAndSet,
  kExpiry,
  kSetPops,
  kQueue,
  kPipelines,
  kBank,
  kMix,
  kTypes,
  kLarge,
};
inline constexpr std::size_t kWorkloadCount = 12;

struct WorkloadOptions {
  std::uint64_t seed = 0;
  // How much earlier than its time a key may go: what the nodes' clocks differ by.
  std::uint64_t early_expiry_us = 0;
};
[[nodiscard]] std::unique_ptr<Workload> make_workload(WorkloadKind kind, Schedule& schedule,
                                                      const WorkloadOptions& options);

}  // namespace redraft::sim
