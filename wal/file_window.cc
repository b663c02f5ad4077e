#include "wal/file_window.h"

namespace redraft::wal {

Result<std::string_view> FileWindow::rest_at(std::uint64_t offset, std::size_t size) {
  const bool inside = offset >= begin_ && offset <= begin_ + filled_;
  if (!inside || (begin_ + filled_ - offset < size && !at_end_)) {
    buffer_.resize(std::max(buffer_.size(), std::max(size, step_)));
    auto read = file_.read_at(offset, buffer_);
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
