#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "server/net/clients.h"
#include "server/net/listener.h"

namespace redraft::net {

// Clients while a script keeps the thread (docs/decisions/0008-busy-scripts.md). The main loop must not be run from
// inside one of its own callbacks, so this asks the kernel itself: which idle clients have sent something, and who
// wants to connect. Holds nothing between two calls. Lives on the main loop's thread.
class BusyClients {
 public:
  // Both outlive it.
  BusyClients(Clients& clients, std::vector<std::unique_ptr<Listener>>& listeners)
      : clients_(clients), listeners_(listeners) {}

  // Reads, and writes what came of it. Every hundredth of a second is enough for a person, and leaves the script its
  // time however many clients there are; what is called sooner returns at once.
  void serve(std::uint64_t now_us);

 private:
  Clients& clients_;
  std::vector<std::unique_ptr<Listener>>& listeners_;
  std::uint64_t served_us_ = 0;
  std::vector<pollfd> polled_;  // the listeners, then `idle_`
  std::vector<Client*> idle_;
};

}  // namespace redraft::net
