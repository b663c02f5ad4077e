#include <algorithm>
#include <array>

#include "server/replica/local/handlers.h"
#include "server/replica/local/node_names.h"

namespace redraft::replica::local {

namespace {

// Every node answers as a Sentinel that watches one master, under whatever name it is asked for, so that
// Sentinel-configured clients find the leader without a Sentinel (redis.io/docs/reference/sentinel-clients). Lists that
// are not asked for by a name use the customary one.
constexpr std::string_view kCustomaryName = "mymaster";

// A map of texts, flat in RESP2, as Sentinel answers.
class Fields {
 public:
  explicit Fields(resp::Writer& reply) : reply_(reply), begin_(reply.defer()) {}
  void add(std::string_view name, std::string_view value) {
    reply_.bulk(name);
    reply_.bulk(value);
    ++count_;
  }
  void add(std::string_view name, std::uint64_t value) { add(name, std::string_view(std::to_string(value))); }
  void end() { reply_.end_map(begin_, count_); }

 private:
  resp::Writer& reply_;
  resp::Writer::Deferred begin_;
  std::size_t count_ = 0;
};

void add_instance(Fields& fields, const NodeView& view, const MemberView& member, std::string_view name,
                  std::string_view role, bool down) {
  fields.add("name", name);
  fields.add("ip", member.host);
  fields.add("port", member.port);
  fields.add("runid", node_name(view, member.node));
  fields.add("flags", std::string(role) + (down ? ",s_down,disconnected" : ""));
  fields.add("link-pending-commands", 0);
  fields.add("link-refcount", 1);
  fields.add("last-ping-sent", 0);
  fields.add("last-ok-ping-reply", member.last_contact_ms);
  fields.add("last-ping-reply", member.last_contact_ms);
}

std::uint64_t quorum_of(const NodeView& view) {
  return static_cast<std::uint64_t>(std::ranges::count_if(view.members, &MemberView::voter)) / 2 + 1;
}

void add_master(LocalContext& context, const NodeView& view, const MemberView& leader, std::string_view name) {
  const std::uint64_t election_ms = context.actions.settings().values().election_timeout_ms;
  Fields fields(context.reply);
  add_instance(fields, view, leader, name, "master", view.leader == 0);
  fields.add("down-after-milliseconds", election_ms);
  fields.add("info-refresh", 0);
  fields.add("role-reported", "master");
  fields.add("role-reported-time", 0);
  fields.add("config-epoch", view.term);
  fields.add("num-slaves", view.members.size() - 1);
  fields.add("num-other-sentinels", view.members.size() - 1);
  fields.add("quorum", quorum_of(view));
  fields.add("failover-timeout", 2 * election_ms);
  fields.add("parallel-syncs", view.members.size());
  fields.end();
}

}  // namespace

// Only a leader that is known now: a client that was told the last one would connect to a dead node again.
void sentinel_get_master_addr_by_name(LocalContext& context) {
  const NodeView view = context.actions.view();
  const MemberView* leader = member_of(view, view.leader);
  if (leader == nullptr) return context.reply.null_array();
  context.reply.array(2);
  context.reply.bulk(leader->host);
  context.reply.bulk_integer(leader->port);
}

void sentinel_master(LocalContext& context) {
  const NodeView view = context.actions.view();
  const MemberView* leader = member_of(view, slot_owner(view));
  if (leader == nullptr) return context.reply.error("ERR No such master with that name");
  add_master(context, view, *leader, context.arguments[2]);
}

void sentinel_masters(LocalContext& context) {
  const NodeView view = context.actions.view();
  const MemberView* leader = member_of(view, slot_owner(view));
  context.reply.array(leader == nullptr ? 0 : 1);
  if (leader != nullptr) add_master(context, view, *leader, kCustomaryName);
}

void sentinel_replicas(LocalContext& context) {
  const NodeView view = context.actions.view();
  const MemberView* leader = member_of(view, slot_owner(view));
  if (leader == nullptr) return context.reply.error("ERR No such master with that name");
  context.reply.array(view.members.size() - 1);
  for (const MemberView& member : view.members) {
    if (&member == leader) continue;
    const bool down = !member.self && !member.link_up;
    Fields fields(context.reply);
    add_instance(fields, view, member, member.host + ":" + std::to_string(member.port), "slave", down);
    fields.add("down-after-milliseconds", context.actions.settings().values().election_timeout_ms);
    fields.add("info-refresh", 0);
    fields.add("role-reported", "slave");
    fields.add("role-reported-time", 0);
    fields.add("master-link-down-time", 0);
    fields.add("master-link-status", down ? "err" : "ok");
    fields.add("master-host", leader->host);
    fields.add("master-port", leader->port);
    fields.add("slave-priority", 100);
    fields.add("slave-repl-offset", member.self ? view.last_index : member.match_index);
    fields.add("replica-announced", 1);
    fields.end();
  }
}

void sentinel_sentinels(LocalContext& context) {
  const NodeView view = context.actions.view();
  const auto others = std::ranges::count_if(view.members, [](const MemberView& m) { return !m.self; });
  context.reply.array(static_cast<std::size_t>(others));
  for (const MemberView& member : view.members) {
    if (member.self) continue;
    Fields fields(context.reply);
    add_instance(fields, view, member, node_name(view, member.node), "sentinel", !member.link_up);
    fields.add("down-after-milliseconds", context.actions.settings().values().election_timeout_ms);
    fields.add("last-hello-message", 0);
    fields.add("voted-leader", view.leader == 0 ? std::string("?") : node_name(view, view.leader));
    fields.add("voted-leader-epoch", view.term);
    fields.end();
  }
}

void sentinel_ckquorum(LocalContext& context) {
  const NodeView view = context.actions.view();
  const auto usable = static_cast<std::uint64_t>(
      std::ranges::count_if(view.members, [](const MemberView& m) { return m.voter && (m.self || m.link_up); }));
  if (usable >= quorum_of(view)) {
    return context.reply.simple("OK " + std::to_string(usable) +
                                " usable Sentinels. Quorum and failover authorization can be reached");
  }
  context.reply.error("NOQUORUM " + std::to_string(usable) +
                      " usable Sentinels. Not enough available Sentinels to reach the majority and authorize a "
                      "failover");
}

void sentinel_myid(LocalContext& context) {
  const NodeView view = context.actions.view();
  context.reply.bulk(node_name(view, view.node));
}

void sentinel_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "CKQUORUM <master-name>",
      "    Check if the current Sentinel configuration is able to reach the quorum",
      "    needed to failover a master and the majority needed to authorize the",
      "    failover.",
      "GET-MASTER-ADDR-BY-NAME <master-name>",
      "    Return the ip and port number of the master with that name.",
      "MASTER <master-name>",
      "    Show the state and info of the specified master.",
      "MASTERS",
      "    Show a list of monitored masters and their state.",
      "MYID",
      "    Return the ID of the Sentinel instance.",
      "REPLICAS <master-name>",
      "    Show a list of replicas for this master and their state.",
      "SENTINELS <master-name>",
      "    Show a list of Sentinel instances for this master and their state.",
  });
  answer_help(context, "SENTINEL", kLines);
}

}  // namespace redraft::replica::local
