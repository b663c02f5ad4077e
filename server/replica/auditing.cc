#include <algorithm>

#include "base/planted.h"
#include "server/replica/engine.h"
#include "server/store/part.h"

// The audit: the leader logs which part of the state is compared, every node says what it has there at that entry, the
// collected digests are logged, and whoever is not in the majority stops serving and fetches the state from a peer
// (architecture, section 6; docs/decisions/0009-audit.md).

namespace redraft::replica {
namespace {

// Replicated state under a name that is no directive: the range that the nodes disagree on without a majority, as its
// words. It goes when a majority agrees on that range.
constexpr std::string_view kDisputed = "audit-disputed-range";

std::string encode_words(const AuditRange& range) {
  std::vector<std::string> words;
  range.append_words(words);
  std::string text;
  for (const std::string& word : words) store::put_bytes(text, word);
  return text;
}

std::optional<AuditRange> decode_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    if (!store::take_bytes(text, words.emplace_back())) return std::nullopt;
  }
  std::span<const std::string_view> rest(words);
  return AuditRange::take(rest);
}

}  // namespace

// The leader's part, each turn.
void Engine::audit() {
  const bool able = leading() && !disk_full_ && !commit_stalled_ && raft_->configuration().members().size() > 1;
  if (!able) {
    audit_.stand_down();
    return;
  }
  if (!may_close()) return;
  const auto expected = [this] {
    std::vector<std::uint64_t> nodes{node_};
    for (const raft::Progress& peer : raft_->progress()) {
      const bool comes = peers_.view(peer.node.value).up && peer.state != raft::ProgressState::kSnapshot;
      if (peer.node.value != node_ && comes) nodes.push_back(peer.node.value);
    }
    return nodes;
  };
  if (audit_.collected(now_.monotonic_us, expected) != 0) {
    std::vector<std::pair<std::uint64_t, bool>> members;
    for (const raft::Member& member : raft_->configuration().members()) {
      members.emplace_back(member.id.value, member.voter || member.outgoing_voter);
    }
    propose_words(commands::CommandId::kAuditResult, audit_.take_verdict(members).words());
    return;
  }
  const std::uint64_t interval_us = settings_.values().audit_interval_s * 1'000'000;
  const auto range = audit_.next(now_.monotonic_us, interval_us, *store_, disputed_);
  if (!range) return;
  std::vector<std::string> words;
  range->append_words(words);
  propose_words(commands::CommandId::kAudit, words);
}

void Engine::propose_words(commands::CommandId id, const std::vector<std::string>& words) {
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  const CommandHeader header{.id = id};
  if (pipeline_.full(encoded_size(header, arguments))) close_batch();
  pipeline_.add(nullptr, header, arguments);
}

std::string Engine::digest_of(const AuditRange& range) {
  switch (range.kind) {
    case AuditRange::Kind::kKeys:
      return store_->digest_of_range(range.from, range.end, *this);
    case AuditRange::Kind::kPart:
      return store_->digest_of_part(range.db, range.name, range.first, range.count, *this);
    case AuditRange::Kind::kRest:
      break;
  }
  std::string unfinished;
  for (const auto& [origin, bytes] : fragments_.all()) unfinished += encode_fragment(origin, bytes);
  return store_->digest_of_rest(unfinished);
}

void Engine::apply_audit(const commands::Context& context, std::uint64_t from) {
  std::span<const std::string_view> words(context.arguments);
  const std::optional<AuditRange> range = AuditRange::take(words);
  ensure(range.has_value(), "an audit entry names a range that this version knows");
  // What the log only tells again was judged when it was new. To digest all of it would make the start longer.
  if (replaying()) return;
  const std::string digest = digest_of(*range);
  audit_.digested(applied_.value, *range, digest, from == node_ && raft_leads(), now_.monotonic_us);
  if (raft_leads()) {
    audit_.report(node_, applied_.value, digest);
  } else if (raft_->leader().value != 0) {
    peers_.report_audit(raft_->leader().value, applied_.value, digest);
  }
}

void Engine::audit_reported(std::uint64_t node, std::uint64_t index, std::string digest) {
  if (raft_leads()) audit_.report(node, index, std::move(digest));
}

void Engine::apply_verdict(const commands::Context& context, std::uint64_t from) {
  const std::optional<AuditVerdict> verdict = AuditVerdict::read(context.arguments);
  ensure(verdict.has_value(), "an audit's verdict is one that this version reads");
  audit_.decided(*verdict, now_.monotonic_us);
  const AuditVerdict::Outcome outcome = verdict->outcome();
  const std::string words = encode_words(verdict->range);
  if (outcome == AuditVerdict::Outcome::kDisputed) {
    store_->set_setting(kDisputed, words);
    host_.log(LogLevel::kWarning,
              "Audit: the nodes' copies differ in " + verdict->range.describe() + " at index " +
                  std::to_string(verdict->index) +
                  ", and no majority agrees: writes are refused until one does. See docs/configuration.md, \"Audit\".");
  } else if (outcome != AuditVerdict::Outcome::kTooFew && store_->setting(kDisputed) == words) {
    store_->set_setting(kDisputed, {});
    host_.log(LogLevel::kWarning, "Audit: a majority agrees on " + verdict->range.describe() + " again: writes go on");
  }
  adopt_dispute();
  std::optional<std::string> truth = verdict->truth();
  if (planted::is(planted::Bug::kLeaderDigestAsTruth)) {
    const auto leader = std::ranges::find(verdict->reports, from, &AuditReport::node);
    if (leader != verdict->reports.end()) truth = leader->digest;
  }
  if (!truth) return;
  for (const AuditReport& report : verdict->reports) {
    if (report.digest == *truth || replaying()) continue;
    host_.log(LogLevel::kWarning, "Audit: node " + std::to_string(report.node) + " differs from the majority in " +
                                      verdict->range.describe() + " at index " + std::to_string(verdict->index));
  }
  // By what this process found itself: the report of a state that was replaced since says nothing about this one.
  const std::string* own = audit_.digest_at(verdict->index);
  if (own != nullptr && *own != *truth) condemn(*verdict);
}

void Engine::adopt_dispute() {
  const std::optional<std::string> words = store_->setting(kDisputed);
  disputed_ = words ? decode_words(*words) : std::nullopt;
}

// ---- The node that differs

// From here on nothing is applied and nobody is served; the log and the vote are as good as ever.
void Engine::condemn(const AuditVerdict& verdict) {
  if (condemned_) return;
  condemned_ = true;
  host_.log(LogLevel::kWarning, "Audit: this node's state is not the majority's (index " +
                                    std::to_string(verdict.index) + ", " + verdict.range.describe() +
                                    "). It serves nothing more and starts again, to fetch all of it from a peer.");
  DiskRequest request;
  request.condemn_state = true;
  host_.submit(std::move(request));
}

// A turn of such a node: it leaves its clients, hands leadership over and ends, when the mark is on its disk.
void Engine::retire() {
  if (!retired_) {
    retired_ = true;
    cancel_reads();
    std::vector<Session*> sessions;
    sessions_.for_each([&](Session& session) { sessions.push_back(&session); });
    for (Session* session : sessions) actions_.kill(*session);
    terminate(kRebuildStatus);
  }
  feed_later();
  const bool over = now_.monotonic_us >= stopping_since_us_ + kStopBound_us;
  if (over || (condemned_durably_ && !raft_leads())) host_.stop(exit_status_);
}

}  // namespace redraft::replica
