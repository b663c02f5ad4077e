#include "wal/segment_maker.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "wal/block_writer.h"

namespace redraft::wal {
namespace {

std::string_view zeros() {
  alignas(BlockWriter::kBlock) static constexpr std::array<char, 262144> kZeros{};
  return {kZeros.data(), kZeros.size()};
}

// So much of a segment is filled between two syncs; a whole number of usual steps.
constexpr std::uint64_t kFilledUnsynced = std::uint64_t{1} << 20;

// splitmix64's output function: neighbouring inputs give unrelated salts.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

Status SegmentMaker::adopt(std::unique_ptr<Segment> prepared, std::vector<std::string> recyclable,
                           const std::vector<std::string>& leftovers, std::uint64_t highest_number) {
  ready_ = std::move(prepared);
  next_number_ = highest_number + 1;
  return give_back(recyclable, leftovers);
}

Result<bool> SegmentMaker::prepare(std::uint64_t size, std::uint64_t budget) {
  size = std::max(size, options_.segment_size);
  if (ready_ != nullptr && ready_->header().size >= size) return true;
  if (ready_ != nullptr) {
    // Numbers follow the order of use: one that is overtaken gets a new number.
    recyclable_.push_back(ready_->path());
    ready_.reset();
  }
  if (making_ && making_->header.size < size) abandon();
  if (!making_ && !recyclable_.empty() && size == options_.segment_size) return recycle();
  return fill(size, budget);
}

SegmentHeader SegmentMaker::next_header(std::uint64_t size) {
  const SegmentHeader header{
      .number = next_number_,
      .salt = mixed(mixed(options_.salt_seed + 0x9e3779b97f4a7c15 * ++salts_drawn_) + next_number_) | 1,
      .size = size};
  ++next_number_;
  return header;
}

Result<bool> SegmentMaker::recycle() {
  Making making{.header = next_header(options_.segment_size), .path = recyclable_.back(), .file = {}};
  recyclable_.pop_back();
  auto file = files_.open(making.path, OpenMode::kReadWrite);
  if (!file) return file.error();
  making.file = std::move(*file);
  if (Status completed = complete(std::move(making)); !completed) return completed.error();
  return true;
}

Result<bool> SegmentMaker::fill(std::uint64_t size, std::uint64_t budget) {
  if (!making_) {
    Making making{.header = next_header((size + kSectorSize - 1) / kSectorSize * kSectorSize), .path = {}, .file = {}};
    making.path = directory_ + "/" + segment_name(making.header.number) + ".new";
    auto file = files_.open(making.path, OpenMode::kCreateOrTruncate);
    if (!file) return file.error();
    making.file = std::move(*file);
    making.file->write_directly();
    making_ = std::move(making);
  }
  std::uint64_t allowed = budget;
  while (making_->filled < making_->header.size && allowed > 0) {
    const std::uint64_t size_now =
        std::min({making_->header.size - making_->filled, std::uint64_t{zeros().size()}, allowed});
    const std::string_view part = zeros().substr(0, size_now);
    if (Status written = making_->file->write_at(making_->filled, {&part, 1}); !written) {
      abandon();
      return written.error();
    }
    making_->filled += size_now;
    allowed -= size_now;
  }
  if (making_->filled < making_->header.size) {
    // Piece by piece, so that no sync of the log has to wait behind a whole segment (storage-faults row 18).
    if (making_->filled % kFilledUnsynced != 0) return false;
    if (Status synced = making_->file->sync_data(); !synced) {
      abandon();
      return synced.error();
    }
    return false;
  }
  Making made = std::move(*making_);
  making_.reset();
  if (Status completed = complete(std::move(made)); !completed) return completed.error();
  return true;
}

Status SegmentMaker::complete(Making making) {
  std::array<char, kSegmentHeaderSize> bytes{};
  encode(making.header, bytes.data());
  const std::string_view header(bytes.data(), bytes.size());
  // The header is durable before the name says so: it outranks the name.
  Status done = making.file->write_at(0, {&header, 1});
  if (done) done = making.file->write_at(making.header.records_end(), {&header, 1});
  if (done) done = making.file->sync_data();
  const std::string path = directory_ + "/" + segment_name(making.header.number);
  if (done) done = files_.rename(making.path, path);
  if (!done) {
    // Harmless if it stays: a name without its header, or a header without records, is cleared away at the next start.
    static_cast<void>(files_.remove(making.path));
    return done;
  }
  if (done = files_.sync_directory(directory_); !done) return done;
  ready_ = std::make_unique<Segment>(making.header, path, std::move(making.file), Sequence{});
  return Done{};
}

void SegmentMaker::abandon() {
  static_cast<void>(files_.remove(making_->path));
  making_.reset();
}

Status SegmentMaker::give_back(const std::vector<std::string>& standard, const std::vector<std::string>& others) {
  std::vector<std::string> removed = others;
  for (const std::string& path : standard) {
    if (recyclable_.size() < options_.recycled_segments_max) {
      recyclable_.push_back(path);
    } else {
      removed.push_back(path);
    }
  }
  for (const std::string& path : removed) {
    if (Status done = files_.remove(path); !done) return done;
  }
  return removed.empty() ? Status(Done{}) : files_.sync_directory(directory_);
}

std::uint64_t SegmentMaker::made() const {
  if (ready_ != nullptr) return ready_->header().size;
  return making_ ? making_->filled : 0;
}

std::uint64_t SegmentMaker::size_on_disk() const {
  return (ready_ == nullptr ? 0 : ready_->header().size) + (making_ ? making_->filled : 0) +
         recyclable_.size() * options_.segment_size;
}

}  // namespace redraft::wal
