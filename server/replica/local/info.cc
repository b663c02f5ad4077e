#include <algorithm>
#include <array>
#include <cstdio>

#include "server/replica/local/acl_log.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/latency_monitor.h"
#include "server/replica/local/node_names.h"
#include "server/replica/pubsub.h"
#include "server/replica/tracking.h"
#include "server/replica/version.h"

namespace redraft::replica::local {

namespace {

// redis.io/commands/info has the sections and fields; ours are `redraft_version` and the Raft section.

std::string fixed(double value, int decimals) {
  std::array<char, 64> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

std::string human(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + "B";
  double value = static_cast<double>(bytes);
  for (const char unit : {'K', 'M', 'G', 'T'}) {
    value /= 1024;
    if (value < 1024 || unit == 'T') return fixed(value, 2) + unit;
  }
  return {};
}

class Info {
 public:
  explicit Info(LocalContext& context)
      : context_(context), view_(context.actions.view()), statistics_(context.actions.statistics()) {}

  void server();
  void clients();
  void memory();
  void persistence();
  void stats();
  void replication();
  void cpu();
  void modules() { section("Modules"); }
  void commandstats();
  void errorstats();
  void latencystats();
  void cluster();
  void keyspace();
  void raft();

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void section(std::string_view title) {
    if (!text_.empty()) text_ += "\r\n";
    text_ += "# ";
    text_ += title;
    text_ += "\r\n";
  }
  void field(std::string_view name, std::string_view value) {
    text_ += name;
    text_ += ':';
    text_ += value;
    text_ += "\r\n";
  }
  void number(std::string_view name, std::uint64_t value) { field(name, std::to_string(value)); }
  void zeros(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) field(name, "0");
  }
  void size(std::string_view name, std::uint64_t bytes) {
    number(name, bytes);
    field(std::string(name) + "_human", human(bytes));
  }
  [[nodiscard]] std::uint64_t setting_number(std::string_view name) const {
    std::uint64_t value = 0;
    for (const char c : setting_text(context_, name)) {
      if (c >= '0' && c <= '9') value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
  }
  void replicas();

  LocalContext& context_;
  const NodeView view_;
  const Statistics& statistics_;
  std::string text_;
};

void Info::server() {
  const Settings& settings = context_.actions.settings();
  section("Server");
  field("redis_version", kRedisVersion);
  field("redraft_version", kRedraftVersion);
  field("redis_git_sha1", "00000000");
  field("redis_git_dirty", "0");
  field("redis_build_id", view_.process.build_id.empty() ? "0" : view_.process.build_id);
  field("redis_mode", view_.cluster_enabled ? "cluster" : "standalone");
  field("os", view_.process.system_name);
  field("arch_bits", sizeof(void*) == 8 ? "64" : "32");
  field("monotonic_clock", "POSIX clock_gettime");
  field("multiplexing_api", "epoll");
  field("atomicvar_api", "c11-builtin");
  field("gcc_version", view_.process.compiler_version);
  number("process_id", view_.process.process_id);
  field("process_supervised", *settings.find("supervised"));
  field("run_id", run_name(view_));
  number("tcp_port", settings.values().port);
  number("server_time_usec", view_.wall_us);
  const std::uint64_t up_s = (view_.monotonic_ms - std::min(view_.started_monotonic_ms, view_.monotonic_ms)) / 1000;
  number("uptime_in_seconds", up_s);
  number("uptime_in_days", up_s / 86400);
  field("hz", *settings.find("hz"));
  field("configured_hz", *settings.find("hz"));
  number("lru_clock", view_.wall_us / 1000000 & 0xffffff);
  field("executable", view_.process.executable);
  field("config_file", settings.config_file());
  field("io_threads_active", "0");
  std::string listener = "name=tcp";
  for (const std::string& address : settings.values().bind) listener += ",bind=" + address;
  field("listener0", listener + ",port=" + std::to_string(settings.values().port));
}

void Info::clients() {
  std::uint64_t connected = 0;
  std::uint64_t blocked = 0;
  std::uint64_t timed = 0;
  std::uint64_t pubsub = 0;
  std::uint64_t watching = 0;
  std::size_t largest_input = 0;
  std::size_t largest_output = 0;
  std::uint64_t watched_keys = 0;
  context_.actions.each_session([&](Session& session) {
    ++connected;
    blocked += session.held(Hold::kBlocked) ? 1u : 0u;
    timed += session.blocked_until_us != 0 ? 1u : 0u;
    pubsub += session.subscribed() ? 1u : 0u;
    watching += session.watched.empty() ? 0u : 1u;
    watched_keys += session.watched.size();
    largest_input = std::max(largest_input, session.input.size());
    largest_output = std::max(largest_output, session.output().size());
  });
  section("Clients");
  number("connected_clients", connected);
  number("cluster_connections", static_cast<std::uint64_t>(std::ranges::count_if(
                                    view_.members, [](const MemberView& m) { return !m.self && m.link_up; })) *
                                    2);
  number("maxclients", context_.actions.settings().values().maxclients);
  number("client_recent_max_input_buffer", largest_input);
  number("client_recent_max_output_buffer", largest_output);
  number("blocked_clients", blocked);
  number("tracking_clients", context_.actions.tracking().client_count());
  number("pubsub_clients", pubsub);
  number("watching_clients", watching);
  number("clients_in_timeout_table", timed);
  number("total_watched_keys", watched_keys);
  number("total_blocking_keys", view_.waiting_keys);
  field("total_blocking_keys_on_nokey", "0");
}

void Info::memory() {
  const std::uint64_t used = view_.used_memory;
  const std::uint64_t peak = std::max(statistics_.peak_memory, used);
  const std::uint64_t resident = view_.process.resident_bytes;
  const std::uint64_t maxmemory = setting_number("maxmemory");
  const auto percent = [](std::uint64_t part, std::uint64_t whole) {
    return fixed(whole == 0 ? 0.0 : static_cast<double>(part) * 100.0 / static_cast<double>(whole), 2) + "%";
  };
  const auto ratio = [](std::uint64_t part, std::uint64_t whole) {
    return fixed(whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole), 2);
  };
  const std::uint64_t allocated =
      view_.process.allocator_allocated_bytes != 0 ? view_.process.allocator_allocated_bytes : used;
  const std::uint64_t beyond = resident - std::min(resident, used);
  section("Memory");
  size("used_memory", used);
  size("used_memory_rss", resident);
  size("used_memory_peak", peak);
  field("used_memory_peak_perc", percent(used, peak));
  number("used_memory_overhead", used - std::min(used, view_.dataset_memory));
  field("used_memory_startup", "0");
  number("used_memory_dataset", view_.dataset_memory);
  field("used_memory_dataset_perc", percent(view_.dataset_memory, used));
  number("allocator_allocated", allocated);
  number("allocator_active", allocated);
  number("allocator_resident", resident);
  size("total_system_memory", view_.process.system_memory_bytes);
  size("used_memory_lua", 0);
  zeros({"used_memory_vm_eval", "used_memory_scripts_eval", "number_of_cached_scripts", "number_of_functions",
         "number_of_libraries", "used_memory_vm_functions"});
  size("used_memory_vm_total", 0);
  zeros({"used_memory_functions"});
  size("used_memory_scripts", 0);
  size("maxmemory", maxmemory);
  field("maxmemory_policy", setting_text(context_, "maxmemory-policy"));
  field("allocator_frag_ratio", "1.00");
  field("allocator_frag_bytes", "0");
  field("allocator_rss_ratio", ratio(resident, allocated));
  number("allocator_rss_bytes", resident - std::min(resident, allocated));
  field("rss_overhead_ratio", "1.00");
  field("rss_overhead_bytes", "0");
  field("mem_fragmentation_ratio", ratio(resident, used));
  number("mem_fragmentation_bytes", beyond);
  zeros({"mem_not_counted_for_evict"});
  number("mem_replication_backlog", view_.log_memory);
  number("mem_total_replication_buffers", view_.log_memory);
  zeros({"mem_clients_slaves"});
  number("mem_clients_normal", view_.clients_memory);
  zeros({"mem_cluster_links", "mem_aof_buffer"});
  field("mem_allocator", "libc");
  zeros({"active_defrag_running"});
  number("lazyfree_pending_objects", view_.pending_free_objects);
  zeros({"lazyfreed_objects"});
}

void Info::persistence() {
  section("Persistence");
  field("loading", view_.loading ? "1" : "0");
  zeros({"async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"});
  field("current_fork_perc", "0.00");
  zeros({"current_save_keys_processed", "current_save_keys_total"});
  number("rdb_changes_since_last_save", statistics_.changes_since_save);
  field("rdb_bgsave_in_progress", statistics_.save_in_progress ? "1" : "0");
  number("rdb_last_save_time", statistics_.last_save_s);
  field("rdb_last_bgsave_status", statistics_.last_save_ok ? "ok" : "err");
  field("rdb_last_bgsave_time_sec", "-1");
  field("rdb_current_bgsave_time_sec", "-1");
  zeros({"rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded"});
  field("aof_enabled", "1");
  zeros({"aof_rewrite_in_progress", "aof_rewrite_scheduled"});
  field("aof_last_rewrite_time_sec", "-1");
  field("aof_current_rewrite_time_sec", "-1");
  field("aof_last_bgrewrite_status", statistics_.last_save_ok ? "ok" : "err");
  zeros({"aof_rewrites", "aof_rewrites_consecutive_failures"});
  field("aof_last_write_status", "ok");
  zeros({"aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"});
  number("aof_current_size", view_.log_bytes);
  number("aof_base_size", 0);
  zeros({"aof_pending_rewrite", "aof_buffer_length", "aof_pending_bio_fsync", "aof_delayed_fsync"});
  if (!view_.loading) return;
  const std::uint64_t read = std::min(view_.loading_bytes_read, view_.loading_bytes_total);
  const double part = view_.loading_bytes_total == 0
                          ? 0
                          : static_cast<double>(read) * 100 / static_cast<double>(view_.loading_bytes_total);
  const std::uint64_t now_s = view_.wall_us / 1000000;
  const std::uint64_t elapsed_s = now_s - std::min(view_.loading_started_s, now_s);
  number("loading_start_time", view_.loading_started_s);
  number("loading_total_bytes", view_.loading_bytes_total);
  zeros({"loading_rdb_used_mem"});
  number("loading_loaded_bytes", read);
  field("loading_loaded_perc", fixed(part, 2));
  number("loading_eta_seconds", read == 0 ? 1 : elapsed_s * (view_.loading_bytes_total - read) / read);
}

void Info::stats() {
  const auto kilobytes = [](const Statistics::Rate& rate) { return fixed(static_cast<double>(rate.now()) / 1024, 2); };
  section("Stats");
  number("total_connections_received", statistics_.connections_received);
  number("total_commands_processed", statistics_.commands.total);
  number("instantaneous_ops_per_sec", statistics_.commands.now());
  number("total_net_input_bytes", statistics_.bytes_in.total);
  number("total_net_output_bytes", statistics_.bytes_out.total);
  zeros({"total_net_repl_input_bytes", "total_net_repl_output_bytes"});
  field("instantaneous_input_kbps", kilobytes(statistics_.bytes_in));
  field("instantaneous_output_kbps", kilobytes(statistics_.bytes_out));
  field("instantaneous_input_repl_kbps", "0.00");
  field("instantaneous_output_repl_kbps", "0.00");
  number("rejected_connections", statistics_.connections_rejected);
  zeros({"sync_full", "sync_partial_ok", "sync_partial_err"});
  number("expired_keys", statistics_.expired_keys);
  field("expired_stale_perc", "0.00");
  zeros({"expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds"});
  number("evicted_keys", statistics_.evicted_keys);
  number("evicted_clients", statistics_.evicted_clients);
  zeros({"total_eviction_exceeded_time", "current_eviction_exceeded_time"});
  number("keyspace_hits", statistics_.keyspace_hits);
  number("keyspace_misses", statistics_.keyspace_misses);
  const PubSub& pubsub = context_.actions.pubsub();
  number("pubsub_channels", pubsub.names(PubSub::Kind::kChannel).size());
  number("pubsub_patterns", pubsub.pattern_count());
  number("pubsubshard_channels", pubsub.names(PubSub::Kind::kShardChannel).size());
  zeros({"latest_fork_usec", "total_forks"});
  number("migrate_cached_sockets", view_.process.kept_sockets);
  zeros({"slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
         "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time",
         "unexpected_error_replies"});
  const Tracking& tracking = context_.actions.tracking();
  number("tracking_total_keys", tracking.key_count());
  number("tracking_total_items", tracking.item_count());
  number("tracking_total_prefixes", tracking.prefix_count());
  number("total_error_replies", statistics_.error_replies);
  zeros({"dump_payload_sanitizations"});
  number("total_reads_processed", statistics_.commands.total);
  number("total_writes_processed", statistics_.commands.total);
  zeros(
      {"io_threaded_reads_processed", "io_threaded_writes_processed", "reply_buffer_shrinks", "reply_buffer_expands"});
  const AclLog& log = context_.actions.acl_log();
  number("acl_access_denied_auth", log.denied("auth"));
  number("acl_access_denied_cmd", log.denied("command"));
  number("acl_access_denied_key", log.denied("key"));
  number("acl_access_denied_channel", log.denied("channel"));
}

void Info::replicas() {
  std::size_t count = 0;
  std::string lines;
  for (const MemberView& member : view_.members) {
    if (member.self || !member.link_up) continue;
    lines += "slave" + std::to_string(count++) + ":ip=" + member.host + ",port=" + std::to_string(member.port) +
             ",state=" + (member.receiving_snapshot ? "send_bulk" : "online") +
             ",offset=" + std::to_string(member.match_index) + ",lag=" + std::to_string(member.last_contact_ms / 1000) +
             "\r\n";
  }
  number("connected_slaves", count);
  text_ += lines;
}

// The leader is the master; offsets are log indexes.
void Info::replication() {
  section("Replication");
  if (view_.role == NodeRole::kLeader) {
    field("role", "master");
    replicas();
  } else {
    const MemberView* leader = member_of(view_, slot_owner(view_));
    field("role", "slave");
    field("master_host", leader != nullptr ? leader->host : "");
    number("master_port", leader != nullptr ? leader->port : 0);
    field("master_link_status", view_.leader != 0 ? "up" : "down");
    field("master_last_io_seconds_ago", view_.leader != 0 ? std::to_string(view_.leader_contact_ms / 1000) : "-1");
    field("master_sync_in_progress", "0");
    number("slave_read_repl_offset", view_.last_index);
    number("slave_repl_offset", view_.last_index);
    if (view_.leader == 0) number("master_link_down_since_seconds", view_.leader_contact_ms / 1000);
    field("slave_priority", *context_.actions.settings().find("replica-priority"));
    field("slave_read_only", "1");
    field("replica_announced", "1");
    field("connected_slaves", "0");
  }
  field("master_failover_state", "no-failover");
  field("master_replid", replication_name(view_));
  field("master_replid2", "0000000000000000000000000000000000000000");
  number("master_repl_offset", view_.last_index);
  field("second_repl_offset", "-1");
  field("repl_backlog_active", "1");
  number("repl_backlog_size", view_.log_bytes);
  number("repl_backlog_first_byte_offset", view_.snapshot_index + 1);
  number("repl_backlog_histlen", view_.last_index - std::min(view_.snapshot_index, view_.last_index));
}

void Info::cpu() {
  const std::string system = fixed(static_cast<double>(view_.process.system_cpu_us) / 1e6, 6);
  const std::string user = fixed(static_cast<double>(view_.process.user_cpu_us) / 1e6, 6);
  section("CPU");
  field("used_cpu_sys", system);
  field("used_cpu_user", user);
  field("used_cpu_sys_children", "0.000000");
  field("used_cpu_user_children", "0.000000");
  field("used_cpu_sys_main_thread", system);
  field("used_cpu_user_main_thread", user);
}

void Info::commandstats() {
  section("Commandstats");
  for (std::size_t id = 0; id < statistics_.per_command.size(); ++id) {
    const Statistics::PerCommand& one = statistics_.per_command[id];
    if (one.calls + one.rejected + one.failed == 0) continue;
    const commands::Command* command = commands::find_command(static_cast<commands::CommandId>(id));
    if (command == nullptr) continue;
    const double average = one.calls == 0 ? 0 : static_cast<double>(one.microseconds) / static_cast<double>(one.calls);
    field("cmdstat_" + std::string(command->name),
          "calls=" + std::to_string(one.calls) + ",usec=" + std::to_string(one.microseconds) +
              ",usec_per_call=" + fixed(average, 2) + ",rejected_calls=" + std::to_string(one.rejected) +
              ",failed_calls=" + std::to_string(one.failed));
  }
}

void Info::errorstats() {
  section("Errorstats");
  for (const auto& [word, count] : statistics_.errors) field("errorstat_" + word, "count=" + std::to_string(count));
}

void Info::latencystats() {
  section("Latencystats");
  std::vector<std::pair<std::string, double>> percentiles;
  const std::string& list = *context_.actions.settings().find("latency-tracking-info-percentiles");
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(' ', begin), list.size());
    const std::string one = list.substr(begin, end - begin);
    percentiles.emplace_back(one, std::stod(one));
    begin = end + 1;
  }
  for (const commands::Command& command : commands::all_commands()) {
    const Histogram* histogram = context_.actions.latency().command(static_cast<std::uint16_t>(command.id));
    if (histogram == nullptr || histogram->count() == 0 || percentiles.empty()) continue;
    std::string line;
    for (const auto& [name, percent] : percentiles) {
      if (!line.empty()) line += ',';
      line += "p" + name + "=" + fixed(static_cast<double>(histogram->percentile(percent)), 3);
    }
    field("latency_percentiles_usec_" + std::string(command.name), line);
  }
}

void Info::cluster() {
  section("Cluster");
  field("cluster_enabled", view_.cluster_enabled ? "1" : "0");
}

void Info::keyspace() {
  section("Keyspace");
  for (const DatabaseView& db : view_.databases) {
    field("db" + std::to_string(db.db), "keys=" + std::to_string(db.keys) + ",expires=" + std::to_string(db.expires) +
                                            ",avg_ttl=" + std::to_string(db.average_ttl_ms));
  }
}

void Info::raft() {
  constexpr std::array<std::string_view, 4> kRoles{"follower", "pre-candidate", "candidate", "leader"};
  const MemberView* leader = member_of(view_, view_.leader);
  section("Raft");
  field("raft_role", view_.joining   ? "joining"
                     : view_.removed ? "removed"
                                     : kRoles[static_cast<std::size_t>(view_.role)]);
  number("raft_node_id", view_.node);
  number("raft_term", view_.term);
  number("raft_leader_id", view_.leader);
  field("raft_leader_addr", leader != nullptr ? leader->host + ":" + std::to_string(leader->port) : "");
  number("raft_commit_index", view_.commit_index);
  number("raft_applied_index", view_.applied_index);
  number("raft_last_index", view_.last_index);
  number("raft_snapshot_index", view_.snapshot_index);
  number("raft_log_bytes", view_.log_bytes);
  number("raft_nodes", view_.members.size());
  std::size_t count = 0;
  for (const MemberView& member : view_.members) {
    field("raft_node" + std::to_string(count++),
          "id=" + std::to_string(member.node) + ",addr=" + member.host + ":" + std::to_string(member.port) + "@" +
              std::to_string(member.peer_port) + ",role=" + (member.voter ? "voter" : "learner") +
              ",link=" + (member.self || member.link_up ? "up" : "down") +
              ",match_index=" + std::to_string(member.self ? view_.last_index : member.match_index) +
              (member.receiving_snapshot ? ",receiving_snapshot=1" : "") +
              (member.catch_up_round == 0 ? ""
                                          : ",catch_up_round=" + std::to_string(member.catch_up_round) +
                                                ",missing=" + std::to_string(member.missing)));
  }
  field("raft_audit_state", view_.audit.disputed ? "disputed" : view_.audit.running ? "running" : "idle");
  number("raft_audit_passes", view_.audit.passes);
  number("raft_audit_ranges", view_.audit.ranges);
  number("raft_audit_undecided", view_.audit.undecided);
  number("raft_audit_differences", view_.audit.differences);
  number("raft_audit_last_differed_node", view_.audit.last_differed);
  const std::uint64_t batches = statistics_.batches.now();
  number("raft_batches_per_sec", batches);
  field(
      "raft_commands_per_batch",
      fixed(batches == 0 ? 0.0 : static_cast<double>(statistics_.batched_commands.now()) / static_cast<double>(batches),
            2));
  number("raft_read_rounds_per_sec", statistics_.read_rounds.now());
  number("raft_syncs_per_sec", statistics_.syncs.now());
  number("raft_batches_total", statistics_.batches.total);
  number("raft_batched_commands_total", statistics_.batched_commands.total);
  number("raft_read_rounds_total", statistics_.read_rounds.total);
  number("raft_syncs_total", statistics_.syncs.total);
}

struct Section {
  std::string_view name;
  bool by_default;
  void (Info::*write)();
};
// In the order of the reply.
constexpr auto kSections = std::to_array<Section>({
    {"server", true, &Info::server},
    {"clients", true, &Info::clients},
    {"memory", true, &Info::memory},
    {"persistence", true, &Info::persistence},
    {"stats", true, &Info::stats},
    {"replication", true, &Info::replication},
    {"cpu", true, &Info::cpu},
    {"modules", true, &Info::modules},
    {"commandstats", false, &Info::commandstats},
    {"errorstats", true, &Info::errorstats},
    {"latencystats", false, &Info::latencystats},
    {"cluster", true, &Info::cluster},
    {"keyspace", true, &Info::keyspace},
    {"raft", true, &Info::raft},
});

}  // namespace

void info(LocalContext& context) {
  std::array<bool, kSections.size()> wanted{};
  const auto add = [&wanted](bool all) {
    for (std::size_t i = 0; i < kSections.size(); ++i) wanted[i] = wanted[i] || all || kSections[i].by_default;
  };
  if (context.arguments.size() == 1) add(false);
  for (std::size_t a = 1; a < context.arguments.size(); ++a) {
    if (argument_is(context, a, "default")) add(false);
    if (argument_is(context, a, "all") || argument_is(context, a, "everything")) add(true);
    for (std::size_t i = 0; i < kSections.size(); ++i) {
      if (argument_is(context, a, kSections[i].name)) wanted[i] = true;
    }
  }
  Info info(context);
  for (std::size_t i = 0; i < kSections.size(); ++i) {
    if (wanted[i]) (info.*kSections[i].write)();
  }
  context.reply.verbatim("txt", info.text());
}

}  // namespace redraft::replica::local
