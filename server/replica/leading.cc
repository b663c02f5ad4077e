#include <algorithm>

#include "base/crc32c.h"
#include "server/replica/engine.h"
#include "server/replica/local/handlers.h"

// Who leads, and what a change of that means: reads that were lost, clients that are told, the first entry of a term.

namespace redraft::replica {

// What Raft said about roles, acted upon between applies and in this order: reads that were lost, then a term of our
// own.
void Engine::settle_role() {
  if (applying_ || raft_ == nullptr) return;
  if (configuration_change_due_) {
    configuration_change_due_ = false;
    follow_configuration();
  }
  if (role_change_due_ || reads_lost_) {
    const bool step_down = serving_leader_ && !raft_leads();
    reads_lost_ = false;
    role_change_due_ = false;
    if (!raft_leads()) {
      if (step_down) stepped_down_us_ = now_.monotonic_us;
      if (step_down) events_.forget_tracked();
      serving_leader_ = false;
      cancel_reads();
      cancel_fragments();
      if (!pipeline_.open_empty()) close_batch();  // refused, so answered
      if (step_down) step_down_clients();
    }
  }
  if (removal_due_) leave();
  if (became_leader_) {
    became_leader_ = false;
    if (raft_leads()) begin_leading();
  }
}

void Engine::begin_leading() {
  cancel_reads();      // follower rounds of before
  cancel_fragments();  // of an earlier term, when one turn saw the loss of leadership and its return
  serving_leader_ = true;
  clock_.lead(last_clock_ms_, now_, voters());
  PayloadHeader header;
  header.clock_ms = std::max(last_clock_ms_, clock_.read_ms(now_, voters()));
  header.seed = next_seed();
  header.node = node_;
  PayloadWriter writer;
  SharedBytes payload = writer.finish(header);
  note_clock(header.clock_ms);
  const std::uint32_t crc = crc32c(payload.view());
  feed(raft::Propose{raft::EntryType::kTermStart, crc, std::move(payload)});
  if (founding_) seed_settings();
}

// The settings that decide state begin as the founder's file has them; from then on the log does (redis-semantics, "One
// configuration for what decides state").
void Engine::seed_settings() {
  founding_ = false;
  std::map<std::string, std::string> all;
  settings_.match("*", all);
  std::vector<std::string_view> arguments{"0"};
  for (const auto& [name, text] : all) {
    if (settings_.scope(name) != Settings::Scope::kCluster) continue;
    arguments.push_back(name);
    arguments.push_back(text);
  }
  pipeline_.add(nullptr, {.id = commands::CommandId::kSetSetting}, arguments);
  seed_users();
}

// The founder's `user` lines and ACL file begin the cluster's users; from then on the log has them.
void Engine::seed_users() {
  const Values& values = settings_.values();
  std::string text;
  for (const std::string& user : values.users) text += "user " + user + "\n";
  if (!values.acl_file.empty()) text += host_.read_config_file(values.acl_file).value_or("");
  const Result<std::vector<std::string>> words = local::read_acl_file(text);
  if (!words) {
    host_.log(LogLevel::kWarning, "The ACL file is not used" + words.error().message);
    return;
  }
  for (std::size_t i = 1; i + 1 < words->size(); i += 2) {
    std::vector<std::string_view> change{"setuser", (*words)[i]};
    std::string_view rest = (*words)[i + 1];
    while (!rest.empty()) {
      change.push_back(rest.substr(0, rest.find(' ')));
      rest.remove_prefix(std::min(rest.size(), change.back().size() + 1));
    }
    if (Status fits = users_.all().check(change, false); !fits) {
      host_.log(LogLevel::kWarning, "User " + (*words)[i] + " is not made: " + fits.error().message);
      continue;
    }
    change.insert(change.begin(), "0");
    pipeline_.add(nullptr, {.id = commands::CommandId::kChangeUsers}, change);
  }
}

// The first entry of a term: whoever waited or sent fragments under an earlier leader is released.
void Engine::begin_term() {
  store_->waiters().clear();
  fragments_.clear();
  eviction_.forget();
  blocked_.restart();
}

// ---- Who leads

bool Engine::raft_leads() const {
  return raft_ != nullptr && raft_->role() == raft::Role::kLeader && !removed_;
}

bool Engine::leading() const {
  return serving_leader_ && raft_leads() && !condemned_;
}

bool Engine::leader_known() const {
  return raft_ != nullptr && raft_->leader().value != 0 && !raft_leads() && !removed_ && !condemned_;
}

std::size_t Engine::voters() const {
  if (raft_ == nullptr) return 1;
  return static_cast<std::size_t>(
      std::ranges::count_if(raft_->configuration().members(), [](const raft::Member& member) { return member.voter; }));
}

std::optional<MemberAddress> Engine::leader_address() const {
  if (raft_ == nullptr || raft_->leader().value == 0) return std::nullopt;
  const raft::Member* leader = raft_->configuration().find(raft_->leader());
  if (leader == nullptr) return std::nullopt;
  return parse_member_address(leader->address);
}

// A plain or Sentinel client is told to look for the master anew by losing its connection, after its answers.
void Engine::step_down_clients() {
  actions_.unpause();
  if (cluster_enabled()) return;
  sessions_.for_each([&](Session& session) {
    if (!session.readonly) close_after_replies(session);
  });
}

}  // namespace redraft::replica
