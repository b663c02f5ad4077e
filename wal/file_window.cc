#include "wal/file_window.h"

#include <algorithm>
#include <span>

namespace redraft::wal {
namespace {

constexpr std::size_t kPiece = 512;  // the smallest sector
constexpr char kNothing = '\xff';    // no salt, no size, no checksum begins with it

}  // namespace

Result<std::size_t> FileWindow::fill(std::uint64_t offset) {
  auto read = file_.read_at(offset, buffer_);
  if (read || unreadable_ == Unreadable::kIsAnError || read.error().code != ErrorCode::kIo) return read;
  return fill_in_pieces(offset);
}

// One bad sector does not take its neighbours with it (storage-faults row 8).
Result<std::size_t> FileWindow::fill_in_pieces(std::uint64_t offset) {
  auto size = file_.size();
  if (!size) return size.error();
  const std::uint64_t left = *size > offset ? *size - offset : 0;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), left));
  for (std::size_t at = 0; at < wanted;) {
    // Up to the next border of pieces in the file.
    const std::size_t border = kPiece - static_cast<std::size_t>((offset + at) % kPiece);
    const std::span<char> piece = std::span(buffer_).subspan(at, std::min(border, wanted - at));
    if (!file_.read_at(offset + at, piece)) {
      std::ranges::fill(piece, kNothing);
      unreadable_end_ = std::max(unreadable_end_, offset + at + piece.size());
    }
    at += piece.size();
  }
  return wanted;
}

Result<std::string_view> FileWindow::rest_at(std::uint64_t offset, std::size_t size) {
  const bool inside = offset >= begin_ && offset <= begin_ + filled_;
  if (!inside || (begin_ + filled_ - offset < size && !at_end_)) {
    buffer_.resize(std::max(buffer_.size(), std::max(size, step_)));
    auto read = fill(offset);
    if (!read) return read.error();
    begin_ = offset;
    filled_ = *read;
    at_end_ = filled_ < buffer_.size();
  }
  const auto skip = static_cast<std::size_t>(offset - begin_);
  return std::string_view(buffer_.data() + skip, filled_ - skip);
}

Result<std::string_view> FileWindow::at(std::uint64_t offset, std::size_t size) {
  auto rest = rest_at(offset, size);
  if (!rest) return rest.error();
  return rest->substr(0, size);
}

}  // namespace redraft::wal
