#include "server/net/busy_clients.h"

namespace redraft::net {

namespace {

constexpr std::uint64_t kInterval_us = 10'000;

}  // namespace

void BusyClients::serve(std::uint64_t now_us) {
  if (now_us < served_us_ + kInterval_us) return;
  served_us_ = now_us;
  polled_.clear();
  idle_.clear();
  clients_.collect_idle(idle_);
  // What they were answered before the script began would have left at the end of this turn.
  for (Client* client : idle_) clients_.flush_now(*client);
  for (const std::unique_ptr<Listener>& listener : listeners_) polled_.push_back({listener->descriptor(), POLLIN, 0});
  for (const Client* client : idle_) polled_.push_back({client->closed() ? -1 : client->descriptor(), POLLIN, 0});
  if (poll(polled_.data(), polled_.size(), 0) <= 0) return;
  // Clients that go are kept until the next turn, so none of these pointers dangles.
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    if (polled_[listeners_.size() + i].revents == 0 || idle_[i]->closed()) continue;
    idle_[i]->read_now();
    clients_.flush_now(*idle_[i]);
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (polled_[i].revents != 0) listeners_[i]->accept_now();
  }
}

}  // namespace redraft::net
