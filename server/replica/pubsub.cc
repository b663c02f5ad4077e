#include "server/replica/pubsub.h"

#include <array>

#include "server/commands/glob.h"

namespace redraft::replica {

namespace {

Subscriptions::Names& names_in(Subscriptions& subscriptions, PubSub::Kind kind) {
  switch (kind) {
    case PubSub::Kind::kChannel:
      return subscriptions.channels;
    case PubSub::Kind::kPattern:
      return subscriptions.patterns;
    case PubSub::Kind::kShardChannel:
      break;
  }
  return subscriptions.shard_channels;
}

}  // namespace

PubSub::Listeners& PubSub::listeners(Kind kind) {
  return kind == Kind::kChannel ? channels_ : kind == Kind::kPattern ? patterns_ : shard_channels_;
}

const PubSub::Listeners& PubSub::listeners(Kind kind) const {
  return kind == Kind::kChannel ? channels_ : kind == Kind::kPattern ? patterns_ : shard_channels_;
}

bool PubSub::subscribe(Session& session, Kind kind, std::string_view name) {
  if (session.subscriptions == nullptr) session.subscriptions = std::make_unique<Subscriptions>();
  if (!names_in(*session.subscriptions, kind).emplace(name).second) return false;
  listeners(kind)[std::string(name)].emplace(session.id(), &session);
  return true;
}

bool PubSub::unsubscribe(Session& session, Kind kind, std::string_view name) {
  if (session.subscriptions == nullptr) return false;
  Subscriptions::Names& names = names_in(*session.subscriptions, kind);
  const auto known = names.find(name);
  if (known == names.end()) return false;
  Listeners& all = listeners(kind);
  const auto found = all.find(name);
  found->second.erase(session.id());
  if (found->second.empty()) all.erase(found);
  names.erase(known);  // `name` may be a view of it
  if (session.subscriptions->empty()) session.subscriptions.reset();
  return true;
}

void PubSub::forget(Session& session) {
  for (const Kind kind : {Kind::kChannel, Kind::kPattern, Kind::kShardChannel}) {
    while (!names_of(session, kind).empty()) {
      const std::string name = *names_of(session, kind).begin();
      unsubscribe(session, kind, name);
    }
  }
}

const Subscriptions::Names& PubSub::names_of(const Session& session, Kind kind) {
  static const Subscriptions::Names kNone;
  return session.subscriptions == nullptr ? kNone : names_in(*session.subscriptions, kind);
}

std::uint64_t PubSub::publish(std::string_view channel, std::string_view message, bool sharded) {
  std::uint64_t receivers = 0;
  const Listeners& exact = sharded ? shard_channels_ : channels_;
  if (const auto found = exact.find(channel); found != exact.end()) {
    receivers += send_all(found->second, sharded ? "smessage" : "message", {}, channel, message);
  }
  if (sharded) return receivers;
  for (const auto& [pattern, sessions] : patterns_) {
    if (commands::glob_matches(pattern, channel))
      receivers += send_all(sessions, "pmessage", pattern, channel, message);
  }
  return receivers;
}

// Encoded once for each protocol.
std::uint64_t PubSub::send_all(const std::map<std::uint64_t, Session*>& sessions, std::string_view word,
                               std::string_view pattern, std::string_view channel, std::string_view message) {
  std::array<std::string, 2> encoded;
  for (const auto& [id, session] : sessions) {
    const resp::Writer::Protocol protocol = session->writer().protocol();
    std::string& bytes = encoded[session->writer().resp3() ? 1 : 0];
    if (bytes.empty()) {
      resp::Writer writer(bytes, protocol);
      const bool by_pattern = word == "pmessage";
      writer.push(by_pattern ? 4 : 3);
      writer.bulk(word);
      if (by_pattern) writer.bulk(pattern);
      writer.bulk(channel);
      writer.bulk(message);
    }
    pushes_.send(*session, bytes);
  }
  return sessions.size();
}

std::vector<std::string_view> PubSub::names(Kind kind) const {
  std::vector<std::string_view> all;
  for (const auto& [name, sessions] : listeners(kind)) all.emplace_back(name);
  return all;
}

std::uint64_t PubSub::subscribers(Kind kind, std::string_view name) const {
  const Listeners& all = listeners(kind);
  const auto found = all.find(name);
  return found == all.end() ? 0 : found->second.size();
}

}  // namespace redraft::replica
