#include "server/commands/table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/commands/blocking.h"
#include "server/commands/expire.h"
#include "server/commands/key_positions.h"
#include "server/commands/keys.h"
#include "server/commands/letter_case.h"
#include "server/commands/lists.h"
#include "server/commands/object.h"
#include "server/commands/scan.h"
#include "server/commands/sets.h"
#include "server/commands/sort.h"
#include "server/commands/strings.h"
#include "server/commands/table_acl.h"
#include "server/commands/table_bitmaps.h"
#include "server/commands/table_geo.h"
#include "server/commands/table_hashes.h"
#include "server/commands/table_hyperloglog.h"
#include "server/commands/table_line.h"
#include "server/commands/table_pubsub.h"
#include "server/commands/table_scripting.h"
#include "server/commands/table_serialization.h"
#include "server/commands/table_servers.h"
#include "server/commands/table_sorted_sets.h"
#include "server/commands/table_streams.h"
#include "server/commands/table_tracking.h"

// The command table: facts about Redis 7.2's commands as COMMAND reports them (taken from redis-server 7.0.15 and,
// where 7.2 differs, from redis/redis 7.2:src/commands), and where each of them runs here.

namespace redraft::commands {

namespace {

constexpr auto kCoreCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("append", CommandId::kAppend, 3, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, append),
    local("asking", CommandId::kAsking, 1, kFast, kConnection, {}),
    local("auth", CommandId::kAuth, -2, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy, kConnection, {}),
    local("bgrewriteaof", CommandId::kBgrewriteaof, 1, kAdmin | kNoScript | kNoAsyncLoading, 0, {}),
    local("bgsave", CommandId::kBgsave, -1, kAdmin | kNoScript | kNoAsyncLoading, 0, {}),
    data("blmove", CommandId::kBlmove, 6, kWrite | kDenyOom | kBlocking, kList, {1, 2, 1}, blmove),
    data("blmpop", CommandId::kBlmpop, -5, kWrite | kBlocking, kList, {}, blmpop, find_numkeys_at_2),
    data("blpop", CommandId::kBlpop, -3, kWrite | kBlocking, kList, {1, -2, 1}, blpop),
    data("brpop", CommandId::kBrpop, -3, kWrite | kBlocking, kList, {1, -2, 1}, brpop),
    data("brpoplpush", CommandId::kBrpoplpush, 4, kWrite | kDenyOom | kBlocking, kList, {1, 2, 1}, brpoplpush),
    container("client", CommandId::kClient, 0),
    local("client|getname", CommandId::kClientGetname, 2, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|getredir", CommandId::kClientGetredir, 2, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|help", CommandId::kClientHelp, 2, kLoading | kStale, kConnection, {}),
    local("client|id", CommandId::kClientId, 2, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|info", CommandId::kClientInfo, 2, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|kill", CommandId::kClientKill, -3, kAdmin | kNoScript | kLoading | kStale, kConnection, {}),
    local("client|list", CommandId::kClientList, -2, kAdmin | kNoScript | kLoading | kStale, kConnection, {}),
    local("client|no-evict", CommandId::kClientNoEvict, 3, kAdmin | kNoScript | kLoading | kStale, kConnection, {}),
    local("client|no-touch", CommandId::kClientNoTouch, 3, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|pause", CommandId::kClientPause, -3, kAdmin | kNoScript | kLoading | kStale, kConnection, {}),
    local("client|reply", CommandId::kClientReply, 3, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|setinfo", CommandId::kClientSetinfo, 4, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|setname", CommandId::kClientSetname, 3, kNoScript | kLoading | kStale, kConnection, {}),
    local("client|unblock", CommandId::kClientUnblock, -3, kAdmin | kNoScript | kLoading | kStale, kConnection, {}),
    local("client|unpause", CommandId::kClientUnpause, 2, kAdmin | kNoScript | kLoading | kStale, kConnection, {}),
    container("cluster", CommandId::kCluster, 0),
    local("cluster|addslots", CommandId::kClusterAddslots, -3, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|addslotsrange", CommandId::kClusterAddslotsrange, -4, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|audit", CommandId::kClusterAudit, 2, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|bumpepoch", CommandId::kClusterBumpepoch, 2, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|count-failure-reports", CommandId::kClusterCountFailureReports, 3, kAdmin | kStale, 0, {}),
    local("cluster|countkeysinslot", CommandId::kClusterCountkeysinslot, 3, kStale, 0, {}),
    local("cluster|delslots", CommandId::kClusterDelslots, -3, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|delslotsrange", CommandId::kClusterDelslotsrange, -4, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|demote", CommandId::kClusterDemote, -3, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|failover", CommandId::kClusterFailover, -2, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|flushslots", CommandId::kClusterFlushslots, 2, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|forget", CommandId::kClusterForget, -3, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|getkeysinslot", CommandId::kClusterGetkeysinslot, 4, kStale, 0, {}),
    local("cluster|help", CommandId::kClusterHelp, 2, kLoading | kStale, 0, {}),
    local("cluster|info", CommandId::kClusterInfo, 2, kStale, 0, {}),
    local("cluster|keyslot", CommandId::kClusterKeyslot, 3, kStale, 0, {}),
    local("cluster|links", CommandId::kClusterLinks, 2, kStale, 0, {}),
    local("cluster|meet", CommandId::kClusterMeet, -4, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|myid", CommandId::kClusterMyid, 2, kStale, 0, {}),
    local("cluster|myshardid", CommandId::kClusterMyshardid, 2, kStale, 0, {}),
    local("cluster|nodes", CommandId::kClusterNodes, 2, kStale, 0, {}),
    local("cluster|promote", CommandId::kClusterPromote, -3, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|replicas", CommandId::kClusterReplicas, 3, kAdmin | kStale, 0, {}),
    local("cluster|replicate", CommandId::kClusterReplicate, 3, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|reset", CommandId::kClusterReset, -2, kAdmin | kNoScript | kStale, 0, {}),
    local("cluster|saveconfig", CommandId::kClusterSaveconfig, 2, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|set-config-epoch", CommandId::kClusterSetConfigEpoch, 3, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|setslot", CommandId::kClusterSetslot, -4, kAdmin | kStale | kNoAsyncLoading, 0, {}),
    local("cluster|shards", CommandId::kClusterShards, 2, kLoading | kStale, 0, {}),
    local("cluster|slaves", CommandId::kClusterSlaves, 3, kAdmin | kStale, 0, {}),
    local("cluster|slots", CommandId::kClusterSlots, 2, kLoading | kStale, 0, {}),
    local("command", CommandId::kCommand, -1, kLoading | kStale, kConnection, {}),
    local("command|count", CommandId::kCommandCount, 2, kLoading | kStale, kConnection, {}),
    local("command|docs", CommandId::kCommandDocs, -2, kLoading | kStale, kConnection, {}),
    local("command|getkeys", CommandId::kCommandGetkeys, -3, kLoading | kStale, kConnection, {}),
    local("command|getkeysandflags", CommandId::kCommandGetkeysandflags, -3, kLoading | kStale, kConnection, {}),
    local("command|help", CommandId::kCommandHelp, 2, kLoading | kStale, kConnection, {}),
    local("command|info", CommandId::kCommandInfo, -2, kLoading | kStale, kConnection, {}),
    local("command|list", CommandId::kCommandList, -2, kLoading | kStale, kConnection, {}),
    container("config", CommandId::kConfig, 0),
    local("config|get", CommandId::kConfigGet, -3, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("config|help", CommandId::kConfigHelp, 2, kLoading | kStale, 0, {}),
    local("config|resetstat", CommandId::kConfigResetstat, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("config|set", CommandId::kConfigSet, -4, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    data("copy", CommandId::kCopy, -3, kWrite | kDenyOom, kKeyspace, {1, 2, 1}, copy),
    data("dbsize", CommandId::kDbsize, 1, kReadonly | kFast, kKeyspace, {}, dbsize),
    local("debug", CommandId::kDebug, -2, kAdmin | kNoScript | kLoading | kStale | kProtected, 0, {}),
    data("decr", CommandId::kDecr, 2, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, decr),
    data("decrby", CommandId::kDecrby, 3, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, decrby),
    data("del", CommandId::kDel, -2, kWrite, kKeyspace, {1, -1, 1}, del),
    local("discard", CommandId::kDiscard, 1, kNoScript | kLoading | kStale | kFast | kAllowBusy, kTransactionCategory,
          {}),
    local("echo", CommandId::kEcho, 2, kLoading | kStale | kFast, kConnection, {}),
    local("exec", CommandId::kExec, 1, kNoScript | kLoading | kStale | kSkipSlowlog, kTransactionCategory, {}),
    data("exists", CommandId::kExists, -2, kReadonly | kFast, kKeyspace, {1, -1, 1}, exists),
    data("expire", CommandId::kExpire, -3, kWrite | kFast, kKeyspace, {1, 1, 1}, expire),
    data("expireat", CommandId::kExpireat, -3, kWrite | kFast, kKeyspace, {1, 1, 1}, expireat),
    data("expiretime", CommandId::kExpiretime, 2, kReadonly | kFast, kKeyspace, {1, 1, 1}, expiretime),
    local("failover", CommandId::kFailover, -1, kAdmin | kNoScript | kStale, 0, {}),
    data("flushall", CommandId::kFlushall, -1, kWrite, kKeyspace | kDangerous, {}, flushall),
    data("flushdb", CommandId::kFlushdb, -1, kWrite, kKeyspace | kDangerous, {}, flushdb),
    data("get", CommandId::kGet, 2, kReadonly | kFast, kString, {1, 1, 1}, get),
    data("getdel", CommandId::kGetdel, 2, kWrite | kFast, kString, {1, 1, 1}, getdel),
    data("getex", CommandId::kGetex, -2, kWrite | kFast, kString, {1, 1, 1}, getex),
    data("getrange", CommandId::kGetrange, 4, kReadonly, kString, {1, 1, 1}, getrange),
    data("getset", CommandId::kGetset, 3, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, getset),
    local("hello", CommandId::kHello, -1, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy, kConnection,
          {}),
    data("incr", CommandId::kIncr, 2, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, incr),
    data("incrby", CommandId::kIncrby, 3, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, incrby),
    data("incrbyfloat", CommandId::kIncrbyfloat, 3, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, incrbyfloat),
    local("info", CommandId::kInfo, -1, kLoading | kStale, kDangerous, {}),
    data("keys", CommandId::kKeys, 2, kReadonly, kKeyspace | kDangerous, {}, keys),
    local("lastsave", CommandId::kLastsave, 1, kLoading | kStale | kFast, kDangerous | kAdminCategory, {}),
    container("latency", CommandId::kLatency, 0),
    local("latency|doctor", CommandId::kLatencyDoctor, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("latency|graph", CommandId::kLatencyGraph, 3, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("latency|help", CommandId::kLatencyHelp, 2, kLoading | kStale, 0, {}),
    local("latency|histogram", CommandId::kLatencyHistogram, -2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("latency|history", CommandId::kLatencyHistory, 3, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("latency|latest", CommandId::kLatencyLatest, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("latency|reset", CommandId::kLatencyReset, -2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    data("lcs", CommandId::kLcs, -3, kReadonly, kString, {1, 2, 1}, lcs),
    data("lindex", CommandId::kLindex, 3, kReadonly, kList, {1, 1, 1}, lindex),
    data("linsert", CommandId::kLinsert, 5, kWrite | kDenyOom, kList, {1, 1, 1}, linsert),
    data("llen", CommandId::kLlen, 2, kReadonly | kFast, kList, {1, 1, 1}, llen),
    data("lmove", CommandId::kLmove, 5, kWrite | kDenyOom, kList, {1, 2, 1}, lmove),
    data("lmpop", CommandId::kLmpop, -4, kWrite, kList, {}, lmpop, find_numkeys_at_1),
    data("lpop", CommandId::kLpop, -2, kWrite | kFast, kList, {1, 1, 1}, lpop),
    data("lpos", CommandId::kLpos, -3, kReadonly, kList, {1, 1, 1}, lpos),
    data("lpush", CommandId::kLpush, -3, kWrite | kDenyOom | kFast, kList, {1, 1, 1}, lpush),
    data("lpushx", CommandId::kLpushx, -3, kWrite | kDenyOom | kFast, kList, {1, 1, 1}, lpushx),
    data("lrange", CommandId::kLrange, 4, kReadonly, kList, {1, 1, 1}, lrange),
    data("lrem", CommandId::kLrem, 4, kWrite, kList, {1, 1, 1}, lrem),
    data("lset", CommandId::kLset, 4, kWrite | kDenyOom, kList, {1, 1, 1}, lset),
    data("ltrim", CommandId::kLtrim, 4, kWrite, kList, {1, 1, 1}, ltrim),
    container("memory", CommandId::kMemory, 0),
    data("memory|help", CommandId::kMemoryHelp, 2, kLoading | kStale, 0, {}, memory_help),
    data("memory|usage", CommandId::kMemoryUsage, -3, kReadonly, 0, {2, 2, 1}, memory_usage),
    data("mget", CommandId::kMget, -2, kReadonly | kFast, kString, {1, -1, 1}, mget),
    container("module", CommandId::kModule, 0),
    local("module|help", CommandId::kModuleHelp, 2, kLoading | kStale, 0, {}),
    local("module|list", CommandId::kModuleList, 2, kAdmin | kNoScript, 0, {}),
    local("module|load", CommandId::kModuleLoad, -3, kAdmin | kNoScript | kNoAsyncLoading | kProtected, 0, {}),
    local("module|loadex", CommandId::kModuleLoadex, -3, kAdmin | kNoScript | kNoAsyncLoading | kProtected, 0, {}),
    local("module|unload", CommandId::kModuleUnload, 3, kAdmin | kNoScript | kNoAsyncLoading | kProtected, 0, {}),
    data("move", CommandId::kMove, 3, kWrite | kFast, kKeyspace, {1, 1, 1}, move),
    data("mset", CommandId::kMset, -3, kWrite | kDenyOom, kString, {1, -1, 2}, mset),
    data("msetnx", CommandId::kMsetnx, -3, kWrite | kDenyOom, kString, {1, -1, 2}, msetnx),
    local("multi", CommandId::kMulti, 1, kNoScript | kLoading | kStale | kFast | kAllowBusy, kTransactionCategory, {}),
    container("object", CommandId::kObject, 0),
    data("object|encoding", CommandId::kObjectEncoding, 3, kReadonly, kKeyspace, {2, 2, 1}, object_encoding),
    data("object|freq", CommandId::kObjectFreq, 3, kReadonly, kKeyspace, {2, 2, 1}, object_freq),
    data("object|help", CommandId::kObjectHelp, 2, kLoading | kStale, kKeyspace, {}, object_help),
    data("object|idletime", CommandId::kObjectIdletime, 3, kReadonly, kKeyspace, {2, 2, 1}, object_idletime),
    data("object|refcount", CommandId::kObjectRefcount, 3, kReadonly, kKeyspace, {2, 2, 1}, object_refcount),
    data("persist", CommandId::kPersist, 2, kWrite | kFast, kKeyspace, {1, 1, 1}, persist),
    data("pexpire", CommandId::kPexpire, -3, kWrite | kFast, kKeyspace, {1, 1, 1}, pexpire),
    data("pexpireat", CommandId::kPexpireat, -3, kWrite | kFast, kKeyspace, {1, 1, 1}, pexpireat),
    data("pexpiretime", CommandId::kPexpiretime, 2, kReadonly | kFast, kKeyspace, {1, 1, 1}, pexpiretime),
    local("ping", CommandId::kPing, -1, kFast, kConnection, {}),
    data("psetex", CommandId::kPsetex, 4, kWrite | kDenyOom, kString, {1, 1, 1}, psetex),
    local("psync", CommandId::kPsync, -3, kAdmin | kNoScript | kNoAsyncLoading | kNoMulti, 0, {}),
    data("pttl", CommandId::kPttl, 2, kReadonly | kFast, kKeyspace, {1, 1, 1}, pttl),
    local("quit", CommandId::kQuit, -1, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy, kConnection, {}),
    data("randomkey", CommandId::kRandomkey, 1, kReadonly | kTouchesArbitraryKeys, kKeyspace, {}, randomkey),
    local("readonly", CommandId::kReadonly, 1, kLoading | kStale | kFast, kConnection, {}),
    local("readwrite", CommandId::kReadwrite, 1, kLoading | kStale | kFast, kConnection, {}),
    data("rename", CommandId::kRename, 3, kWrite, kKeyspace, {1, 2, 1}, rename),
    data("renamenx", CommandId::kRenamenx, 3, kWrite | kFast, kKeyspace, {1, 2, 1}, renamenx),
    local("replconf", CommandId::kReplconf, -1, kAdmin | kNoScript | kLoading | kStale | kAllowBusy, 0, {}),
    local("replicaof", CommandId::kReplicaof, 3, kAdmin | kNoScript | kStale | kNoAsyncLoading, 0, {}),
    local("reset", CommandId::kReset, 1, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy, kConnection, {}),
    local("role", CommandId::kRole, 1, kNoScript | kLoading | kStale | kFast, kDangerous | kAdminCategory, {}),
    data("rpop", CommandId::kRpop, -2, kWrite | kFast, kList, {1, 1, 1}, rpop),
    data("rpoplpush", CommandId::kRpoplpush, 3, kWrite | kDenyOom, kList, {1, 2, 1}, rpoplpush),
    data("rpush", CommandId::kRpush, -3, kWrite | kDenyOom | kFast, kList, {1, 1, 1}, rpush),
    data("rpushx", CommandId::kRpushx, -3, kWrite | kDenyOom | kFast, kList, {1, 1, 1}, rpushx),
    data("sadd", CommandId::kSadd, -3, kWrite | kDenyOom | kFast, kSet, {1, 1, 1}, sadd),
    local("save", CommandId::kSave, 1, kAdmin | kNoScript | kNoAsyncLoading | kNoMulti, 0, {}),
    data("scan", CommandId::kScan, -2, kReadonly | kTouchesArbitraryKeys, kKeyspace, {}, scan),
    data("scard", CommandId::kScard, 2, kReadonly | kFast, kSet, {1, 1, 1}, scard),
    data("sdiff", CommandId::kSdiff, -2, kReadonly, kSet, {1, -1, 1}, sdiff),
    data("sdiffstore", CommandId::kSdiffstore, -3, kWrite | kDenyOom, kSet, {1, -1, 1}, sdiffstore),
    local("select", CommandId::kSelect, 2, kLoading | kStale | kFast, kConnection, {}),
    container("sentinel", CommandId::kSentinel, kAdmin | kOnlySentinel),
    local("sentinel|ckquorum", CommandId::kSentinelCkquorum, 3, kAdmin | kOnlySentinel, 0, {}),
    local("sentinel|get-master-addr-by-name", CommandId::kSentinelGetMasterAddrByName, 3, kAdmin | kOnlySentinel, 0,
          {}),
    local("sentinel|help", CommandId::kSentinelHelp, 2, kLoading | kStale | kOnlySentinel, 0, {}),
    local("sentinel|master", CommandId::kSentinelMaster, 3, kAdmin | kOnlySentinel, 0, {}),
    local("sentinel|masters", CommandId::kSentinelMasters, 2, kAdmin | kOnlySentinel, 0, {}),
    local("sentinel|myid", CommandId::kSentinelMyid, 2, kAdmin | kOnlySentinel, 0, {}),
    local("sentinel|replicas", CommandId::kSentinelReplicas, 3, kAdmin | kOnlySentinel, 0, {}),
    local("sentinel|sentinels", CommandId::kSentinelSentinels, 3, kAdmin | kOnlySentinel, 0, {}),
    local("sentinel|slaves", CommandId::kSentinelSlaves, 3, kAdmin | kOnlySentinel, 0, {}),
    data("set", CommandId::kSet, -3, kWrite | kDenyOom, kString, {1, 1, 1}, set_command),
    data("setex", CommandId::kSetex, 4, kWrite | kDenyOom, kString, {1, 1, 1}, setex),
    data("setnx", CommandId::kSetnx, 3, kWrite | kDenyOom | kFast, kString, {1, 1, 1}, setnx),
    data("setrange", CommandId::kSetrange, 4, kWrite | kDenyOom, kString, {1, 1, 1}, setrange),
    local("shutdown", CommandId::kShutdown, -1, kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy, 0, {}),
    data("sinter", CommandId::kSinter, -2, kReadonly, kSet, {1, -1, 1}, sinter),
    data("sintercard", CommandId::kSintercard, -3, kReadonly, kSet, {}, sintercard, find_numkeys_at_1),
    data("sinterstore", CommandId::kSinterstore, -3, kWrite | kDenyOom, kSet, {1, -1, 1}, sinterstore),
    data("sismember", CommandId::kSismember, 3, kReadonly | kFast, kSet, {1, 1, 1}, sismember),
    local("slaveof", CommandId::kSlaveof, 3, kAdmin | kNoScript | kStale | kNoAsyncLoading, 0, {}),
    container("slowlog", CommandId::kSlowlog, 0),
    local("slowlog|get", CommandId::kSlowlogGet, -2, kAdmin | kLoading | kStale, 0, {}),
    local("slowlog|help", CommandId::kSlowlogHelp, 2, kLoading | kStale, 0, {}),
    local("slowlog|len", CommandId::kSlowlogLen, 2, kAdmin | kLoading | kStale, 0, {}),
    local("slowlog|reset", CommandId::kSlowlogReset, 2, kAdmin | kLoading | kStale, 0, {}),
    data("smembers", CommandId::kSmembers, 2, kReadonly, kSet, {1, 1, 1}, smembers),
    data("smismember", CommandId::kSmismember, -3, kReadonly | kFast, kSet, {1, 1, 1}, smismember),
    data("smove", CommandId::kSmove, 4, kWrite | kFast, kSet, {1, 2, 1}, smove),
    data("sort", CommandId::kSort, -2, kWrite | kDenyOom, kSet | kSortedSet | kList | kDangerous, {1, 1, 1}, sort,
         find_sort_keys),
    data("sort_ro", CommandId::kSortRo, -2, kReadonly, kSet | kSortedSet | kList | kDangerous, {1, 1, 1}, sort_ro,
         find_sort_ro_keys),
    data("spop", CommandId::kSpop, -2, kWrite | kFast, kSet, {1, 1, 1}, spop),
    data("srandmember", CommandId::kSrandmember, -2, kReadonly, kSet, {1, 1, 1}, srandmember),
    data("srem", CommandId::kSrem, -3, kWrite | kFast, kSet, {1, 1, 1}, srem),
    data("sscan", CommandId::kSscan, -3, kReadonly, kSet, {1, 1, 1}, sscan),
    data("strlen", CommandId::kStrlen, 2, kReadonly | kFast, kString, {1, 1, 1}, strlen),
    data("substr", CommandId::kSubstr, 4, kReadonly, kString, {1, 1, 1}, substr),
    data("sunion", CommandId::kSunion, -2, kReadonly, kSet, {1, -1, 1}, sunion),
    data("sunionstore", CommandId::kSunionstore, -3, kWrite | kDenyOom, kSet, {1, -1, 1}, sunionstore),
    data("swapdb", CommandId::kSwapdb, 3, kWrite | kFast, kKeyspace | kDangerous, {}, swapdb),
    local("sync", CommandId::kSync, 1, kAdmin | kNoScript | kNoAsyncLoading | kNoMulti, 0, {}),
    local("time", CommandId::kTime, 1, kLoading | kStale | kFast, 0, {}),
    data("touch", CommandId::kTouch, -2, kReadonly | kFast, kKeyspace, {1, -1, 1}, touch),
    data("ttl", CommandId::kTtl, 2, kReadonly | kFast, kKeyspace, {1, 1, 1}, ttl),
    data("type", CommandId::kType, 2, kReadonly | kFast, kKeyspace, {1, 1, 1}, type),
    data("unlink", CommandId::kUnlink, -2, kWrite | kFast, kKeyspace, {1, -1, 1}, unlink),
    local("unwatch", CommandId::kUnwatch, 1, kNoScript | kLoading | kStale | kFast | kAllowBusy, kTransactionCategory,
          {}),
    local("wait", CommandId::kWait, 3, 0, kConnection, {}),
    local("waitaof", CommandId::kWaitaof, 4, kNoScript, kConnection, {}),
    data("watch", CommandId::kWatch, -2, kNoScript | kLoading | kStale | kFast | kAllowBusy, kTransactionCategory,
         {1, -1, 1}),
});

// Several families as one table, sorted by name.
template <std::size_t... Sizes>
consteval auto join(const std::array<Command, Sizes>&... families) {
  std::array<Command, (Sizes + ...)> all{};
  std::size_t used = 0;
  const auto append = [&](const auto& family) {
    for (const Command& command : family) all[used++] = command;
  };
  (append(families), ...);
  std::ranges::sort(all, {}, &Command::name);
  return all;
}

constexpr auto kCommands = join(kAclCommands, kBitmapCommands, kGeoCommands, kHashCommands, kHyperLogLogCommands,
                                kPubsubCommands, kScriptingCommands, kSerializationCommands, kServerCommands,
                                kSortedSetCommands, kStreamCommands, kTrackingCommands, kCoreCommands);

constexpr std::size_t kIdLimit = 512;

consteval bool ids_are_unique() {
  std::array<bool, kIdLimit> seen{};
  const auto mark = [&seen](const Command& command) {
    bool& used = seen[static_cast<std::size_t>(command.id)];
    return !std::exchange(used, true);
  };
  return std::ranges::all_of(kCommands, mark);
}
static_assert(ids_are_unique());

// Every request looks its command up, so by a hash table that is made at compile time: open addressing, at most a
// quarter full. FNV-1a over the lower-case name; of a subcommand over "container|sub".
constexpr std::size_t kSlots = 2048;
constexpr std::uint16_t kEmpty = 0xffff;
constexpr std::size_t kNameMax = 40;
constexpr std::uint32_t kHashSeed = 2166136261u;

constexpr std::uint32_t hash_more(std::uint32_t hash, std::string_view text) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(to_lower(c))) * 16777619u;
  }
  return hash;
}

constexpr std::size_t slot_of(std::uint32_t hash) {
  return (hash ^ (hash >> 15)) % kSlots;
}

static_assert(kCommands.size() * 4 <= kSlots);

consteval std::array<std::uint16_t, kSlots> index_by_name() {
  std::array<std::uint16_t, kSlots> slots{};
  slots.fill(kEmpty);
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    std::size_t slot = slot_of(hash_more(kHashSeed, kCommands[i].name));
    while (slots[slot] != kEmpty) slot = (slot + 1) % kSlots;
    slots[slot] = static_cast<std::uint16_t>(i);
  }
  return slots;
}
constexpr auto kByName = index_by_name();

consteval std::array<std::uint16_t, kIdLimit> index_by_id() {
  std::array<std::uint16_t, kIdLimit> slots{};
  slots.fill(kEmpty);
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    slots[static_cast<std::size_t>(kCommands[i].id)] = static_cast<std::uint16_t>(i);
  }
  return slots;
}
constexpr auto kById = index_by_id();

// Where the subcommands of the i-th command are: names sort such that "client|..." follow "client", though not
// necessarily at once.
struct Children {
  std::uint16_t first = 0;
  std::uint16_t count = 0;
};

consteval std::array<Children, kCommands.size()> index_children() {
  std::array<Children, kCommands.size()> children{};
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    const std::size_t bar = kCommands[i].name.find('|');
    if (bar == std::string_view::npos) continue;
    const std::string_view name = kCommands[i].name.substr(0, bar);
    const auto* container = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
    Children& range = children[static_cast<std::size_t>(container - kCommands.begin())];
    if (range.count == 0) range.first = static_cast<std::uint16_t>(i);
    ++range.count;
  }
  return children;
}
constexpr auto kChildren = index_children();

const Children& children_of(const Command& command) {
  return kChildren[static_cast<std::size_t>(&command - kCommands.data())];
}

// `name` is the whole name, or the container's when `sub` is given.
const Command* look_up(std::string_view name, std::string_view sub, bool has_sub) {
  if (name.size() + sub.size() >= kNameMax) return nullptr;
  std::uint32_t hash = hash_more(kHashSeed, name);
  if (has_sub) hash = hash_more(hash_more(hash, "|"), sub);
  const std::size_t size = name.size() + (has_sub ? 1 + sub.size() : 0);
  for (std::size_t slot = slot_of(hash); kByName[slot] != kEmpty; slot = (slot + 1) % kSlots) {
    const Command& command = kCommands[kByName[slot]];
    if (command.name.size() != size || !equals_ignoring_case(name, command.name.substr(0, name.size()))) continue;
    if (!has_sub) return &command;
    if (command.name[name.size()] == '|' && equals_ignoring_case(sub, command.name.substr(name.size() + 1))) {
      return &command;
    }
  }
  return nullptr;
}

// Redis formats user input with C's %.*s: at most `limit` bytes and nothing behind a NUL.
std::string_view printable(std::string_view text, std::size_t limit) {
  return text.substr(0, std::min(limit, text.find('\0')));
}

}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

std::span<const Command> subcommands(const Command& command) {
  const Children& children = children_of(command);
  return std::span(kCommands).subspan(children.first, children.count);
}

const Command* find_command_named(std::string_view full_name) {
  return look_up(full_name, {}, false);
}

const Command* find_command(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return nullptr;
  const Command* command = look_up(arguments[0], {}, false);
  if (command == nullptr) return nullptr;
  if (children_of(*command).count != 0) {
    return arguments.size() == 1 ? command : look_up(arguments[0], arguments[1], true);
  }
  // "client|kill" is a name only for COMMAND INFO and the like.
  return arguments[0].find('|') == std::string_view::npos ? command : nullptr;
}

const Command* find_command(CommandId id) {
  const auto slot = static_cast<std::size_t>(id);
  if (slot >= kIdLimit || kById[slot] == kEmpty) return nullptr;
  return &kCommands[kById[slot]];
}

void Unknown::append_error(std::span<const std::string_view> arguments, std::string& error_line) {
  constexpr std::size_t kShown = 128;
  const std::string_view name = arguments.empty() ? std::string_view() : arguments[0];
  const Command* command = look_up(name, {}, false);
  if (command != nullptr && children_of(*command).count != 0) {
    if (arguments.size() == 1) {
      error_line.append("ERR wrong number of arguments for '").append(command->name).append("' command");
      return;
    }
    error_line.append("ERR unknown subcommand '").append(printable(arguments[1], kShown)).append("'. Try ");
    for (const char c : name) error_line.push_back(to_upper(c));
    error_line.append(" HELP.");
    return;
  }
  error_line.append("ERR unknown command '").append(printable(name, kShown)).append("', with args beginning with: ");
  std::size_t shown = 0;
  for (std::size_t i = 1; i < arguments.size() && shown < kShown; ++i) {
    const std::string_view text = printable(arguments[i], kShown - shown);
    error_line.append("'").append(text).append("' ");
    shown += text.size() + 3;
  }
}

void find_key_positions(const Command& command, std::span<const std::string_view> arguments,
                        std::vector<std::uint32_t>& positions) {
  if (command.find_keys != nullptr) return command.find_keys(arguments, positions);
  if (command.range.first == 0) return;
  const auto count = static_cast<std::int64_t>(arguments.size());
  std::int64_t last = command.range.last;
  if (last < 0) last += count;
  for (std::int64_t at = command.range.first; at <= last && at < count; at += command.range.step) {
    positions.push_back(static_cast<std::uint32_t>(at));
  }
}

}  // namespace redraft::commands
