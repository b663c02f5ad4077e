#include <algorithm>

#include "server/replica/engine.h"

// To which cluster this node belongs: founding one, joining one, following its configuration, being removed. What
// changes the configuration is membership.cc's.

namespace redraft::replica {
namespace {

// Bootstrap makes a term, and who is alone wins the next one at once.
constexpr raft::Term kFoundingTermMax{2};

}  // namespace

// The founder died between making the cluster's id durable and its first entry. Nobody has heard of that cluster, since
// members are told only of a configuration that is on disk, and nobody but itself was voted for: it begins anew.
bool Engine::founding_failed(bool founded_alone) const {
  const std::vector<InitialMember>& members = settings_.values().initial_cluster;
  const bool founder = std::ranges::all_of(members, [&](const InitialMember& member) { return member.node >= node_; });
  const raft::NodeId voted_for = restored_.hard_state.voted_for;
  const bool empty = restored_.may_vote && restored_.entries.empty() && restored_.snapshot.index.value == 0 &&
                     restored_.hard_state.term <= kFoundingTermMax &&
                     (voted_for.value == 0 || voted_for.value == node_);
  if (cluster_ == ClusterId{} || !founder || !empty) return false;
  if (members.empty() && !founded_alone) {
    // A single node, or a member of several that was started without --initial-cluster: only the operator knows.
    host_.log(
        LogLevel::kWarning,
        "This directory belongs to a cluster whose first entry never reached its disk. It holds no data: remove it "
        "and start again, or start with --initial-cluster.");
  }
  return founded_alone || !members.empty();
}

// No cluster yet: a single node forms its own, several need every initial member once, and who was started with `join`
// asks members of one.
void Engine::form_cluster() {
  if (node_ == 0 || !settings_.values().join.empty()) {
    // A directory that once was to found a cluster, and is told now to join one, gives up the id it was to have there.
    if (node_ != 0) {
      node_ = 0;
      identity_.node_id = 0;
      peers_.set_identity(identity_);
    }
    std::vector<MemberAddress> contacts;
    if (const auto contact = parse_join(settings_.values().join)) {
      contacts.push_back({contact->host, contact->port, contact->peer_port});
    }
    membership_.join(std::move(contacts));
    return;
  }
  link_to_initial_members();
  if (settings_.values().initial_cluster.size() > 1) return;
  ClusterId cluster;
  host_.random_bytes(std::span(reinterpret_cast<char*>(cluster.data()), cluster.size()));
  cluster[0] |= 1;  // never the id that means none
  raft::Member self;
  self.id = raft::NodeId{node_};
  self.incarnation = incarnation_;
  self.address = to_text(own_address());
  self.hostname = settings_.values().announce_hostname;
  self.voter = true;
  cluster_agreed(cluster, raft::Configuration(to_hex(cluster), {self}));
}

void Engine::cluster_agreed(const ClusterId& cluster, const raft::Configuration& configuration) {
  if (cluster_ != ClusterId{}) return;
  cluster_ = cluster;
  forming_ = configuration;
  DiskRequest request;
  request.bootstrap = cluster;
  request.founds_alone = configuration.members().size() == 1;
  host_.submit(std::move(request));
}

// Nothing in the settings says under which host others reach this node.
bool Engine::own_host_is_guessed() const {
  const Values& values = settings_.values();
  const auto anywhere = [](const std::string& word) {
    return word == "*" || word == "0.0.0.0" || word.ends_with("::*");
  };
  const bool listed =
      std::ranges::find(values.initial_cluster, values.node_id, &InitialMember::node) != values.initial_cluster.end();
  return values.announce_ip.empty() && !listed && (values.bind.empty() || anywhere(values.bind.front()));
}

MemberAddress Engine::own_address() const {
  const Values& values = settings_.values();
  MemberAddress own;
  for (const InitialMember& member : values.initial_cluster) {
    if (member.node == values.node_id) own = {member.host, member.port, member.peer_port};
  }
  if (own.host.empty()) {
    own.host = own_host_is_guessed() ? "127.0.0.1" : values.bind.front();
    own.port = values.port;
    own.peer_port = values.peer_port != 0 ? values.peer_port : static_cast<std::uint16_t>(values.port + 10000);
    // What the cluster recorded is better than a guess: an address must not change by a restart with fewer settings.
    const raft::Member* recorded = raft_ == nullptr ? nullptr : raft_->configuration().find(raft::NodeId{node_});
    const auto known = recorded == nullptr ? std::nullopt : parse_member_address(recorded->address);
    if (known && own_host_is_guessed()) own.host = known->host;
  }
  if (!values.announce_ip.empty()) own.host = values.announce_ip;
  if (values.announce_port != 0) own.port = values.announce_port;
  if (values.announce_bus_port != 0) own.peer_port = values.announce_bus_port;
  return own;
}

void Engine::link_to_initial_members() {
  std::vector<PeerAddress> members;
  for (const InitialMember& member : settings_.values().initial_cluster) {
    if (member.node == settings_.values().node_id) continue;
    members.push_back({member.node, member.host, member.peer_port});
  }
  peers_.set_members(members);
}

// Links to every member of the newest configuration, and of the one that is known committed: whoever leaves is needed
// until that is committed. A node that started again before it had one on disk can only go by its settings, and by
// members that dial it (Peers::adopt): without links it could not even answer the leader that wants to send it the
// first entry.
void Engine::follow_configuration() {
  const raft::Configuration& configuration = raft_->configuration();
  if (configuration.empty()) {
    link_to_initial_members();
    return;
  }
  peers_.set_own_address(own_address(), own_host_is_guessed());
  snapshots_.follow(configuration, raft::NodeId{node_});
  // Others hear of it when it is on disk here; until then this is tried again.
  configuration_change_due_ = raft_->durable_index() < raft_->configuration_index();
  if (!configuration_change_due_) peers_.set_configuration(configuration, raft_->committed_configuration());
  std::vector<PeerAddress> members;
  for (const raft::Configuration* one : {&configuration, &raft_->committed_configuration()}) {
    for (const raft::Member& member : one->members()) {
      const std::optional<MemberAddress> address = parse_member_address(member.address);
      const bool listed = std::ranges::find(members, member.id.value, &PeerAddress::node) != members.end();
      if (address && !listed) members.push_back({member.id.value, address->host, address->peer_port});
    }
  }
  peers_.set_members(members);
}

// ---- Membership::Node

raft::ProposalStatus Engine::change_members(std::vector<raft::MemberChange> changes) {
  feed(raft::ChangeMembers{std::move(changes)});
  ensure(output_.proposal.has_value(), "a proposal is answered in its own step");
  return output_.proposal->status;
}

void Engine::answer_change(std::uint64_t session_id, const std::string& error) {
  Session* session = sessions_.find(session_id);
  if (session == nullptr) return;
  error.empty() ? session->writer().ok() : session->writer().error(error);
  report_output(*session);
  resume(*session, Hold::kBlocked);
}

// The cluster gave this directory an id: durable before anything is done under it.
void Engine::assigned(const ClusterId& cluster, std::uint64_t node) {
  if (cluster_ != ClusterId{}) return;
  cluster_ = cluster;
  node_ = node;
  DiskRequest request;
  request.bootstrap = cluster;
  request.assigned_node = node;
  host_.submit(std::move(request));
}

// The cluster of --initial-cluster exists and this directory is not its member's of that id: it was emptied, or the
// member was removed. It acts under that id no more (storage-faults row 16, pitfall D10) and joins under another.
void Engine::must_join(const std::string& sentence) {
  if (cluster_ != ClusterId{} || node_ == 0 || founding_) return;
  host_.log(LogLevel::kWarning, "A member says: " + sentence + ". This node joins as a new member.");
  std::vector<MemberAddress> contacts;
  for (const InitialMember& member : settings_.values().initial_cluster) {
    if (member.node != settings_.values().node_id) contacts.push_back({member.host, member.port, member.peer_port});
  }
  node_ = 0;
  identity_.node_id = 0;
  peers_.set_members({});
  peers_.set_identity(identity_);
  membership_.join(std::move(contacts));
}

// From now on this node only tells so (pitfall D4). Its directory stays for the operator to look at.
void Engine::was_removed(const std::string& sentence) {
  if (removed_) return;
  removed_ = true;
  removal_due_ = true;
  role_change_due_ = true;
  host_.log(
      LogLevel::kWarning,
      "This node is a member of its cluster no more: " + sentence +
          ". It serves nothing from now on. To use the machine again, stop it, empty the directory and join anew.");
}

// Between applies: clients that wait here are told, links are dropped. What the log served them since the last entry
// that came here is not known.
void Engine::leave() {
  removal_due_ = false;
  peers_.set_members({});
  blocked_.end_in_doubt();
  release_parked(true);
}

}  // namespace redraft::replica
