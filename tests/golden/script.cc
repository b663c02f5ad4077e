#include "tests/golden/script.h"

#include <algorithm>
#include <memory>
#include <sstream>

#include "tests/raft/cluster.h"
#include "tests/raft/describe.h"

namespace redraft::raft::testing {

std::vector<Block> parse_script(const std::string& text) {
  std::vector<Block> blocks;
  std::istringstream in(text);
  std::string line;
  Block block;
  bool output = false;
  const auto finish = [&] {
    if (!block.lines.empty()) blocks.push_back(std::move(block));
    block = Block{};
    output = false;
  };
  while (std::getline(in, line)) {
    if (line.empty()) {
      finish();
    } else if (line == "----") {
      output = true;
    } else if (output) {
      block.expected.push_back(line);
    } else {
      block.lines.push_back(line);
    }
  }
  finish();
  return blocks;
}

std::string format_script(const std::vector<Block>& blocks) {
  std::string text;
  for (const Block& block : blocks) {
    if (!text.empty()) text += "\n";
    bool commands = false;
    for (const std::string& line : block.lines) {
      text += line + "\n";
      commands = commands || line[0] != '#';
    }
    if (commands) text += "----\n";
    for (const std::string& line : block.expected) text += line + "\n";
  }
  return text;
}

namespace {

class Interpreter {
 public:
  std::vector<std::string> run(const Block& block) {
    printed_.clear();
    for (const std::string& line : block.lines) {
      if (line[0] == '#') continue;
      std::istringstream words(line);
      std::string command;
      words >> command;
      execute(command, words);
    }
    return std::move(printed_);
  }

 private:
  static std::uint64_t number(std::istringstream& words, std::uint64_t otherwise = 0) {
    std::uint64_t value = 0;
    return words >> value ? value : otherwise;
  }

  static std::string rest(std::istringstream& words) {
    std::string text;
    std::getline(words >> std::ws, text);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    return text;
  }

  void make(std::istringstream& words, bool bootstrap) {
    Cluster::Options options;
    options.bootstrap = bootstrap;
    options.config.catch_up_tail_entries = 0;
    options.config.disk_stall_ticks_max = 1000;
    options.members = Cluster::voters(number(words, 3));
    std::string word;
    while (words >> word) {
      if (word == "learners") {
        for (std::uint64_t i = number(words); i > 0; --i) {
          Member& member = options.members[options.members.size() - i];
          member.voter = false;
          member.learner = true;
        }
        continue;
      }
      const auto equals = word.find('=');
      const std::string key = word.substr(0, equals);
      const std::uint64_t value = std::stoull(word.substr(equals + 1));
      Config& config = options.config;
      if (key == "election") config.election_timeout_ticks = static_cast<std::uint32_t>(value);
      if (key == "heartbeat") config.heartbeat_ticks = static_cast<std::uint32_t>(value);
      if (key == "tail") config.catch_up_tail_entries = value;
      if (key == "cache") config.log_limits.cached_entries_max = value;
      if (key == "inflight") config.inflight_entries_max = value;
      if (key == "batch") config.message_entries_max = value;
      if (key == "backlog") config.uncommitted_bytes_max = value;
      if (key == "seed") options.seed = value;
      if (key == "lease") config.lease_us = config.lease_longest_us = value;
    }
    cluster_ = std::make_unique<Cluster>(std::move(options));
    cluster_->trace = &printed_;
  }

  void status() {
    for (auto& [id, node] : cluster_->nodes()) {
      if (node.raft == nullptr) {
        printed_.push_back(std::to_string(id) + " down");
        continue;
      }
      const Raft& raft = *node.raft;
      std::string role = name(raft.role());
      role.resize(13, ' ');
      printed_.push_back(std::to_string(id) + " " + role + " term " + std::to_string(raft.term().value) + "  last " +
                         std::to_string(raft.last_index().value) + "  commit " +
                         std::to_string(raft.commit_index().value));
    }
  }

  void log(std::uint64_t id) {
    const Raft& raft = cluster_->raft(id);
    std::string text = std::to_string(id) + " log, index/term:";
    if (raft.first_index().value > 1) text += " (cut)";
    for (LogIndex i = raft.first_index(); i <= raft.last_index(); ++i) {
      text += " " + std::to_string(i.value) + "/" + std::to_string(raft.term_of(i)->value);
    }
    printed_.push_back(text);
  }

  void progress(std::uint64_t id) {
    for (const Progress& progress : cluster_->raft(id).progress()) {
      printed_.push_back(std::to_string(id) + " sees " + std::to_string(progress.node.value) + " in " +
                         name(progress.state) + ", match " + std::to_string(progress.match_index.value) + " next " +
                         std::to_string(progress.next_index.value));
    }
  }

  void change(std::uint64_t id, std::istringstream& words) {
    std::vector<MemberChange> changes;
    std::string word;
    while (words >> word) {
      MemberChange& change = changes.emplace_back();
      change.member.id = NodeId{std::stoull(word.substr(1))};
      switch (word[0]) {
        case '+':
          change.kind = MemberChangeKind::kAdd;
          break;
        case '^':
          change.kind = MemberChangeKind::kPromote;
          break;
        case 'v':
          change.kind = MemberChangeKind::kDemote;
          break;
        case '-':
          change.kind = MemberChangeKind::kRemove;
          break;
        default:
          change.kind = MemberChangeKind::kUpdate;
          change.member.address = "moved" + word.substr(1);
          break;
      }
    }
    const Proposal proposal = cluster_->change(id, std::move(changes));
    if (proposal.status != ProposalStatus::kAccepted) {
      printed_.push_back(std::to_string(id) + " refuses: " + name(proposal.status));
    }
  }

  void configuration(std::uint64_t id) {
    const Raft& raft = cluster_->raft(id);
    const Configuration& configuration = raft.configuration();
    std::string old;
    std::string voters;
    std::string learners;
    for (const Member& member : configuration.members()) {
      const std::string node = " " + std::to_string(member.id.value);
      if (member.outgoing_voter) old += node;
      if (member.voter) voters += node;
      if (member.learner) learners += node;
    }
    std::string text = std::to_string(id) + " at " + std::to_string(raft.configuration_index().value) + ": voters";
    if (configuration.is_joint()) text += old + " and";
    text += voters;
    if (!learners.empty()) text += ", learners" + learners;
    printed_.push_back(text);
  }

  static bool chosen(const Envelope& envelope, std::uint64_t from, std::uint64_t to) {
    return (from == 0 || envelope.from.value == from) && (to == 0 || envelope.to.value == to);
  }

  void deliver(std::uint64_t from, std::uint64_t to) {
    std::size_t before = cluster_->network().size();
    for (std::size_t position = 0; before > 0; --before) {
      if (chosen(cluster_->network()[position], from, to)) {
        cluster_->deliver(position);  // takes it away; answers go to the end
      } else {
        ++position;
      }
    }
  }

  void tick(std::istringstream& words) {
    std::string who;
    words >> who;
    const auto times = static_cast<std::uint32_t>(number(words, 1));
    if (who == "all") {
      cluster_->tick_all(times);
    } else {
      for (std::uint32_t i = 0; i < times; ++i) {
        cluster_->now_us += cluster_->us_per_tick;
        cluster_->tick(std::stoull(who));
      }
    }
  }

  void until(const std::string& what) {
    const bool messages = std::exchange(cluster_->trace_messages, false);
    if (what == "leader") {
      const bool done = cluster_->run_until([this] { return cluster_->leader() != 0; }, 200);
      if (!done) printed_.push_back("no leader");
    } else {
      cluster_->run_until([] { return false; }, 30);
    }
    cluster_->trace_messages = messages;
    status();
  }

  void execute(const std::string& command, std::istringstream& words) {
    if (command == "nodes") return make(words, false);
    if (command == "bootstrap") return make(words, true);
    if (command == "status") return status();
    if (command == "settle") {
      cluster_->settle();
      return status();
    }
    if (command == "heal") return cluster_->heal();
    if (command == "show") {
      for (const Envelope& envelope : cluster_->network()) printed_.push_back("on its way: " + describe(envelope));
      return;
    }
    if (command == "tick") return tick(words);
    if (command == "until") return until(rest(words));
    if (command == "messages" || command == "loglost") {
      (command == "messages" ? cluster_->trace_messages : cluster_->fail_log_reads) = rest(words) == "on";
      return;
    }
    const std::uint64_t id = number(words);
    if (command == "deliver") return deliver(id, number(words));
    if (command == "drop") {
      const std::uint64_t to = number(words);
      std::erase_if(cluster_->network(), [id, to](const Envelope& envelope) { return chosen(envelope, id, to); });
      return;
    }
    if (command == "elect") {
      cluster_->trace = nullptr;
      cluster_->elect(id);
      cluster_->tick_all();
      cluster_->settle();
      cluster_->trace = &printed_;
      return;
    }
    if (command == "spawn") return cluster_->spawn(id);
    if (command == "change") return change(id, words);
    if (command == "config") return configuration(id);
    if (command == "campaign") return cluster_->campaign(id);
    if (command == "propose") {
      const Proposal proposal = cluster_->propose(id, rest(words));
      if (proposal.status != ProposalStatus::kAccepted) {
        printed_.push_back(std::to_string(id) + " refuses: " + name(proposal.status));
      }
      return;
    }
    if (command == "read") return cluster_->read(id, number(words));
    if (command == "flush") return cluster_->step(id, Flush{});
    if (command == "transfer") return cluster_->step(id, TransferLeadership{NodeId{number(words)}});
    if (command == "persist") return cluster_->persist(id, number(words, ~std::size_t{0}));
    if (command == "hold" || command == "release") {
      cluster_->node(id).holds_disk = command == "hold";
      return;
    }
    if (command == "cut") return cluster_->cut(id, number(words));
    if (command == "mend") return cluster_->mend(id, number(words));
    if (command == "isolate") return cluster_->isolate(id);
    if (command == "crash") {
      const std::uint64_t requests = number(words);
      return cluster_->crash(id, requests, number(words, ~std::size_t{0}));
    }
    if (command == "restart") return cluster_->restart(id);
    if (command == "wipe") return cluster_->wipe(id);
    if (command == "damage") return cluster_->damage(id, LogIndex{number(words)});
    if (command == "snapshot") return cluster_->take_snapshot(id);
    if (command == "receive") return cluster_->finish_snapshot(id, rest(words) == "ok");
    if (command == "refused") return cluster_->step(id, LinkRefused{NodeId{number(words)}});
    if (command == "restored") return cluster_->step(id, LinkRestored{NodeId{number(words)}});
    if (command == "unreachable") return cluster_->step(id, PeerUnreachable{NodeId{number(words)}});
    if (command == "log") return log(id);
    if (command == "progress") return progress(id);
    printed_.push_back("no such command: " + command);
  }

  std::unique_ptr<Cluster> cluster_;
  std::vector<std::string> printed_;
};

}  // namespace

std::vector<std::vector<std::string>> run_script(const std::vector<Block>& blocks) {
  Interpreter interpreter;
  std::vector<std::vector<std::string>> printed;
  for (const Block& block : blocks) printed.push_back(interpreter.run(block));
  return printed;
}

}  // namespace redraft::raft::testing
