#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/collection.h"
#include "server/store/ranking.h"

namespace redraft::store {

struct ScoredTraits {
  using Item = Scored*;
  static constexpr std::string_view kName = "sorted set";
  static constexpr std::size_t kPackedItems = 2;
  static std::string_view key(const Scored* scored) { return scored->member(); }
  static std::uint64_t hash_of(std::uint64_t seed, std::string_view member);
  static std::uint64_t hash(std::uint64_t seed, const Scored* scored) { return hash_of(seed, scored->member()); }
  static std::int64_t bytes(const Scored* scored);
  static void free(Scored* scored) { free_scored(scored); }
  static void put(std::string& to, const Scored* scored);
  static Scored* take(std::string_view& from);
};

struct ScoredTable : CollectionTable<ScoredTraits> {
  Ranking ranking;
  bool free_others(std::size_t& elements) { return ranking.free_some(elements); }
};

// Members with scores, in the order of score, then of the member's bytes. A few lie packed in that order; more are in a
// table by member and in a Ranking. Which encoding Redis's OBJECT ENCODING would name is remembered apart from it, as
// in Hash. Scores are never NaN. Ranks count from 0.
class SortedSet final : public Collection<ScoredTraits, ScoredTable> {
 public:
  explicit SortedSet(Shared& shared) : Collection(shared) { shown_ = kIsListpack; }

  [[nodiscard]] std::optional<double> score(std::string_view member) const;
  bool set(std::string_view member, double score);  // false: it was there and has that score now
  bool remove(std::string_view member);             // false: it was not there
  void remove_at(std::uint64_t rank);
  // So many members are about to be set: Redis chooses the encoding by it.
  void expect(std::size_t members);

  [[nodiscard]] std::optional<std::uint64_t> rank(std::string_view member) const;
  // How many members have a lower score, or one as low too.
  [[nodiscard]] std::uint64_t count_below(double score, bool or_equal) const;
  // How many members come before that text, or are it; only if all scores are equal. Otherwise the answer is a function
  // of the members and scores all the same.
  [[nodiscard]] std::uint64_t count_before(std::string_view member, bool or_equal) const;

  // Calls visit(member, score) for ranks [first, first + count), which exist, up or down, until it answers false.
  template <class Visit>
  void visit(std::uint64_t first, std::uint64_t count, bool backwards, Visit visit) const {
    if (small()) return visit_packed(first, count, backwards, visit);
    table_->ranking.visit(first, count, backwards,
                          [&](const Scored& scored) { return visit(scored.member(), scored.score); });
  }
  template <class Visit>
  void for_each(Visit each) const {
    visit(0, size(), false, [&](std::string_view member, double score) {
      each(member, score);
      return true;
    });
  }
  // ZSCAN, as Set::scan.
  template <class Visit>
  std::uint64_t scan(std::uint64_t cursor, std::size_t count, Visit visit) const {
    if (small()) {
      for_each(visit);
      return 0;
    }
    return Parts::scan(table_->trie, cursor, count,
                       [&](const Scored* scored) { visit(scored->member(), scored->score); });
  }

  [[nodiscard]] Type type() const override { return Type::kSortedSet; }
  [[nodiscard]] std::string_view encoding() const override { return shown_ == kIsListpack ? "listpack" : "skiplist"; }
  void encode(std::string& to) const override;
  [[nodiscard]] Status decode(std::string_view from) override;
  void begin_walk(std::string& to) override;
  [[nodiscard]] Status restore_header(std::string_view from) override;
  [[nodiscard]] Status restore_end() override;
  [[nodiscard]] std::uint64_t digest(Breather& breather) const override;
  [[nodiscard]] std::uint64_t digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const override;
  [[nodiscard]] std::unique_ptr<Object> copy(Breather& breather) const override;
  [[nodiscard]] TrieApproach approach(std::string_view first, std::string_view last) const override;

 private:
  static constexpr std::uint8_t kIsListpack = 2;   // of shown_
  static constexpr std::size_t kPackedMax = 4096;  // searched from its beginning, so less than a block could hold

  // A member in the packed form, and its place there.
  struct Entry {
    PackedItem member;
    PackedItem score;
    std::size_t begin = 0;
    [[nodiscard]] std::size_t end() const { return begin + member.size() + score.size(); }
  };
  [[nodiscard]] Entry entry_at(std::size_t offset) const;
  [[nodiscard]] std::optional<Entry> find_packed(std::string_view member, std::uint64_t* rank = nullptr) const;
  // The entry of that rank, which exists.
  [[nodiscard]] Entry packed_at(std::uint64_t rank) const;
  template <class Visit>
  void visit_packed(std::uint64_t first, std::uint64_t count, bool backwards, Visit visit) const {
    if (count == 0) return;
    NumberText scratch;
    std::vector<std::size_t> behind;  // where those begin that are visited in the other direction
    for (Entry entry = packed_at(first);; entry = entry_at(entry.end())) {
      if (backwards) {
        behind.push_back(entry.begin);
      } else if (!visit(entry.member.text(scratch), entry.score.score())) {
        return;
      }
      if (--count == 0) break;
    }
    for (auto at = behind.rbegin(); at != behind.rend(); ++at) {
      const Entry entry = entry_at(*at);
      if (!visit(entry.member.text(scratch), entry.score.score())) return;
    }
  }

  void insert_packed(std::string_view member, double score);
  void erase_packed(const Entry& entry);
  bool set_in_table(std::string_view member, double score);
  void erase_ranked(std::uint64_t hashed, std::uint32_t position);
  void become_table();
};

}  // namespace redraft::store
