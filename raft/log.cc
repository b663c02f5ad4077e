#include "raft/log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace redraft::raft {

void Log::reset(LogIndex index, Term term) {
  compacted_index_ = index;
  compacted_term_ = term;
  last_index_ = index;
  runs_.clear();
  cache_.clear();
  cached_bytes_ = 0;
}

Term Log::last_term() const {
  // With everything compacted the last term is the snapshot's (pitfall A5).
  return runs_.empty() ? compacted_term_ : runs_.back().term;
}

std::optional<Term> Log::term_of(LogIndex index) const {
  if (index == compacted_index_) return compacted_term_;
  if (index < compacted_index_ || index > last_index_) return std::nullopt;
  for (std::size_t i = runs_.size(); i > 0; --i) {
    if (runs_[i - 1].first <= index) return runs_[i - 1].term;
  }
  fail("the runs of terms cover the log");
}

bool Log::matches(LogIndex index, Term term) const {
  const auto known = term_of(index);
  return known.has_value() && *known == term;
}

bool Log::is_up_to_date(LogIndex index, Term term) const {
  const Term ours = last_term();
  return term > ours || (term == ours && index >= last_index_);
}

LogIndex Log::last_index_not_newer_than(LogIndex index, Term term) const {
  index = std::min(index, last_index_);
  for (std::size_t i = runs_.size(); i > 0 && index > compacted_index_; --i) {
    const TermRun& run = runs_[i - 1];
    if (run.first > index) continue;
    if (run.term <= term) return index;
    index = std::max(run.first, first_index()) - 1;
  }
  if (index < compacted_index_ || compacted_term_ <= term) return index;
  return index.value == 0 ? index : index - 1;
}

void Log::append(Entry entry) {
  ensure(entry.index == last_index_ + 1, "the log has no gap (paper 5.3)");
  ensure(entry.term >= last_term(), "terms never decrease along the log (paper 5.3)");
  if (runs_.empty() || runs_.back().term != entry.term) runs_.push_back({entry.index, entry.term});
  last_index_ = entry.index;
  cached_bytes_ += entry.payload.size();
  cache_.push_back(std::move(entry));
}

void Log::truncate_from(LogIndex index) {
  ensure(index >= first_cached_index() && index > compacted_index_,
         "only entries in memory, never applied, are taken back");
  while (last_index_ >= index) {
    cached_bytes_ -= cache_[cache_.size() - 1].payload.size();
    cache_.pop_back();
    last_index_ = last_index_ - 1;
  }
  while (!runs_.empty() && runs_.back().first > last_index_) runs_.pop_back();
}

void Log::compact_to(LogIndex index) {
  if (index <= compacted_index_) return;
  const auto term = term_of(index);
  ensure(term.has_value(), "the log is compacted only up to an entry it has");
  while (!cache_.empty() && first_cached_index() <= index) {
    cached_bytes_ -= cache_[0].payload.size();
    cache_.pop_front();
  }
  std::size_t covered = 0;
  while (covered < runs_.size() &&
         (covered + 1 < runs_.size() ? runs_[covered + 1].first : last_index_ + 1) <= index + 1) {
    ++covered;
  }
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(covered));
  compacted_index_ = index;
  compacted_term_ = *term;
}

void Log::shrink_cache(LogIndex index, LogIndex known) {
  while (!cache_.empty() && first_cached_index() <= index) {
    const std::size_t bytes_max = first_cached_index() <= known ? limits_.known_bytes_max : limits_.cached_bytes_max;
    if (cached_bytes_ <= bytes_max && cache_.size() <= limits_.cached_entries_max) return;
    cached_bytes_ -= cache_[0].payload.size();
    cache_.pop_front();
  }
}

const Entry* Log::find(LogIndex index) const {
  if (index > last_index_ || index < first_cached_index()) return nullptr;
  return &cache_[index - first_cached_index()];
}

}  // namespace redraft::raft
