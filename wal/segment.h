#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "wal/codec.h"

namespace redraft::wal {

// One file of the log and where the records in it are. Owns the open file.
class Segment {
 public:
  Segment(SegmentHeader header, std::string path, std::unique_ptr<File> file, Sequence first)
      : header_(header), path_(std::move(path)), file_(std::move(file)), first_(first) {}

  [[nodiscard]] std::uint64_t number() const { return header_.number; }
  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] File& file() { return *file_; }

  // The number of the first record here, or that the first will have.
  [[nodiscard]] Sequence first() const { return first_; }
  void set_first(Sequence first) { first_ = first; }
  // Where the next record goes, in bytes from the beginning of the file.
  [[nodiscard]] std::uint64_t end() const { return end_; }
  void set_end(std::uint64_t end) { end_ = end; }
  [[nodiscard]] bool empty() const { return end_ == kRecordsBegin; }
  [[nodiscard]] std::uint64_t room() const { return header_.records_end() - end_; }

  // Notes a caller's record; numbers only grow.
  void add(Sequence sequence, std::uint64_t offset) {
    if (runs_.empty() || runs_.back().end() != sequence) runs_.push_back({sequence, {}});
    runs_.back().places.push_back(static_cast<std::uint32_t>(offset / kRecordAlignment));
  }
  [[nodiscard]] std::optional<std::uint64_t> offset_of(Sequence sequence) const {
    for (const Run& run : runs_) {
      if (sequence >= run.first && sequence < run.end()) {
        return std::uint64_t{run.places[sequence.value - run.first.value]} * kRecordAlignment;
      }
    }
    return std::nullopt;
  }
  // Calls visit(sequence, offset) for each of the caller's records, in order.
  template <class Visit>
  [[nodiscard]] Status for_each(const Visit& visit) const {
    for (const Run& run : runs_) {
      for (std::size_t i = 0; i < run.places.size(); ++i) {
        Status visited = visit(Sequence{run.first.value + i}, std::uint64_t{run.places[i]} * kRecordAlignment);
        if (!visited) return visited;
      }
    }
    return Done{};
  }

 private:
  // Records with numbers in a row; there is more than one run only around damage.
  struct Run {
    Sequence first;
    std::vector<std::uint32_t> places;  // offsets in units of the alignment
    [[nodiscard]] Sequence end() const { return {first.value + places.size()}; }
  };

  SegmentHeader header_;
  std::string path_;
  std::unique_ptr<File> file_;
  Sequence first_;
  std::uint64_t end_ = kRecordsBegin;
  std::vector<Run> runs_;
};

}  // namespace redraft::wal
