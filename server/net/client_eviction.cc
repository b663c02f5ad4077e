#include "server/net/client_eviction.h"

#include <algorithm>

namespace redraft::net {

void ClientEviction::begin() {
  counting_ = true;
  bytes_ = 0;
  ++epoch_;
}

void ClientEviction::count(Client& client) {
  if (!counting_) return;
  forget(client);
  client.memory_epoch = epoch_;
  client.counted_memory = client.session().memory();
  bytes_ += client.counted_memory;
}

void ClientEviction::forget(Client& client) {
  if (client.memory_epoch == epoch_) bytes_ -= client.counted_memory;
  client.counted_memory = 0;
}

std::vector<Client*> ClientEviction::choose(std::vector<Client*> clients, std::uint64_t bytes_max) const {
  std::erase_if(clients, [](Client* client) { return client->session().no_evict; });
  std::ranges::sort(clients, [](const Client* one, const Client* other) {
    if (one->counted_memory != other->counted_memory) return one->counted_memory > other->counted_memory;
    return one->number() < other->number();
  });
  std::uint64_t left = bytes_;
  std::size_t gone = 0;
  while (gone < clients.size() && left >= bytes_max) left -= clients[gone++]->counted_memory;
  clients.resize(gone);
  return clients;
}

}  // namespace redraft::net
