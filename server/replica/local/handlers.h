#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/commands/letter_case.h"
#include "server/replica/local/local.h"

namespace redraft::replica::local {

// The handlers that find_local hands out, one group per file of that name, and what several of them share.

using commands::equals_ignoring_case;

inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kNoClusterSupport = "ERR This instance has cluster support disabled";
// Inside EXEC nothing can be answered later.
inline constexpr std::string_view kNotInTransaction = "ERR Command not allowed inside a transaction";

[[nodiscard]] inline bool argument_is(const LocalContext& context, std::size_t i, std::string_view lower) {
  return equals_ignoring_case(context.arguments[i], lower);
}
// A setting's present text: the replicated one if it is cluster state and the store has it.
[[nodiscard]] std::string setting_text(LocalContext& context, std::string_view name);
// Redis's protected actions (enable-debug-command and the like): no, yes, or local for connections from this machine.
[[nodiscard]] bool protected_action_allowed(std::string_view setting, const Session& session);
// "COMMAND <subcommand> [<arg> ...]. Subcommands are:", the lines, then HELP, as simple strings.
void answer_help(LocalContext& context, std::string_view container, std::span<const std::string_view> lines);
// For a subcommand that takes fewer arguments than were given.
void answer_too_many(LocalContext& context, std::string_view container);
// Milliseconds; answers Redis's error and returns nothing if it is none.
[[nodiscard]] std::optional<std::uint64_t> timeout_argument(LocalContext& context, std::size_t i);
[[nodiscard]] const MemberView* member_of(const NodeView& view, std::uint64_t node);
[[nodiscard]] const MemberView* self_of(const NodeView& view);

// connection_commands.cc
void ping(LocalContext& context);
void echo(LocalContext& context);
void hello(LocalContext& context);
void auth(LocalContext& context);
void select(LocalContext& context);
void quit(LocalContext& context);
void reset(LocalContext& context);
void readonly(LocalContext& context);
void readwrite(LocalContext& context);
void asking(LocalContext& context);
// Names of clients, libraries and versions: printable ASCII without spaces.
[[nodiscard]] bool printable_word(std::string_view text);

// scripting_commands.cc
void script_debug(LocalContext& context);
void script_help(LocalContext& context);
void script_kill(LocalContext& context);
void function_help(LocalContext& context);
void function_kill(LocalContext& context);
void function_stats(LocalContext& context);

// client_commands.cc
// As CLIENT LIST shows it.
[[nodiscard]] std::string describe_client(const Session& session, std::uint64_t now_ms);
void client_id(LocalContext& context);
void client_getname(LocalContext& context);
void client_setname(LocalContext& context);
void client_setinfo(LocalContext& context);
void client_info(LocalContext& context);
void client_list(LocalContext& context);
void client_kill(LocalContext& context);
void client_unblock(LocalContext& context);
void client_pause(LocalContext& context);
void client_unpause(LocalContext& context);
void client_reply(LocalContext& context);
void client_no_evict(LocalContext& context);
void client_no_touch(LocalContext& context);
void client_help(LocalContext& context);

// tracking_commands.cc
void client_tracking(LocalContext& context);
void client_caching(LocalContext& context);
void client_getredir(LocalContext& context);
void client_trackinginfo(LocalContext& context);

// pubsub_commands.cc
void subscribe(LocalContext& context);
void unsubscribe(LocalContext& context);
void psubscribe(LocalContext& context);
void punsubscribe(LocalContext& context);
void ssubscribe(LocalContext& context);
void sunsubscribe(LocalContext& context);
void publish(LocalContext& context);
void spublish(LocalContext& context);
void pubsub_channels(LocalContext& context);
void pubsub_numpat(LocalContext& context);
void pubsub_numsub(LocalContext& context);
void pubsub_shardchannels(LocalContext& context);
void pubsub_shardnumsub(LocalContext& context);
void pubsub_help(LocalContext& context);
void monitor(LocalContext& context);

// acl_commands.cc
// An ACL file's lines as AclUsers::change takes them, with passwords hashed. Errors say ":line: why".
[[nodiscard]] Result<std::vector<std::string>> read_acl_file(std::string_view text);
void acl_cat(LocalContext& context);
void acl_deluser(LocalContext& context);
void acl_dryrun(LocalContext& context);
void acl_genpass(LocalContext& context);
void acl_getuser(LocalContext& context);
void acl_help(LocalContext& context);
void acl_list(LocalContext& context);
void acl_load(LocalContext& context);
void acl_log(LocalContext& context);
void acl_save(LocalContext& context);
void acl_setuser(LocalContext& context);
void acl_users(LocalContext& context);
void acl_whoami(LocalContext& context);

// config_commands.cc
void config_get(LocalContext& context);
void config_set(LocalContext& context);
void config_resetstat(LocalContext& context);
void config_rewrite(LocalContext& context);
void config_help(LocalContext& context);

// info.cc
void info(LocalContext& context);

// server_commands.cc
void time(LocalContext& context);
void role(LocalContext& context);
void lastsave(LocalContext& context);
void save(LocalContext& context);
void bgsave(LocalContext& context);
void bgrewriteaof(LocalContext& context);
void shutdown(LocalContext& context);
void wait(LocalContext& context);
void waitaof(LocalContext& context);
void refuse_replication(LocalContext& context);
void module_list(LocalContext& context);
void module_refuse(LocalContext& context);
void module_help(LocalContext& context);
void lolwut(LocalContext& context);

// memory_commands.cc
void memory_doctor(LocalContext& context);
void memory_stats(LocalContext& context);
void memory_malloc_stats(LocalContext& context);
void memory_purge(LocalContext& context);

// latency_commands.cc
void slowlog_get(LocalContext& context);
void slowlog_len(LocalContext& context);
void slowlog_reset(LocalContext& context);
void slowlog_help(LocalContext& context);
void latency_latest(LocalContext& context);
void latency_history(LocalContext& context);
void latency_reset(LocalContext& context);
void latency_graph(LocalContext& context);
void latency_doctor(LocalContext& context);
void latency_histogram(LocalContext& context);
void latency_help(LocalContext& context);

// cluster_commands.cc
void cluster_slots(LocalContext& context);
void cluster_shards(LocalContext& context);
void cluster_nodes(LocalContext& context);
void cluster_info(LocalContext& context);
void cluster_myid(LocalContext& context);
void cluster_myshardid(LocalContext& context);
void cluster_keyslot(LocalContext& context);
void cluster_countkeysinslot(LocalContext& context);
void cluster_getkeysinslot(LocalContext& context);
void cluster_links(LocalContext& context);
void cluster_replicas(LocalContext& context);
void cluster_count_failure_reports(LocalContext& context);
void cluster_failover(LocalContext& context);
void cluster_saveconfig(LocalContext& context);
void cluster_bumpepoch(LocalContext& context);
void cluster_meet(LocalContext& context);
void cluster_change(LocalContext& context);
void cluster_audit(LocalContext& context);
void cluster_refuse(LocalContext& context);
void cluster_help(LocalContext& context);

// sentinel_commands.cc
void sentinel_get_master_addr_by_name(LocalContext& context);
void sentinel_master(LocalContext& context);
void sentinel_masters(LocalContext& context);
void sentinel_replicas(LocalContext& context);
void sentinel_sentinels(LocalContext& context);
void sentinel_ckquorum(LocalContext& context);
void sentinel_myid(LocalContext& context);
void sentinel_help(LocalContext& context);

// debug_commands.cc
void debug(LocalContext& context);

}  // namespace redraft::replica::local
