#include "snapshot/snapshot_receiver.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "snapshot/codec.h"

namespace redraft::snapshot {

SnapshotReceiver::SnapshotReceiver(FileSystem& files, std::string directory, const FileKey& key)
    : files_(files),
      directory_(std::move(directory)),
      part_path_(directory_ + "/" + part_name(key)),
      final_path_(directory_ + "/" + finished_name(key.index, key.term)),
      key_(key) {}

Result<std::unique_ptr<SnapshotReceiver>> SnapshotReceiver::open(FileSystem& files, std::string directory,
                                                                 const FileKey& key) {
  if (key.size < kHeaderSizeFixed + 4 + kFooterSize) {
    return Error{ErrorCode::kInvalid, "a snapshot of " + std::to_string(key.size) + " bytes cannot be"};
  }
  std::unique_ptr<SnapshotReceiver> receiver(new SnapshotReceiver(files, std::move(directory), key));
  const bool exists = files.exists(receiver->part_path_);
  auto file = files.open(receiver->part_path_, exists ? OpenMode::kReadWrite : OpenMode::kCreateNew);
  if (!file) return file.error();
  receiver->file_ = std::move(*file);
  if (exists) {
    if (Status resumed = receiver->resume(); !resumed) return resumed.error();
  }
  return receiver;
}

Error SnapshotReceiver::corrupt(std::string_view what) const {
  return {ErrorCode::kCorrupt, part_path_ + " at offset " + std::to_string(checked_) + ": " + std::string(what)};
}

void SnapshotReceiver::start_anew() {
  received_ = 0;
  checked_ = 0;
  chunk_count_ = 0;
  raw_size_ = 0;
  pending_.clear();
  digest_.reset();
}

// Nothing was synced, so a power cut may have left holes: only whole units that verify count.
Status SnapshotReceiver::resume() {
  std::vector<char> buffer(static_cast<std::size_t>(std::min(key_.size, std::uint64_t{1} << 20)));
  while (received_ < key_.size) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), key_.size - received_));
    auto count = file_->read_at(received_, {buffer.data(), wanted});
    if (!count) return count.error();
    pending_.append(buffer.data(), *count);
    received_ += *count;
    if (!check_pending() || *count < wanted) break;
  }
  pending_.clear();
  received_ = checked_;
  return file_->truncate(received_);
}

Result<std::size_t> SnapshotReceiver::check_unit(std::string_view bytes) {
  if (checked_ == 0) {
    if (bytes.size() < kHeaderSizePrefix) return std::size_t{0};
    auto size = decode_header_size(bytes);
    if (!size) return corrupt(size.error().message);
    if (*size + kFooterSize > key_.size) return corrupt("the header does not fit the announced size");
    if (bytes.size() < *size) return std::size_t{0};
    auto metadata = decode_header(bytes.substr(0, *size));
    if (!metadata) return Error{metadata.error().code, part_path_ + ": " + metadata.error().message};
    if (metadata->index != key_.index || metadata->term != key_.term) return corrupt("this is another snapshot");
    return *size;
  }
  const std::uint64_t footer_begin = key_.size - kFooterSize;
  if (checked_ >= footer_begin) {
    if (bytes.size() < kFooterSize) return std::size_t{0};
    const auto footer = decode_footer(bytes.substr(0, kFooterSize));
    if (!footer || footer->file_size != key_.size || footer->digest != key_.digest ||
        footer->chunk_count != chunk_count_ || footer->raw_size != raw_size_) {
      return corrupt("the footer is damaged");
    }
    return kFooterSize;
  }
  if (bytes.size() < kChunkHeaderSize) return std::size_t{0};
  const auto header = decode_chunk_header(bytes.substr(0, kChunkHeaderSize));
  if (!header || header->number != chunk_count_) return corrupt("a chunk's header is damaged");
  const std::size_t size = kChunkHeaderSize + header->stored_size;
  if (size > footer_begin - checked_) return corrupt("a chunk does not fit the announced size");
  if (bytes.size() < size) return std::size_t{0};
  if (crc32c(bytes.substr(kChunkHeaderSize, header->stored_size)) != header->stored_crc) {
    return corrupt("a chunk's checksum does not match");
  }
  ++chunk_count_;
  raw_size_ += header->raw_size;
  return size;
}

Status SnapshotReceiver::check_pending() {
  std::size_t done = 0;
  Status status = Done{};
  while (checked_ < key_.size) {
    const std::string_view rest = std::string_view(pending_).substr(done);
    auto size = check_unit(rest);
    if (!size) status = size.error();
    if (!size || *size == 0) break;
    if (checked_ < key_.size - kFooterSize) digest_.update(rest.substr(0, *size));
    checked_ += *size;
    done += *size;
  }
  pending_.erase(0, done);
  return status;
}

Result<std::uint64_t> SnapshotReceiver::write(std::uint64_t offset, std::string_view bytes) {
  if (offset > key_.size || bytes.size() > key_.size - offset) {
    return Error{ErrorCode::kInvalid, part_path_ + ": bytes beyond the announced size"};
  }
  if (offset > received_ || offset + bytes.size() <= received_) return received_;
  const std::string_view fresh = bytes.substr(received_ - offset);
  if (Status written = file_->write_at(received_, {&fresh, 1}); !written) return written.error();
  pending_.append(fresh);
  received_ += fresh.size();
  if (Status checked = check_pending(); !checked) {
    pending_.clear();
    received_ = checked_;
    return checked.error();
  }
  return received_;
}

Result<std::string> SnapshotReceiver::finish() {
  ensure(complete() && checked_ == key_.size, "a transfer is finished when all of it is there");
  if (digest_.digest() != key_.digest) {
    start_anew();
    return corrupt("the digest of the whole file does not match");
  }
  Status done = file_->sync_data();
  if (done) done = files_.rename(part_path_, final_path_);
  if (done) done = files_.sync_directory(directory_);
  if (!done) return done.error();
  file_.reset();
  return final_path_;
}

void SnapshotReceiver::discard() {
  file_.reset();
  static_cast<void>(files_.remove(part_path_));
}

}  // namespace redraft::snapshot
