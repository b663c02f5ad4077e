#include "wal/block_writer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace redraft::wal {

Status BlockWriter::begin(File& file, std::uint64_t number, std::uint64_t offset, std::uint64_t limit) {
  ensure(buffer_ != nullptr, "memory for one write of the log");
  const bool goes_on = number == number_ && offset == begin_ + used_;
  if (number != number_) file.write_directly();
  file_ = &file;
  number_ = 0;
  limit_ = limit;
  written_ = Done{};
  if (!goes_on) {
    begin_ = offset - offset % kBlock;
    used_ = static_cast<std::size_t>(offset - begin_);
    auto read = file.read_at(begin_, {buffer_.get(), used_});
    if (!read) return read.error();
    if (*read != used_) return Error{ErrorCode::kIo, "a log segment ends in front of its own records"};
  }
  number_ = number;
  return Done{};
}

char* BlockWriter::room(std::size_t size) {
  ensure(size <= kRoomMax, "room for a header");
  if (used_ + size > kCapacity) write_whole_blocks();
  char* at = buffer_.get() + used_;
  used_ += size;
  return at;
}

void BlockWriter::put(std::string_view bytes) {
  while (!bytes.empty()) {
    if (used_ == kCapacity) write_whole_blocks();
    const std::size_t count = std::min(bytes.size(), kCapacity - used_);
    std::memcpy(buffer_.get() + used_, bytes.data(), count);
    used_ += count;
    bytes.remove_prefix(count);
  }
}

Status BlockWriter::finish() {
  const std::uint64_t end = begin_ + used_;
  const std::uint64_t filled = std::min((end + kBlock - 1) / kBlock * kBlock, limit_);
  const auto size = static_cast<std::size_t>(filled - begin_);
  std::memset(buffer_.get() + used_, 0, size - used_);
  write(size);
  drop(used_ - used_ % kBlock);
  if (!written_) number_ = 0;
  return written_;
}

void BlockWriter::write_whole_blocks() {
  const std::size_t size = used_ - used_ % kBlock;
  write(size);
  drop(size);
}

// Nothing behind what failed.
void BlockWriter::write(std::size_t bytes) {
  if (!written_ || bytes == 0) return;
  const std::string_view part(buffer_.get(), bytes);
  written_ = file_->write_at(begin_, {&part, 1});
}

void BlockWriter::drop(std::size_t bytes) {
  std::memmove(buffer_.get(), buffer_.get() + bytes, used_ - bytes);
  begin_ += bytes;
  used_ -= bytes;
}

}  // namespace redraft::wal
