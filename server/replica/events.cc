#include "resp/writer.h"
#include "server/replica/engine.h"
#include "server/replica/keyspace_events.h"

// What clients of this node are told unasked: published messages, keyspace events, invalidations of their caches,
// MONITOR's lines (redis-semantics, "Pub/sub, keyspace events, tracking").

namespace redraft::replica {

namespace {

// Every node says once a second that it is there.
constexpr std::uint64_t kHeardWithin_us = 3'000'000;
// Past so many bytes on their way to a node a message is not sent there; that node notices by its number.
constexpr std::size_t kRelayUnsentMax = std::size_t{64} << 20;

}  // namespace

// ---- Publishing

// Takes no entry. The connection's earlier writes are committed, since node-local commands wait for them.
std::uint64_t Engine::publish(std::string_view channel, std::string_view message, bool sharded) {
  relay_.send({sharded, channel, message}, [this](const std::string& header, const SharedBytes& bytes) {
    if (raft_ == nullptr) return;
    for (const raft::Member& member : raft_->configuration().members()) {
      if (member.id.value == node_ || peers_.unsent_bulk(member.id.value) > kRelayUnsentMax) continue;
      static_cast<void>(peers_.send_relay(member.id.value, header, bytes));
    }
  });
  return pubsub_.publish(channel, message, sharded);
}

std::uint64_t Engine::publish_applied(std::string_view channel, std::string_view message, bool sharded) {
  return replaying() ? 0 : pubsub_.publish(channel, message, sharded);
}

void Engine::relay_ready(std::uint64_t node) {
  static_cast<void>(peers_.send_relay(node, relay_.greeting(), {}));
}

void Engine::relay_frame(std::uint64_t from, std::uint64_t boot, SharedBytes frame) {
  const bool whole = relay_.receive(from, boot, frame.view(), [this](const Relay::Message& message) {
    pubsub_.publish(message.channel, message.text, message.sharded);
  });
  if (whole) return;
  host_.log(LogLevel::kNotice, "Messages published on node " + std::to_string(from) + " were missed");
  miss_events();
}

// Subscribers that may wait for what will never come notice by losing their connection, and subscribe anew.
void Engine::miss_events() {
  if (!pubsub_.any()) return;
  sessions_.for_each([this](Session& session) {
    if (session.subscribed() && !session.closing) close_after_replies(session);
  });
}

// A majority was heard of late, this node included: then nothing happens that it will not hear of, for whoever is not
// heard now is asked what was missed when the link is back.
bool Engine::in_touch() const {
  if (raft_ == nullptr) return true;
  std::size_t heard = 1;
  for (const raft::Member& member : raft_->configuration().members()) {
    const auto last = peers_heard_us_.find(member.id.value);
    if (last != peers_heard_us_.end() && now_.monotonic_us < last->second + kHeardWithin_us) ++heard;
  }
  return 2 * heard > raft_->configuration().members().size();
}

// Without leader and majority for a while this node may be cut off from where things happen.
void Engine::notice_lost_touch() {
  if (leading() || leader_known() || in_touch()) {
    out_of_touch_us_ = 0;
    told_out_of_touch_ = false;
    return;
  }
  if (out_of_touch_us_ == 0) out_of_touch_us_ = now_.monotonic_us;
  const std::uint64_t wait_us = std::uint64_t{settings_.values().leaderless_wait_ms} * 1000;
  if (told_out_of_touch_ || now_.monotonic_us < out_of_touch_us_ + wait_us) return;
  told_out_of_touch_ = true;
  forget_tracked();
  miss_events();
}

// ---- Keyspace events

// The store tells of keys that go and, only where somebody wants to know, of those that change or are missed.
void Engine::attach_store() {
  store_->set_breather(*this);
  store_->on_expired([this](std::uint32_t db, std::string_view name) {
    ++statistics_.expired_keys;
    if (tracking_.any()) tracking_.changed(name, 0);
    if (!expiry_is_quiet_) notify(commands::Event::kExpired, "expired", name, db);
  });
  observe_keys();
}

void Engine::observe_keys() {
  event_bits_ = event_bits(settings_.values().keyspace_events);
  if (store_ == nullptr) return;
  store_->observe_changes(tracking_.any() ? this : nullptr);
  store_->observe_misses((event_bits_ & event_bit(commands::Event::kMissed)) != 0 ? this : nullptr);
}

void Engine::notify(commands::Event event, std::string_view name, std::string_view key, std::uint32_t db) {
  if ((event_bits_ & event_bit(event)) == 0 || !pubsub_.any() || replaying()) return;
  const std::string number = std::to_string(db);
  if ((event_bits_ & event_bit('K')) != 0) {
    pubsub_.publish("__keyspace@" + number + "__:" + std::string(key), name, false);
  }
  if ((event_bits_ & event_bit('E')) != 0) {
    pubsub_.publish("__keyevent@" + number + "__:" + std::string(name), key, false);
  }
}

void Engine::key_missed(std::uint32_t db, std::string_view name) {
  notify(commands::Event::kMissed, "keymiss", name, db);
}

// ---- Tracking

void Engine::key_changed(std::uint32_t, std::string_view name) {
  tracking_.changed(name, executing_);
}

// FLUSHALL says it once for every database.
void Engine::database_changed(std::uint32_t) {
  if (told_to_forget_) return;
  told_to_forget_ = true;
  tracking_.forget_everything();
}

// This node will not notice changes, or has not.
void Engine::forget_tracked() {
  if (tracking_.any()) tracking_.forget_everything();
}

void Engine::remember_read(Session& session, const commands::Command& command, Arguments arguments, bool caching) {
  const TrackingState& state = *session.tracking;
  if (state.broadcast || !command.is(commands::kReadonly)) return;
  if ((state.opt_in && !caching) || (state.opt_out && caching)) return;
  std::vector<std::uint32_t> positions;
  commands::find_key_positions(command, arguments, positions);
  tracking_.remember(session, arguments, positions, settings_.values().tracking_table_max_keys);
}

// ---- MONITOR

void Engine::feed_monitors(const Session* session, std::uint64_t node, std::uint32_t db,
                           const commands::Command& command, Arguments arguments) {
  if (!replaying()) monitors_.show(now_, Monitors::name_of(session, node), db, command, arguments);
}

}  // namespace redraft::replica
