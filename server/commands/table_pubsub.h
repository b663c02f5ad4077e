#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kPubsubCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    local("psubscribe", CommandId::kPsubscribe, -2, kPubsub | kNoScript | kLoading | kStale, 0, {}),
    forward("publish", CommandId::kPublish, 3, kPubsub | kLoading | kStale | kFast, 0, {}),
    container("pubsub", CommandId::kPubsub, 0),
    local("pubsub|channels", CommandId::kPubsubChannels, -2, kPubsub | kLoading | kStale, 0, {}),
    local("pubsub|help", CommandId::kPubsubHelp, 2, kLoading | kStale, 0, {}),
    local("pubsub|numpat", CommandId::kPubsubNumpat, 2, kPubsub | kLoading | kStale, 0, {}),
    local("pubsub|numsub", CommandId::kPubsubNumsub, -2, kPubsub | kLoading | kStale, 0, {}),
    local("pubsub|shardchannels", CommandId::kPubsubShardchannels, -2, kPubsub | kLoading | kStale, 0, {}),
    local("pubsub|shardnumsub", CommandId::kPubsubShardnumsub, -2, kPubsub | kLoading | kStale, 0, {}),
    local("punsubscribe", CommandId::kPunsubscribe, -1, kPubsub | kNoScript | kLoading | kStale, 0, {}),
    forward("spublish", CommandId::kSpublish, 3, kPubsub | kLoading | kStale | kFast, 0, {1, 1, 1}),
    local("ssubscribe", CommandId::kSsubscribe, -2, kPubsub | kNoScript | kLoading | kStale, 0, {1, -1, 1}),
    local("subscribe", CommandId::kSubscribe, -2, kPubsub | kNoScript | kLoading | kStale, 0, {}),
    local("sunsubscribe", CommandId::kSunsubscribe, -1, kPubsub | kNoScript | kLoading | kStale, 0, {1, -1, 1}),
    local("unsubscribe", CommandId::kUnsubscribe, -1, kPubsub | kNoScript | kLoading | kStale, 0, {}),
});

}  // namespace redraft::commands
