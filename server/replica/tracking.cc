#include "server/replica/tracking.h"

#include <utility>

namespace redraft::replica {

namespace {

constexpr std::string_view kChannel = "__redis__:invalidate";

// What a session's tracking means for the one that gets its invalidations.
void write_invalidation(resp::Writer& writer, bool as_message, std::span<const std::string_view> keys) {
  if (as_message) {
    writer.array(3);
    writer.bulk("message");
    writer.bulk(kChannel);
  } else {
    writer.push(2);
    writer.bulk("invalidate");
  }
  if (keys.empty()) {
    writer.null();
    return;
  }
  writer.array(keys.size());
  for (const std::string_view key : keys) writer.bulk(key);
}

}  // namespace

void Tracking::enable(Session& session, TrackingState options) {
  if (session.tracking == nullptr) {
    session.tracking = std::make_unique<TrackingState>();
    if (++trackers_ == 1) any_changed_();
  }
  TrackingState& state = *session.tracking;
  options.prefixes.merge(state.prefixes);
  if (options.broadcast && options.prefixes.empty()) options.prefixes.emplace();
  state = std::move(options);
  for (const std::string& prefix : state.prefixes) prefixes_[prefix].sessions.insert(session.id());
}

void Tracking::drop_prefixes(Session& session) {
  for (const std::string& prefix : session.tracking->prefixes) {
    const auto found = prefixes_.find(prefix);
    if (found == prefixes_.end()) continue;
    found->second.sessions.erase(session.id());
    if (found->second.sessions.empty()) prefixes_.erase(found);
  }
}

// The keys it was told stay in the table; a session that is not found or does not track is passed over.
void Tracking::disable(Session& session) {
  if (session.tracking == nullptr) return;
  drop_prefixes(session);
  session.tracking.reset();
  if (--trackers_ > 0) return;
  keys_.clear();
  items_ = 0;
  any_changed_();
}

void Tracking::remember(Session& session, std::span<const std::string_view> arguments,
                        std::span<const std::uint32_t> positions, std::uint64_t keys_max) {
  for (const std::uint32_t position : positions) {
    auto found = keys_.find(arguments[position]);
    if (found == keys_.end()) found = keys_.emplace(arguments[position], std::set<std::uint64_t>()).first;
    if (found->second.insert(session.id()).second) ++items_;
  }
  if (keys_max != 0 && keys_.size() > keys_max) evict(keys_max);
}

// Round and round through the names, so that no key stays for ever.
void Tracking::evict(std::uint64_t keys_max) {
  while (keys_.size() > keys_max) {
    auto next = keys_.upper_bound(evict_after_);
    if (next == keys_.end()) next = keys_.begin();
    evict_after_ = next->first;
    changed(std::string(next->first), 0);
  }
}

void Tracking::changed(std::string_view key, std::uint64_t by) {
  for (auto& [prefix, waiting] : prefixes_) {
    if (key.starts_with(prefix)) waiting.changed.insert_or_assign(std::string(key), by);
  }
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  const std::set<std::uint64_t> told = std::move(found->second);
  const std::string name = found->first;
  keys_.erase(found);
  items_ -= told.size();
  const std::string_view one = name;
  for (const std::uint64_t id : told) {
    Session* session = sessions_.find(id);
    if (session == nullptr || session->tracking == nullptr || session->tracking->broadcast) continue;
    if (session->tracking->no_loop && id == by) continue;
    invalidate(*session, std::span(&one, 1));
  }
}

// No keys: all of them.
void Tracking::invalidate(Session& session, std::span<const std::string_view> keys) {
  TrackingState& state = *session.tracking;
  Session* receiver = &session;
  std::string bytes;
  resp::Writer writer(bytes, session.writer().protocol());
  if (state.redirect != 0) {
    receiver = sessions_.find(state.redirect);
    if (receiver == nullptr) {
      state.broken_redirect = true;
      if (!session.writer().resp3()) return;
      writer.push(2);
      writer.bulk("tracking-redir-broken");
      writer.integer(static_cast<std::int64_t>(state.redirect));
      pushes_.send(session, bytes);
      return;
    }
    writer.set_protocol(receiver->writer().protocol());
  }
  // RESP2 has no pushes: only a subscriber can be told, and only on behalf of another client.
  if (!writer.resp3() && (state.redirect == 0 || !receiver->subscribed())) return;
  write_invalidation(writer, !writer.resp3(), keys);
  pushes_.send(*receiver, bytes);
}

void Tracking::forget_everything() {
  keys_.clear();
  items_ = 0;
  for (auto& [prefix, waiting] : prefixes_) waiting.changed.clear();
  sessions_.for_each([this](Session& session) {
    if (session.tracking != nullptr) invalidate(session, {});
  });
}

void Tracking::broadcast() {
  for (auto& [prefix, waiting] : prefixes_) {
    if (waiting.changed.empty()) continue;
    const auto changed = std::exchange(waiting.changed, {});
    for (const std::uint64_t id : waiting.sessions) {
      Session* session = sessions_.find(id);
      if (session == nullptr || session->tracking == nullptr) continue;
      std::vector<std::string_view> keys;
      for (const auto& [key, by] : changed) {
        if (!session->tracking->no_loop || by != id) keys.emplace_back(key);
      }
      if (!keys.empty()) invalidate(*session, keys);
    }
  }
}

}  // namespace redraft::replica
