#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "server/replica/session.h"

namespace redraft::net {

// What client connections need of the replica, so that they can be tested without one. Calls have the meaning they have
// in replica::Replica.
class ClientSink {
 public:
  virtual ~ClientSink() = default;

  // Something happens on a client's socket: the turn begins if it has not, before the replica hears of it.
  virtual void begin_turn() = 0;

  [[nodiscard]] virtual replica::Session& client_connected(replica::ClientAddress address) = 0;
  [[nodiscard]] virtual std::span<char> input_space(replica::Session& session, std::size_t suggested) = 0;
  virtual void client_input(replica::Session& session, std::size_t size) = 0;
  virtual void client_closed(replica::Session& session) = 0;
  [[nodiscard]] virtual bool admit_admin(const replica::ClientAddress& address) const = 0;

  // Past it the clients with the largest buffers have to leave; 0: no limit. Asked only while there is a setting.
  [[nodiscard]] virtual std::uint64_t clients_memory_max() = 0;

  // For INFO.
  virtual void count_written(std::size_t bytes) = 0;
  virtual void count_rejected() = 0;
  virtual void count_output_limit() = 0;
  virtual void count_evicted() = 0;
};

}  // namespace redraft::net
