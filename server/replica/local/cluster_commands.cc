#include <algorithm>
#include <array>

#include "resp/number.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/node_names.h"
#include "server/store/slot.h"

namespace redraft::replica::local {

namespace {

// The Redis Cluster protocol shown on top of one Raft group: its leader is the master of all slots, the other members
// are its replicas, the config epoch is the term (redis-semantics, "Who answers what").

constexpr std::int64_t kLastSlot = 16383;
constexpr std::int64_t kPeerPortOffset = 10000;

bool refused_as_disabled(LocalContext& context, const NodeView& view) {
  if (view.cluster_enabled) return false;
  context.reply.error(kNoClusterSupport);
  return true;
}

std::string endpoint_of(LocalContext& context, const MemberView& member, bool& known) {
  const std::string& type = *context.actions.settings().find("cluster-preferred-endpoint-type");
  known = type != "unknown-endpoint";
  if (type == "hostname") return member.hostname.empty() ? "?" : member.hostname;
  return member.host;
}

const MemberView* named_member(LocalContext& context, const NodeView& view, std::string_view name) {
  for (const MemberView& member : view.members) {
    if (node_name(view, member.node) == name) return &member;
  }
  context.reply.error("ERR Unknown node " + std::string(name));
  return nullptr;
}

// The owner of the slots first, as every client expects its master there.
std::vector<const MemberView*> owner_and_replicas(const NodeView& view) {
  std::vector<const MemberView*> members;
  const std::uint64_t owner = slot_owner(view);
  for (const MemberView& member : view.members) {
    if (member.node == owner) members.insert(members.begin(), &member);
    if (member.node != owner) members.push_back(&member);
  }
  return members;
}

// One line of CLUSTER NODES. Pings and pongs are zero: they would make the nodes' answers differ.
std::string node_line(const NodeView& view, const MemberView& member) {
  const std::uint64_t owner = slot_owner(view);
  std::string line = node_name(view, member.node) + " " + member.host + ":" + std::to_string(member.port) + "@" +
                     std::to_string(member.peer_port);
  if (!member.hostname.empty()) line += "," + member.hostname;
  line += member.self ? " myself," : " ";
  line += member.node == owner ? "master" : "slave";
  if (!member.link_up && !member.self) line += ",fail?";
  line += " " + (member.node == owner || owner == 0 ? std::string("-") : node_name(view, owner));
  line += " 0 0 " + std::to_string(view.term);
  line += member.self || member.link_up ? " connected" : " disconnected";
  if (member.node == owner) line += " 0-16383";
  return line;
}

std::optional<std::uint32_t> slot_argument(LocalContext& context, std::size_t i, std::string_view error) {
  const std::optional<std::int64_t> slot = resp::parse_int64(context.arguments[i]);
  if (!slot) {
    context.reply.error(kNotAnInteger);
    return std::nullopt;
  }
  if (*slot < 0 || *slot > kLastSlot) {
    context.reply.error(error);
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*slot);
}

}  // namespace

void cluster_slots(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  if (slot_owner(view) == 0) return context.reply.array(0);
  const std::vector<const MemberView*> members = owner_and_replicas(view);
  context.reply.array(1);
  const resp::Writer::Deferred begin = context.reply.defer();
  std::size_t count = 2;
  context.reply.integer(0);
  context.reply.integer(kLastSlot);
  for (const MemberView* member : members) {
    // A replica that cannot be reached is left out, so that clients do not send reads there.
    if (member != members.front() && !member->self && !member->link_up) continue;
    bool known = true;
    const std::string endpoint = endpoint_of(context, *member, known);
    context.reply.array(4);
    if (known) {
      context.reply.bulk(endpoint);
    } else {
      context.reply.null();
    }
    context.reply.integer(member->port);
    context.reply.bulk(node_name(view, member->node));
    const bool by_host = endpoint == member->host;
    const std::size_t extra =
        (by_host ? 0u : 1u) + (member->hostname.empty() || endpoint == member->hostname ? 0u : 1u);
    context.reply.map(extra);
    if (!by_host) {
      context.reply.bulk("ip");
      context.reply.bulk(member->host);
    }
    if (!member->hostname.empty() && endpoint != member->hostname) {
      context.reply.bulk("hostname");
      context.reply.bulk(member->hostname);
    }
    ++count;
  }
  context.reply.end_array(begin, count);
}

void cluster_shards(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  const std::uint64_t owner = slot_owner(view);
  context.reply.array(1);
  context.reply.map(2);
  context.reply.bulk("slots");
  context.reply.array(owner == 0 ? 0 : 2);
  if (owner != 0) {
    context.reply.integer(0);
    context.reply.integer(kLastSlot);
  }
  context.reply.bulk("nodes");
  context.reply.array(view.members.size());
  for (const MemberView* member : owner_and_replicas(view)) {
    bool known = true;
    const std::string endpoint = endpoint_of(context, *member, known);
    context.reply.map(member->hostname.empty() ? 7 : 8);
    context.reply.bulk("id");
    context.reply.bulk(node_name(view, member->node));
    context.reply.bulk("port");
    context.reply.integer(member->port);
    context.reply.bulk("ip");
    context.reply.bulk(member->host);
    context.reply.bulk("endpoint");
    if (known) {
      context.reply.bulk(endpoint);
    } else {
      context.reply.null();
    }
    if (!member->hostname.empty()) {
      context.reply.bulk("hostname");
      context.reply.bulk(member->hostname);
    }
    context.reply.bulk("role");
    context.reply.bulk(member->node == owner ? "master" : "replica");
    context.reply.bulk("replication-offset");
    context.reply.integer(static_cast<std::int64_t>(member->self ? view.last_index : member->match_index));
    context.reply.bulk("health");
    const bool loading = (member->self && view.loading) || member->receiving_snapshot;
    context.reply.bulk(loading ? "loading" : member->self || member->link_up ? "online" : "fail");
  }
}

void cluster_nodes(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  std::string text;
  for (const MemberView& member : view.members) text += node_line(view, member) + "\n";
  context.reply.verbatim("txt", text);
}

void cluster_info(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  std::string text;
  const auto field = [&text](std::string_view name, std::string_view value) {
    text += name;
    text += ':';
    text += value;
    text += "\r\n";
  };
  const std::string slots = slot_owner(view) == 0 ? "0" : "16384";
  field("cluster_state", view.leader != 0 ? "ok" : "fail");
  field("cluster_slots_assigned", slots);
  field("cluster_slots_ok", view.leader != 0 ? slots : "0");
  field("cluster_slots_pfail", "0");
  field("cluster_slots_fail", view.leader != 0 ? "0" : slots);
  field("cluster_known_nodes", std::to_string(view.members.size()));
  field("cluster_size", "1");
  field("cluster_current_epoch", std::to_string(view.term));
  field("cluster_my_epoch", std::to_string(view.term));
  field("cluster_stats_messages_sent", "0");
  field("cluster_stats_messages_received", "0");
  field("total_cluster_links_buffer_limit_exceeded", "0");
  context.reply.verbatim("txt", text);
}

void cluster_myid(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  context.reply.bulk(node_name(view, view.node));
}

void cluster_myshardid(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  context.reply.bulk(shard_name(view));
}

void cluster_keyslot(LocalContext& context) {
  if (refused_as_disabled(context, context.actions.view())) return;
  context.reply.integer(store::slot_of(context.arguments[2]));
}

void cluster_countkeysinslot(LocalContext& context) {
  if (refused_as_disabled(context, context.actions.view())) return;
  const std::optional<std::uint32_t> slot = slot_argument(context, 2, "ERR Invalid slot");
  if (!slot) return;
  context.reply.integer(static_cast<std::int64_t>(context.actions.count_keys_in_slot(*slot)));
}

void cluster_getkeysinslot(LocalContext& context) {
  if (refused_as_disabled(context, context.actions.view())) return;
  constexpr std::string_view kInvalid = "ERR Invalid slot or number of keys";
  const std::optional<std::int64_t> slot = resp::parse_int64(context.arguments[2]);
  const std::optional<std::int64_t> count = resp::parse_int64(context.arguments[3]);
  if (!slot || !count) return context.reply.error(kNotAnInteger);
  if (*slot < 0 || *slot > kLastSlot || *count < 0) return context.reply.error(kInvalid);
  const std::vector<std::string> keys =
      context.actions.keys_in_slot(static_cast<std::uint32_t>(*slot), static_cast<std::uint64_t>(*count));
  context.reply.array(keys.size());
  for (const std::string& key : keys) context.reply.bulk(key);
}

// One map per direction, as Redis has two links to every node.
void cluster_links(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  const auto links = std::ranges::count_if(view.members, [](const MemberView& m) { return !m.self && m.link_up; });
  context.reply.array(static_cast<std::size_t>(links) * 2);
  for (const MemberView& member : view.members) {
    if (member.self || !member.link_up) continue;
    for (const std::string_view direction : {"to", "from"}) {
      context.reply.map(6);
      context.reply.bulk("direction");
      context.reply.bulk(direction);
      context.reply.bulk("node");
      context.reply.bulk(node_name(view, member.node));
      context.reply.bulk("create-time");
      context.reply.integer(static_cast<std::int64_t>(member.link_since_ms));
      context.reply.bulk("events");
      context.reply.bulk(direction == "to" && member.unsent_bytes > 0 ? "rw" : "r");
      context.reply.bulk("send-buffer-allocated");
      context.reply.integer(direction == "to" ? static_cast<std::int64_t>(member.unsent_bytes) : 0);
      context.reply.bulk("send-buffer-used");
      context.reply.integer(direction == "to" ? static_cast<std::int64_t>(member.unsent_bytes) : 0);
    }
  }
}

void cluster_replicas(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  const MemberView* master = named_member(context, view, context.arguments[2]);
  if (master == nullptr) return;
  if (master->node != slot_owner(view)) return context.reply.error("ERR The specified node is not a master");
  context.reply.array(view.members.size() - 1);
  for (const MemberView& member : view.members) {
    if (member.node != master->node) context.reply.bulk(node_line(view, member));
  }
}

void cluster_count_failure_reports(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  if (named_member(context, view, context.arguments[2]) == nullptr) return;
  context.reply.integer(0);
}

// redis.io/commands/cluster-failover: this node asks for the leadership. FORCE and TAKEOVER give up agreement in Redis;
// here no option can, they mean the same as none.
void cluster_failover(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  if (context.arguments.size() > 3) {
    return context.reply.error("ERR wrong number of arguments for 'cluster|failover' command");
  }
  if (context.arguments.size() == 3 && !argument_is(context, 2, "force") && !argument_is(context, 2, "takeover")) {
    return context.reply.error(kSyntaxError);
  }
  if (view.role == NodeRole::kLeader) {
    return context.reply.error("ERR You should send CLUSTER FAILOVER to a replica");
  }
  if (view.leader == 0) {
    return context.reply.error("ERR Master is down or failed, please use CLUSTER FAILOVER FORCE");
  }
  Status going = context.actions.transfer_leadership(view.node);
  if (!going) return context.reply.error(going.error().message);
  context.reply.ok();
}

// The configuration is in the log and durable already.
void cluster_saveconfig(LocalContext& context) {
  if (refused_as_disabled(context, context.actions.view())) return;
  context.reply.ok();
}

void cluster_bumpepoch(LocalContext& context) {
  const NodeView view = context.actions.view();
  if (refused_as_disabled(context, view)) return;
  context.reply.simple("STILL " + std::to_string(view.term));
}

// Also on a single node and with cluster-enabled no: this is how a single node becomes a cluster.
void cluster_meet(LocalContext& context) {
  if (context.in_transaction) return context.reply.error(kNotInTransaction);
  const auto port = resp::parse_int64(context.arguments[3]);
  const auto peer_port = context.arguments.size() > 4 ? resp::parse_int64(context.arguments[4])
                                                      : std::optional(port.value_or(0) + kPeerPortOffset);
  if (context.arguments.size() > 5) {
    return context.reply.error("ERR wrong number of arguments for 'cluster|meet' command");
  }
  const auto valid = [](const std::optional<std::int64_t>& one) { return one && *one > 0 && *one <= 65535; };
  if (!port) {
    return context.reply.error("ERR Invalid base port specified: " + std::string(context.arguments[3]));
  }
  if (!peer_port) {
    return context.reply.error("ERR Invalid bus port specified: " + std::string(context.arguments[4]));
  }
  const std::string host(context.arguments[2]);
  if (!valid(port) || !valid(peer_port) || host.empty()) {
    return context.reply.error("ERR Invalid node address specified: " + host + ":" + std::string(context.arguments[3]));
  }
  context.actions.meet(context.session, host, static_cast<std::uint16_t>(*port),
                       static_cast<std::uint16_t>(*peer_port));
}

// CLUSTER FORGET, PROMOTE, DEMOTE <node-id> [<node-id> ...] [FORCE]: the 40 digits of CLUSTER NODES or the number of
// INFO's raft_node_id.
void cluster_change(LocalContext& context) {
  using Id = commands::CommandId;
  if (context.in_transaction) return context.reply.error(kNotInTransaction);
  const NodeView view = context.actions.view();
  const bool force = context.arguments.size() > 3 && argument_is(context, context.arguments.size() - 1, "force");
  std::vector<std::uint64_t> nodes;
  for (const std::string_view name : context.arguments.subspan(2, context.arguments.size() - (force ? 3 : 2))) {
    const std::optional<std::int64_t> number = resp::parse_int64(name);
    const auto member = std::ranges::find_if(view.members, [&](const MemberView& one) {
      return number ? one.node == static_cast<std::uint64_t>(*number) : node_name(view, one.node) == name;
    });
    if (member == view.members.end()) return context.reply.error("ERR Unknown node " + std::string(name));
    nodes.push_back(member->node);
  }
  const MemberChange change = context.command.id == Id::kClusterForget    ? MemberChange::kForget
                              : context.command.id == Id::kClusterPromote ? MemberChange::kPromote
                                                                          : MemberChange::kDemote;
  context.actions.change_members(context.session, change, nodes, force);
}

// CLUSTER AUDIT: all nodes' data are compared, a range at a time; how far it is and what came of it, INFO raft tells.
void cluster_audit(LocalContext& context) {
  const Status started = context.actions.start_audit();
  if (!started) return context.reply.error(started.error().message);
  context.reply.simple("Audit started");
}

void cluster_refuse(LocalContext& context) {
  if (refused_as_disabled(context, context.actions.view())) return;
  using Id = commands::CommandId;
  switch (context.command.id) {
    case Id::kClusterReset:
    case Id::kClusterReplicate:
      return context.reply.error(
          "ERR Cluster members are decided by Raft: all are replicas of whoever leads them, and leave by CLUSTER "
          "FORGET");
    case Id::kClusterSetConfigEpoch:
      return context.reply.error("ERR The config epoch is the term of the Raft log and cannot be set");
    default:
      return context.reply.error("ERR Slots cannot be moved: one Raft group serves all 16384 of them");
  }
}

void cluster_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "ADDSLOTS <slot> [<slot> ...]",
      "    Assign slots to current node.",
      "ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
      "    Assign slots which are between <start-slot> and <end-slot> to current node.",
      "AUDIT",
      "    Compare the data of all nodes, in the background.",
      "BUMPEPOCH",
      "    Advance the cluster config epoch.",
      "COUNT-FAILURE-REPORTS <node-id>",
      "    Return number of failure reports for <node-id>.",
      "COUNTKEYSINSLOT <slot>",
      "    Return the number of keys in <slot>.",
      "DELSLOTS <slot> [<slot> ...]",
      "    Delete slots information from current node.",
      "DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
      "    Delete slots information which are between <start-slot> and <end-slot> from current node.",
      "DEMOTE <node-id> [<node-id> ...] [FORCE]",
      "    Make voters learners.",
      "FAILOVER [FORCE|TAKEOVER]",
      "    Promote current replica node to being a master.",
      "FORGET <node-id> [<node-id> ...] [FORCE]",
      "    Remove nodes from the cluster.",
      "GETKEYSINSLOT <slot> <count>",
      "    Return key names stored by current node in a slot.",
      "FLUSHSLOTS",
      "    Delete current node own slots information.",
      "INFO",
      "    Return information about the cluster.",
      "KEYSLOT <key>",
      "    Return the hash slot for <key>.",
      "MEET <ip> <port> [<bus-port>]",
      "    Connect nodes into a working cluster.",
      "MYID",
      "    Return the node id.",
      "MYSHARDID",
      "    Return the node's shard id.",
      "NODES",
      "    Return cluster configuration seen by node. Output format:",
      "    <id> <ip:port@bus-port[,hostname]> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
      "PROMOTE <node-id> [<node-id> ...] [FORCE]",
      "    Make learners voters.",
      "REPLICATE <node-id>",
      "    Configure current node as replica to <node-id>.",
      "RESET [HARD|SOFT]",
      "    Reset current node (default: soft).",
      "SET-CONFIG-EPOCH <epoch>",
      "    Set config epoch of current node.",
      "SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)",
      "    Set slot state.",
      "REPLICAS <node-id>",
      "    Return <node-id> replicas.",
      "SAVECONFIG",
      "    Force saving cluster configuration on disk.",
      "SLOTS",
      "    Return information about slots range mappings. Each range is made of:",
      "    start, end, master and replicas IP addresses, ports and ids",
      "SHARDS",
      "    Return information about slot range mappings and the nodes associated with them.",
      "LINKS",
      "    Return information about all network links between this node and its peers.",
      "    Output format is an array where each array element is a map containing attributes of a link",
  });
  if (refused_as_disabled(context, context.actions.view())) return;
  answer_help(context, "CLUSTER", kLines);
}

}  // namespace redraft::replica::local
