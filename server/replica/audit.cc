#include "server/replica/audit.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "server/store/store.h"

namespace redraft::replica {
namespace {

template <class Number>
bool read_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

template <class... Numbers>
bool read_numbers(std::span<const std::string_view> words, Numbers&... numbers) {
  if (words.size() < sizeof...(numbers)) return false;
  std::size_t at = 0;
  return (read_number(words[at++], numbers) && ...);
}

}  // namespace

void AuditRange::append_words(std::vector<std::string>& to) const {
  switch (kind) {
    case Kind::kKeys:
      to.emplace_back("keys");
      for (const store::AuditPlace& place : {from, end}) {
        to.push_back(std::to_string(place.db));
        to.push_back(std::to_string(place.slot));
        to.push_back(std::to_string(place.hash));
      }
      return;
    case Kind::kPart:
      to.insert(to.end(), {"part", std::to_string(db), name, std::to_string(first), std::to_string(count)});
      return;
    case Kind::kRest:
      to.emplace_back("rest");
      return;
  }
}

std::optional<AuditRange> AuditRange::take(std::span<const std::string_view>& words) {
  if (words.empty()) return std::nullopt;
  AuditRange range;
  const std::string_view what = words[0];
  words = words.subspan(1);
  if (what == "keys") {
    range.kind = Kind::kKeys;
    for (store::AuditPlace* place : {&range.from, &range.end}) {
      if (!read_numbers(words, place->db, place->slot, place->hash)) return std::nullopt;
      words = words.subspan(3);
    }
    return range;
  }
  if (what == "part") {
    range.kind = Kind::kPart;
    if (words.size() < 4 || !read_number(words[0], range.db) ||
        !read_numbers(words.subspan(2), range.first, range.count)) {
      return std::nullopt;
    }
    range.name = words[1];
    words = words.subspan(4);
    return range;
  }
  return what == "rest" ? std::optional(range) : std::nullopt;
}

std::string AuditRange::describe() const {
  switch (kind) {
    case Kind::kKeys:
      return "keys of databases " + std::to_string(from.db) + " to " + std::to_string(end.db) + ", slots " +
             std::to_string(from.slot) + " to " + std::to_string(end.slot);
    case Kind::kPart:
      return "a part of the value of key '" + name.substr(0, 64) + "' in database " + std::to_string(db);
    case Kind::kRest:
      break;
  }
  return "settings, users, scripts and waiters";
}

// ---- The verdict

std::vector<std::string> AuditVerdict::words() const {
  std::vector<std::string> words{std::to_string(index), std::to_string(voters)};
  range.append_words(words);
  for (const AuditReport& report : reports) {
    words.insert(words.end(), {std::to_string(report.node), report.voter ? "1" : "0", report.digest});
  }
  return words;
}

std::optional<AuditVerdict> AuditVerdict::read(std::span<const std::string_view> words) {
  AuditVerdict verdict;
  if (!read_numbers(words, verdict.index, verdict.voters)) return std::nullopt;
  words = words.subspan(2);
  std::optional<AuditRange> range = AuditRange::take(words);
  if (!range || words.size() % 3 != 0) return std::nullopt;
  verdict.range = std::move(*range);
  for (; !words.empty(); words = words.subspan(3)) {
    AuditReport& report = verdict.reports.emplace_back();
    if (!read_number(words[0], report.node)) return std::nullopt;
    report.voter = words[1] == "1";
    report.digest = words[2];
  }
  return verdict;
}

std::optional<std::string> AuditVerdict::truth() const {
  std::map<std::string_view, std::uint64_t> votes;
  for (const AuditReport& report : reports) {
    if (report.voter && 2 * ++votes[report.digest] > voters) return report.digest;
  }
  return std::nullopt;
}

AuditVerdict::Outcome AuditVerdict::outcome() const {
  const bool differ = std::ranges::any_of(
      reports, [this](const AuditReport& report) { return report.digest != reports.front().digest; });
  if (truth()) return differ ? Outcome::kMinority : Outcome::kAgreed;
  return differ ? Outcome::kDisputed : Outcome::kTooFew;
}

// ---- Every node

void Audit::digested(std::uint64_t index, const AuditRange& range, const std::string& digest, bool ours,
                     std::uint64_t now_us) {
  own_[index] = digest;
  if (own_.size() > kRemembered) own_.erase(own_.begin());
  ++ranges;
  if (range.kind == AuditRange::Kind::kKeys) {
    in_pass_ = true;
    position_ = range.end;
  } else if (range.kind == AuditRange::Kind::kRest) {
    in_pass_ = false;
    position_ = {};
    pass_over_us_ = now_us;
    ++passes;
  }
  if (!ours || !open_ || open_->index != 0 || open_->range != range) return;
  open_->index = index;
  open_->since_us = now_us;
}

const std::string* Audit::digest_at(std::uint64_t index) const {
  const auto found = own_.find(index);
  return found == own_.end() ? nullptr : &found->second;
}

void Audit::decided(const AuditVerdict& verdict, std::uint64_t now_us) {
  const AuditVerdict::Outcome outcome = verdict.outcome();
  if (outcome == AuditVerdict::Outcome::kTooFew) ++undecided;
  if (outcome == AuditVerdict::Outcome::kMinority) {
    for (const AuditReport& report : verdict.reports) {
      if (report.digest == *verdict.truth()) continue;
      ++differences;
      last_differed = report.node;
    }
  }
  reports_.erase(reports_.begin(), reports_.upper_bound(verdict.index));
  if (!open_ || open_->index != verdict.index) return;
  open_.reset();
  next_at_us_ = now_us + (outcome == AuditVerdict::Outcome::kDisputed ? kRetry_us : kPause_us);
}

// ---- The leader

void Audit::stand_down() {
  open_.reset();
  parts_.clear();
  reports_.clear();
}

void Audit::report(std::uint64_t node, std::uint64_t index, std::string digest) {
  reports_[index][node] = std::move(digest);
  if (reports_.size() > kRemembered) reports_.erase(reports_.begin());
}

AuditVerdict Audit::take_verdict(std::span<const std::pair<std::uint64_t, bool>> members) {
  ensure(open_ && open_->index != 0, "a verdict follows an applied audit entry");
  open_->decided = true;
  AuditVerdict verdict{.index = open_->index, .voters = 0, .range = open_->range, .reports = {}};
  const auto& came = reports_[open_->index];
  for (const auto& [node, voter] : members) {
    verdict.voters += voter ? 1 : 0;
    if (const auto digest = came.find(node); digest != came.end()) {
      verdict.reports.push_back({node, voter, digest->second});
    }
  }
  return verdict;
}

std::optional<AuditRange> Audit::next(std::uint64_t now_us, std::uint64_t interval_us, const store::Store& store,
                                      const std::optional<AuditRange>& disputed) {
  if (open_ && now_us < open_->since_us + kGiveUp_us) return std::nullopt;
  const bool due = wanted_ || in_pass_ || (interval_us != 0 && now_us >= pass_over_us_ + interval_us);
  if (now_us < next_at_us_ || !(due || disputed)) return std::nullopt;
  AuditRange range;
  if (disputed) {
    range = *disputed;
  } else if (!parts_.empty()) {
    range = std::move(parts_.front());
    parts_.pop_front();
  } else if (position_ < store.audit_end()) {
    wanted_ = false;
    const store::AuditPlan plan = store.plan_audit(position_, kRangeUnits);
    range.kind = AuditRange::Kind::kKeys;
    range.from = position_;
    range.end = plan.end;
    for (const store::LargeValue& value : plan.large) {
      for (std::uint64_t first = 0; first < value.units; first += kRangeUnits) {
        AuditRange& part = parts_.emplace_back();
        part.kind = AuditRange::Kind::kPart;
        part.db = value.db;
        part.name = value.name;
        part.first = first;
        part.count = kRangeUnits;
      }
    }
  }
  open_ = Open{.range = range, .index = 0, .decided = false, .since_us = now_us};
  return range;
}

}  // namespace redraft::replica
