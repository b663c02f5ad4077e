#include "server/replica/local/local.h"

#include "resp/number.h"
#include "server/replica/local/handlers.h"

namespace redraft::replica::local {

std::string setting_text(LocalContext& context, std::string_view name) {
  std::optional<std::string> replicated = context.actions.cluster_setting(name);
  if (replicated) return *std::move(replicated);
  const std::string* text = context.actions.settings().find(name);
  return text == nullptr ? std::string() : *text;
}

bool protected_action_allowed(std::string_view setting, const Session& session) {
  return setting == "yes" || (setting == "local" && (session.address().loopback || session.address().unix_socket));
}

void answer_help(LocalContext& context, std::string_view container, std::span<const std::string_view> lines) {
  context.reply.array(lines.size() + 3);
  context.reply.simple(std::string(container) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const std::string_view line : lines) context.reply.simple(line);
  context.reply.simple("HELP");
  context.reply.simple("    Prints this help.");
}

void answer_too_many(LocalContext& context, std::string_view container) {
  context.reply.error("ERR unknown subcommand or wrong number of arguments for '" + std::string(context.arguments[1]) +
                      "'. Try " + std::string(container) + " HELP.");
}

std::optional<std::uint64_t> timeout_argument(LocalContext& context, std::size_t i) {
  const std::optional<std::int64_t> timeout = resp::parse_int64(context.arguments[i]);
  if (!timeout) {
    context.reply.error("ERR timeout is not an integer or out of range");
    return std::nullopt;
  }
  if (*timeout < 0) {
    context.reply.error("ERR timeout is negative");
    return std::nullopt;
  }
  // As in Redis the moment it ends must fit too.
  if (*timeout > INT64_MAX / 2) {
    context.reply.error("ERR timeout is out of range");
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*timeout);
}

const MemberView* member_of(const NodeView& view, std::uint64_t node) {
  for (const MemberView& member : view.members) {
    if (member.node == node) return &member;
  }
  return nullptr;
}

const MemberView* self_of(const NodeView& view) {
  for (const MemberView& member : view.members) {
    if (member.self) return &member;
  }
  return nullptr;
}

LocalHandler find_local(commands::CommandId id) {
  using Id = commands::CommandId;
  switch (id) {
    case Id::kScriptDebug:
      return script_debug;
    case Id::kScriptHelp:
      return script_help;
    case Id::kScriptKill:
      return script_kill;
    case Id::kFunctionHelp:
      return function_help;
    case Id::kFunctionKill:
      return function_kill;
    case Id::kFunctionStats:
      return function_stats;
    case Id::kPing:
      return ping;
    case Id::kEcho:
      return echo;
    case Id::kHello:
      return hello;
    case Id::kAuth:
      return auth;
    case Id::kSelect:
      return select;
    case Id::kQuit:
      return quit;
    case Id::kReset:
      return reset;
    case Id::kReadonly:
      return readonly;
    case Id::kReadwrite:
      return readwrite;
    case Id::kAsking:
      return asking;
    case Id::kClientId:
      return client_id;
    case Id::kClientGetname:
      return client_getname;
    case Id::kClientSetname:
      return client_setname;
    case Id::kClientSetinfo:
      return client_setinfo;
    case Id::kClientInfo:
      return client_info;
    case Id::kClientList:
      return client_list;
    case Id::kClientKill:
      return client_kill;
    case Id::kClientUnblock:
      return client_unblock;
    case Id::kClientPause:
      return client_pause;
    case Id::kClientUnpause:
      return client_unpause;
    case Id::kClientReply:
      return client_reply;
    case Id::kClientNoEvict:
      return client_no_evict;
    case Id::kClientNoTouch:
      return client_no_touch;
    case Id::kClientGetredir:
      return client_getredir;
    case Id::kClientTrackinginfo:
      return client_trackinginfo;
    case Id::kClientHelp:
      return client_help;
    case Id::kConfigGet:
      return config_get;
    case Id::kConfigSet:
      return config_set;
    case Id::kConfigResetstat:
      return config_resetstat;
    case Id::kConfigRewrite:
      return config_rewrite;
    case Id::kConfigHelp:
      return config_help;
    case Id::kInfo:
      return info;
    case Id::kTime:
      return time;
    case Id::kRole:
      return role;
    case Id::kLastsave:
      return lastsave;
    case Id::kSave:
      return save;
    case Id::kBgsave:
      return bgsave;
    case Id::kBgrewriteaof:
      return bgrewriteaof;
    case Id::kShutdown:
      return shutdown;
    case Id::kWait:
      return wait;
    case Id::kWaitaof:
      return waitaof;
    case Id::kReplicaof:
    case Id::kSlaveof:
    case Id::kFailover:
    case Id::kPsync:
    case Id::kSync:
    case Id::kReplconf:
      return refuse_replication;
    case Id::kModuleList:
      return module_list;
    case Id::kModuleLoad:
    case Id::kModuleLoadex:
    case Id::kModuleUnload:
      return module_refuse;
    case Id::kModuleHelp:
      return module_help;
    case Id::kLolwut:
      return lolwut;
    case Id::kMemoryDoctor:
      return memory_doctor;
    case Id::kMemoryStats:
      return memory_stats;
    case Id::kMemoryMallocStats:
      return memory_malloc_stats;
    case Id::kMemoryPurge:
      return memory_purge;
    case Id::kSlowlogGet:
      return slowlog_get;
    case Id::kSlowlogLen:
      return slowlog_len;
    case Id::kSlowlogReset:
      return slowlog_reset;
    case Id::kSlowlogHelp:
      return slowlog_help;
    case Id::kLatencyLatest:
      return latency_latest;
    case Id::kLatencyHistory:
      return latency_history;
    case Id::kLatencyReset:
      return latency_reset;
    case Id::kLatencyGraph:
      return latency_graph;
    case Id::kLatencyDoctor:
      return latency_doctor;
    case Id::kLatencyHistogram:
      return latency_histogram;
    case Id::kLatencyHelp:
      return latency_help;
    case Id::kClusterSlots:
      return cluster_slots;
    case Id::kClusterShards:
      return cluster_shards;
    case Id::kClusterNodes:
      return cluster_nodes;
    case Id::kClusterInfo:
      return cluster_info;
    case Id::kClusterMyid:
      return cluster_myid;
    case Id::kClusterMyshardid:
      return cluster_myshardid;
    case Id::kClusterKeyslot:
      return cluster_keyslot;
    case Id::kClusterCountkeysinslot:
      return cluster_countkeysinslot;
    case Id::kClusterGetkeysinslot:
      return cluster_getkeysinslot;
    case Id::kClusterLinks:
      return cluster_links;
    case Id::kClusterReplicas:
    case Id::kClusterSlaves:
      return cluster_replicas;
    case Id::kClusterCountFailureReports:
      return cluster_count_failure_reports;
    case Id::kClusterFailover:
      return cluster_failover;
    case Id::kClusterSaveconfig:
      return cluster_saveconfig;
    case Id::kClusterBumpepoch:
      return cluster_bumpepoch;
    case Id::kClusterAddslots:
    case Id::kClusterAddslotsrange:
    case Id::kClusterDelslots:
    case Id::kClusterDelslotsrange:
    case Id::kClusterFlushslots:
    case Id::kClusterSetslot:
    case Id::kClusterReplicate:
    case Id::kClusterReset:
    case Id::kClusterSetConfigEpoch:
      return cluster_refuse;
    case Id::kClusterMeet:
      return cluster_meet;
    case Id::kClusterAudit:
      return cluster_audit;
    case Id::kClusterForget:
    case Id::kClusterPromote:
    case Id::kClusterDemote:
      return cluster_change;
    case Id::kClusterHelp:
      return cluster_help;
    case Id::kSentinelGetMasterAddrByName:
      return sentinel_get_master_addr_by_name;
    case Id::kSentinelMaster:
      return sentinel_master;
    case Id::kSentinelMasters:
      return sentinel_masters;
    case Id::kSentinelReplicas:
    case Id::kSentinelSlaves:
      return sentinel_replicas;
    case Id::kSentinelSentinels:
      return sentinel_sentinels;
    case Id::kSentinelCkquorum:
      return sentinel_ckquorum;
    case Id::kSentinelMyid:
      return sentinel_myid;
    case Id::kSentinelHelp:
      return sentinel_help;
    case Id::kDebug:
      return debug;
    case Id::kClientTracking:
      return client_tracking;
    case Id::kClientCaching:
      return client_caching;
    case Id::kSubscribe:
      return subscribe;
    case Id::kUnsubscribe:
      return unsubscribe;
    case Id::kPsubscribe:
      return psubscribe;
    case Id::kPunsubscribe:
      return punsubscribe;
    case Id::kSsubscribe:
      return ssubscribe;
    case Id::kSunsubscribe:
      return sunsubscribe;
    case Id::kPublish:
      return publish;
    case Id::kSpublish:
      return spublish;
    case Id::kPubsubChannels:
      return pubsub_channels;
    case Id::kPubsubNumpat:
      return pubsub_numpat;
    case Id::kPubsubNumsub:
      return pubsub_numsub;
    case Id::kPubsubShardchannels:
      return pubsub_shardchannels;
    case Id::kPubsubShardnumsub:
      return pubsub_shardnumsub;
    case Id::kPubsubHelp:
      return pubsub_help;
    case Id::kMonitor:
      return monitor;
    case Id::kAclCat:
      return acl_cat;
    case Id::kAclDeluser:
      return acl_deluser;
    case Id::kAclDryrun:
      return acl_dryrun;
    case Id::kAclGenpass:
      return acl_genpass;
    case Id::kAclGetuser:
      return acl_getuser;
    case Id::kAclHelp:
      return acl_help;
    case Id::kAclList:
      return acl_list;
    case Id::kAclLoad:
      return acl_load;
    case Id::kAclLog:
      return acl_log;
    case Id::kAclSave:
      return acl_save;
    case Id::kAclSetuser:
      return acl_setuser;
    case Id::kAclUsers:
      return acl_users;
    case Id::kAclWhoami:
      return acl_whoami;
    default:
      return nullptr;
  }
}

}  // namespace redraft::replica::local
