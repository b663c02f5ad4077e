#include "server/replica/pubsub.h"

#include <array>
#include <vector>

#include "server/commands/glob.h"
#include "server/replica/local/handlers.h"

// SUBSCRIBE and its kin, PUBLISH, PUBSUB (redis.io/commands/?group=pubsub), and MONITOR.

namespace redraft::replica::local {

namespace {

using Kind = PubSub::Kind;

// Shard channels are counted apart from the others.
std::size_t count_of(const Session& session, Kind kind) {
  if (kind == Kind::kShardChannel) return PubSub::names_of(session, kind).size();
  return PubSub::names_of(session, Kind::kChannel).size() + PubSub::names_of(session, Kind::kPattern).size();
}

void confirm(LocalContext& context, std::string_view word, const std::string_view* name, Kind kind) {
  context.reply.push(3);
  context.reply.bulk(word);
  name == nullptr ? context.reply.null() : context.reply.bulk(*name);
  context.reply.integer(static_cast<std::int64_t>(count_of(context.session, kind)));
}

// CLIENT REPLY OFF silences replies, and these are pushes.
void subscribe_all(LocalContext& context, std::string_view word, Kind kind) {
  context.session.silent = false;
  for (const std::string_view name : context.arguments.subspan(1)) {
    context.actions.pubsub().subscribe(context.session, kind, name);
    confirm(context, word, &name, kind);
  }
}

void unsubscribe_all(LocalContext& context, std::string_view word, Kind kind) {
  context.session.silent = false;
  std::vector<std::string> names;
  if (context.arguments.size() > 1) {
    for (const std::string_view name : context.arguments.subspan(1)) names.emplace_back(name);
  } else {
    const Subscriptions::Names& all = PubSub::names_of(context.session, kind);
    names.assign(all.begin(), all.end());
    if (names.empty()) return confirm(context, word, nullptr, kind);
  }
  for (const std::string_view name : names) {
    context.actions.pubsub().unsubscribe(context.session, kind, name);
    confirm(context, word, &name, kind);
  }
}

void answer_names(LocalContext& context, Kind kind) {
  const bool all = context.arguments.size() == 2;
  std::vector<std::string_view> shown;
  for (const std::string_view name : context.actions.pubsub().names(kind)) {
    if (all || commands::glob_matches(context.arguments[2], name)) shown.push_back(name);
  }
  context.reply.array(shown.size());
  for (const std::string_view name : shown) context.reply.bulk(name);
}

void answer_counts(LocalContext& context, Kind kind) {
  const auto names = context.arguments.subspan(2);
  context.reply.array(2 * names.size());
  for (const std::string_view name : names) {
    context.reply.bulk(name);
    context.reply.integer(static_cast<std::int64_t>(context.actions.pubsub().subscribers(kind, name)));
  }
}

void publish_from(LocalContext& context, bool sharded) {
  const std::uint64_t receivers = context.actions.publish(context.arguments[1], context.arguments[2], sharded);
  context.reply.integer(static_cast<std::int64_t>(receivers));
}

}  // namespace

void subscribe(LocalContext& context) {
  subscribe_all(context, "subscribe", Kind::kChannel);
}

void unsubscribe(LocalContext& context) {
  unsubscribe_all(context, "unsubscribe", Kind::kChannel);
}

void psubscribe(LocalContext& context) {
  subscribe_all(context, "psubscribe", Kind::kPattern);
}

void punsubscribe(LocalContext& context) {
  unsubscribe_all(context, "punsubscribe", Kind::kPattern);
}

// SUBSCRIBE inside a transaction is permitted for the sake of old clients; this came later.
void ssubscribe(LocalContext& context) {
  if (context.in_transaction) {
    return context.reply.error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  }
  subscribe_all(context, "ssubscribe", Kind::kShardChannel);
}

void sunsubscribe(LocalContext& context) {
  unsubscribe_all(context, "sunsubscribe", Kind::kShardChannel);
}

void publish(LocalContext& context) {
  publish_from(context, false);
}

void spublish(LocalContext& context) {
  publish_from(context, true);
}

void pubsub_channels(LocalContext& context) {
  if (context.arguments.size() > 3) return answer_too_many(context, "PUBSUB");
  answer_names(context, Kind::kChannel);
}

void pubsub_numpat(LocalContext& context) {
  context.reply.integer(static_cast<std::int64_t>(context.actions.pubsub().pattern_count()));
}

void pubsub_numsub(LocalContext& context) {
  answer_counts(context, Kind::kChannel);
}

void pubsub_shardchannels(LocalContext& context) {
  if (context.arguments.size() > 3) return answer_too_many(context, "PUBSUB");
  answer_names(context, Kind::kShardChannel);
}

void pubsub_shardnumsub(LocalContext& context) {
  answer_counts(context, Kind::kShardChannel);
}

void pubsub_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "CHANNELS [<pattern>]",
      "    Return the currently active channels matching a <pattern> (default: '*').",
      "NUMPAT",
      "    Return number of subscriptions to patterns.",
      "NUMSUB [<channel> ...]",
      "    Return the number of subscribers for the specified channels, excluding",
      "    pattern subscriptions(default: no channels).",
      "SHARDCHANNELS [<pattern>]",
      "    Return the currently active shard level channels matching a <pattern> (default: '*').",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    Return the number of subscribers for the specified shard level channel(s)",
  });
  answer_help(context, "PUBSUB", kLines);
}

void monitor(LocalContext& context) {
  if (context.in_transaction) return context.reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  context.actions.start_monitor(context.session);
  context.reply.ok();
}

}  // namespace redraft::replica::local
