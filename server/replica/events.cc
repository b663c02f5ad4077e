#include "server/replica/events.h"

#include "server/replica/engine.h"
#include "server/replica/keyspace_events.h"

namespace redraft::replica {
namespace {

// Every node says once a second that it is there.
constexpr std::uint64_t kHeardWithin_us = 3'000'000;
// Past so many bytes on their way to a node a message is not sent there; that node notices by its number.
constexpr std::size_t kRelayUnsentMax = std::size_t{64} << 20;

}  // namespace

// ---- Publishing

std::uint64_t Events::publish(std::string_view channel, std::string_view message, bool sharded) {
  relay_.send({sharded, channel, message}, [this](const std::string& header, const SharedBytes& bytes) {
    if (engine_.raft_ == nullptr) return;
    for (const raft::Member& member : engine_.raft_->configuration().members()) {
      if (member.id.value == engine_.node_ || engine_.peers_.unsent_bulk(member.id.value) > kRelayUnsentMax) continue;
      static_cast<void>(engine_.peers_.send_relay(member.id.value, header, bytes));
    }
  });
  return engine_.pubsub_.publish(channel, message, sharded);
}

std::uint64_t Events::publish_applied(std::string_view channel, std::string_view message, bool sharded) {
  return engine_.replaying() ? 0 : engine_.pubsub_.publish(channel, message, sharded);
}

void Events::relay_ready(std::uint64_t node) {
  static_cast<void>(engine_.peers_.send_relay(node, relay_.greeting(), {}));
}

void Events::relay_frame(std::uint64_t from, std::uint64_t boot, SharedBytes frame) {
  const bool whole = relay_.receive(from, boot, frame.view(), [this](const Relay::Message& message) {
    engine_.pubsub_.publish(message.channel, message.text, message.sharded);
  });
  if (whole) return;
  engine_.host_.log(LogLevel::kNotice, "Messages published on node " + std::to_string(from) + " were missed");
  miss_messages();
}

void Events::miss_messages() {
  if (!engine_.pubsub_.any()) return;
  engine_.sessions_.for_each([this](Session& session) {
    if (session.subscribed() && !session.closing) engine_.close_after_replies(session);
  });
}

void Events::heard(std::uint64_t node) {
  peers_heard_us_[node] = engine_.now_.monotonic_us;
}

// A majority was heard of late, this node included: then nothing happens that it will not hear of, for whoever is not
// heard now is asked what was missed when the link is back.
bool Events::in_touch() const {
  if (engine_.raft_ == nullptr) return true;
  std::size_t heard = 1;
  for (const raft::Member& member : engine_.raft_->configuration().members()) {
    const auto last = peers_heard_us_.find(member.id.value);
    if (last != peers_heard_us_.end() && engine_.now_.monotonic_us < last->second + kHeardWithin_us) ++heard;
  }
  return 2 * heard > engine_.raft_->configuration().members().size();
}

void Events::notice_lost_touch() {
  if (engine_.leading() || engine_.leader_known() || in_touch()) {
    out_of_touch_us_ = 0;
    told_out_of_touch_ = false;
    return;
  }
  if (out_of_touch_us_ == 0) out_of_touch_us_ = engine_.now_.monotonic_us;
  const std::uint64_t wait_us = std::uint64_t{engine_.settings_.values().leaderless_wait_ms} * 1000;
  if (told_out_of_touch_ || engine_.now_.monotonic_us < out_of_touch_us_ + wait_us) return;
  told_out_of_touch_ = true;
  forget_tracked();
  miss_messages();
}

// ---- Keyspace events

// The store tells of keys that go and, only where somebody wants to know, of those that change or are missed.
void Events::attach_store() {
  engine_.store_->set_breather(engine_);
  engine_.store_->on_expired([this](std::uint32_t db, std::string_view name) {
    ++engine_.statistics_.expired_keys;
    if (engine_.tracking_.any()) engine_.tracking_.changed(name, 0);
    if (!engine_.expiry_is_quiet_) notify(commands::Event::kExpired, "expired", name, db);
  });
  observe_keys();
}

void Events::observe_keys() {
  event_bits_ = event_bits(engine_.settings_.values().keyspace_events);
  if (engine_.store_ == nullptr) return;
  engine_.store_->observe_changes(engine_.tracking_.any() ? this : nullptr);
  engine_.store_->observe_misses((event_bits_ & event_bit(commands::Event::kMissed)) != 0 ? this : nullptr);
}

void Events::notify(commands::Event event, std::string_view name, std::string_view key, std::uint32_t db) {
  if ((event_bits_ & event_bit(event)) == 0 || !engine_.pubsub_.any() || engine_.replaying()) return;
  const std::string number = std::to_string(db);
  if ((event_bits_ & event_bit('K')) != 0) {
    engine_.pubsub_.publish("__keyspace@" + number + "__:" + std::string(key), name, false);
  }
  if ((event_bits_ & event_bit('E')) != 0) {
    engine_.pubsub_.publish("__keyevent@" + number + "__:" + std::string(name), key, false);
  }
}

void Events::key_missed(std::uint32_t db, std::string_view name) {
  notify(commands::Event::kMissed, "keymiss", name, db);
}

// ---- Tracking

void Events::key_changed(std::uint32_t, std::string_view name) {
  engine_.tracking_.changed(name, engine_.executing_);
}

// FLUSHALL says it once for every database.
void Events::database_changed(std::uint32_t) {
  if (told_to_forget_) return;
  told_to_forget_ = true;
  engine_.tracking_.forget_everything();
}

void Events::forget_tracked() {
  if (engine_.tracking_.any()) engine_.tracking_.forget_everything();
}

void Events::remember_read(Session& session, const commands::Command& command,
                           std::span<const std::string_view> arguments, bool caching) {
  const TrackingState& state = *session.tracking;
  if (state.broadcast || !command.is(commands::kReadonly)) return;
  if ((state.opt_in && !caching) || (state.opt_out && caching)) return;
  std::vector<std::uint32_t> positions;
  commands::find_key_positions(command, arguments, positions);
  engine_.tracking_.remember(session, arguments, positions, engine_.settings_.values().tracking_table_max_keys);
}

}  // namespace redraft::replica
