#include "snapshot/snapshot_writer.h"

#include <lz4.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "snapshot/codec.h"

namespace redraft::snapshot {
namespace {

constexpr std::size_t kFlushSize = 256 * 1024;

}  // namespace

SnapshotWriter::SnapshotWriter(FileSystem& files, std::string directory, Options options)
    : files_(files), directory_(std::move(directory)), options_(options) {}

SnapshotWriter::~SnapshotWriter() {
  if (finished_ || file_ == nullptr) return;
  file_.reset();
  static_cast<void>(files_.remove(temporary_path_));  // if it stays, the next start removes it (row 12)
}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(FileSystem& files, std::string directory,
                                                               const Metadata& metadata, Options options) {
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(files, std::move(directory), options));
  writer->final_path_ = writer->directory_ + "/" + finished_name(metadata.index, metadata.term);
  writer->temporary_path_ = writer->final_path_ + std::string(kTemporarySuffix);
  auto file = files.open(writer->temporary_path_, OpenMode::kCreateOrTruncate);
  if (!file) return file.error();
  writer->file_ = std::move(*file);
  writer->key_.index = metadata.index;
  writer->key_.term = metadata.term;
  writer->buffer_ = encode_header(metadata);
  return writer;
}

Status SnapshotWriter::add_chunk(std::uint32_t kind, std::string_view bytes) {
  ensure(!finished_, "a finished snapshot takes no more chunks");
  ensure(bytes.size() <= kChunkSizeMax, "a chunk keeps the limits of the format (pitfall F3)");
  std::string_view stored = bytes;
  if (options_.compress && !bytes.empty()) {
    const int size = static_cast<int>(bytes.size());
    compressed_.resize(static_cast<std::size_t>(LZ4_compressBound(size)));
    const int compressed =
        LZ4_compress_default(bytes.data(), compressed_.data(), size, static_cast<int>(compressed_.size()));
    if (compressed > 0 && compressed < size) stored = {compressed_.data(), static_cast<std::size_t>(compressed)};
  }
  const ChunkHeader header{.kind = kind,
                           .raw_size = static_cast<std::uint32_t>(bytes.size()),
                           .stored_size = static_cast<std::uint32_t>(stored.size()),
                           .number = chunk_count_,
                           .stored_crc = crc32c(stored)};
  std::array<char, kChunkHeaderSize> encoded{};
  encode(header, encoded.data());
  buffer_.append(encoded.data(), encoded.size());
  buffer_.append(stored);
  ++chunk_count_;
  raw_size_ += bytes.size();
  return buffer_.size() < kFlushSize ? Status(Done{}) : flush();
}

Status SnapshotWriter::flush() {
  digest_.update(buffer_);
  const std::string_view part = buffer_;
  if (Status written = file_->write_at(offset_, {&part, 1}); !written) return written;
  offset_ += buffer_.size();
  buffer_.clear();
  if (offset_ - synced_ < options_.sync_interval) return Done{};
  synced_ = offset_;
  return file_->sync_data();
}

Result<FileKey> SnapshotWriter::finish() {
  ensure(!finished_, "a snapshot is finished once");
  if (Status flushed = flush(); !flushed) return flushed.error();
  const Footer footer{.chunk_count = chunk_count_,
                      .raw_size = raw_size_,
                      .file_size = offset_ + kFooterSize,
                      .digest = digest_.digest()};
  std::array<char, kFooterSize> encoded{};
  encode(footer, encoded.data());
  const std::string_view part(encoded.data(), encoded.size());
  Status done = file_->write_at(offset_, {&part, 1});
  if (done) done = file_->sync_data();
  if (done) done = files_.rename(temporary_path_, final_path_);
  if (!done) return done.error();
  finished_ = true;  // the name is there; whether it is durable the directory's sync says
  offset_ = footer.file_size;
  file_.reset();
  if (Status synced = files_.sync_directory(directory_); !synced) return synced.error();
  key_.size = footer.file_size;
  key_.digest = footer.digest;
  return key_;
}

}  // namespace redraft::snapshot
