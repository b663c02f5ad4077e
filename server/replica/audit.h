#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/audit_range.h"

namespace redraft::store {
class Store;
}

namespace redraft::replica {

// With it the process of a node ends whose state is not the majority's: it is to be started again (net::ExitStatus).
inline constexpr int kRebuildStatus = 6;

// The part of the state that one audit entry compares: keys in a range, some units of one large value, or everything
// that is no key. Its words are the entry's arguments, docs/entry-payload.md.
struct AuditRange {
  enum class Kind : std::uint8_t { kKeys, kPart, kRest };
  Kind kind = Kind::kRest;
  store::AuditPlace from;  // kKeys
  store::AuditPlace end;
  std::uint32_t db = 0;  // kPart
  std::string name;
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  void append_words(std::vector<std::string>& to) const;
  // Takes its words off the front. Nothing when malformed.
  [[nodiscard]] static std::optional<AuditRange> take(std::span<const std::string_view>& words);
  [[nodiscard]] std::string describe() const;  // for the operator
  friend bool operator==(const AuditRange&, const AuditRange&) = default;
};

struct AuditReport {
  std::uint64_t node = 0;
  bool voter = false;
  std::string digest;
};

// The digests that came in for one audit entry, as they are logged; and what follows from them, the same on every node.
struct AuditVerdict {
  enum class Outcome : std::uint8_t {
    kAgreed,    // a majority of the voters says the same, and nobody who reported something else
    kMinority,  // a majority says the same: whoever says something else is wrong
    kDisputed,  // they differ, and no majority says the same: nobody knows what is right
    kTooFew,    // nobody differs, and fewer than a majority reported
  };
  std::uint64_t index = 0;   // of the audit entry
  std::uint64_t voters = 0;  // of the configuration
  AuditRange range;
  std::vector<AuditReport> reports;

  [[nodiscard]] std::vector<std::string> words() const;
  [[nodiscard]] static std::optional<AuditVerdict> read(std::span<const std::string_view> words);
  // What a majority of the voters says.
  [[nodiscard]] std::optional<std::string> truth() const;
  [[nodiscard]] Outcome outcome() const;
};

// The audit of architecture, section 6, as far as it needs no other part of the node: how far the pass through the
// state is, what this node found, and on a leader whose digests have come. One range is on its way at a time, and none
// begins before the last one's verdict is applied. Not thread-safe.
class Audit {
 public:
  static constexpr std::uint64_t kRangeUnits = 1000;  // well below a millisecond of apply
  static constexpr std::uint64_t kPause_us = 50'000;  // between two ranges of a pass
  static constexpr std::uint64_t kReportsWithin_us = 5'000'000;
  static constexpr std::uint64_t kRetry_us = 5'000'000;  // of a disputed range
  static constexpr std::uint64_t kGiveUp_us = 30'000'000;

  // ---- Every node
  void start(std::uint64_t now_us) { pass_over_us_ = now_us; }
  // An audit entry is applied, and this is what the range holds here. `ours`: this node, as leader, proposed it.
  void digested(std::uint64_t index, const AuditRange& range, const std::string& digest, bool ours,
                std::uint64_t now_us);
  // What `digested` said, of late; nothing if this process did not apply that entry.
  [[nodiscard]] const std::string* digest_at(std::uint64_t index) const;
  void decided(const AuditVerdict& verdict, std::uint64_t now_us);
  // All of the state was replaced by a snapshot: digests of what it was do not count.
  void forget_digests() { own_.clear(); }

  // ---- The leader
  void want_pass() { wanted_ = true; }
  // This node does not lead, or can propose nothing for now.
  void stand_down();
  void report(std::uint64_t node, std::uint64_t index, std::string digest);
  // The entry whose digests are waited for and have all come, or as many as will: for a verdict. 0: none.
  template <class Expected>
  [[nodiscard]] std::uint64_t collected(std::uint64_t now_us, Expected expected) const {
    if (!open_ || open_->index == 0 || open_->decided) return 0;
    if (now_us >= open_->since_us + kReportsWithin_us) return open_->index;
    const auto came = reports_.find(open_->index);
    for (const std::uint64_t node : expected()) {
      if (came == reports_.end() || !came->second.contains(node)) return 0;
    }
    return open_->index;
  }
  // `collected` said which; members are (node, is a voter).
  [[nodiscard]] AuditVerdict take_verdict(std::span<const std::pair<std::uint64_t, bool>> members);
  // The range to be proposed now, if one is due. `interval_us` between passes, 0: only when wanted. A disputed range is
  // all that is looked at until it is decided.
  [[nodiscard]] std::optional<AuditRange> next(std::uint64_t now_us, std::uint64_t interval_us,
                                               const store::Store& store, const std::optional<AuditRange>& disputed);

  // For INFO.
  [[nodiscard]] bool in_pass() const { return in_pass_ || wanted_; }
  std::uint64_t passes = 0;  // seen to their end by this process
  std::uint64_t ranges = 0;
  std::uint64_t undecided = 0;      // verdicts with too few digests
  std::uint64_t differences = 0;    // digests unlike the majority's
  std::uint64_t last_differed = 0;  // whose was the last one

 private:
  struct Open {
    AuditRange range;
    std::uint64_t index = 0;  // 0: not applied yet
    bool decided = false;     // its verdict is on its way
    std::uint64_t since_us = 0;
  };
  static constexpr std::size_t kRemembered = 16;  // entries

  // The pass, as the applied entries tell it: a new leader goes on where the last one was.
  bool in_pass_ = false;
  store::AuditPlace position_;
  std::uint64_t pass_over_us_ = 0;
  std::map<std::uint64_t, std::string> own_;  // by index

  std::optional<Open> open_;
  std::map<std::uint64_t, std::map<std::uint64_t, std::string>> reports_;  // by index, by node
  std::deque<AuditRange> parts_;  // of large values whose keys are in the range on its way
  std::uint64_t next_at_us_ = 0;
  bool wanted_ = false;
};

}  // namespace redraft::replica
