#include "snapshot/snapshot_reader.h"

#include <lz4.h>

#include <array>
#include <utility>

#include "base/crc32c.h"
#include "snapshot/codec.h"

namespace redraft::snapshot {

SnapshotReader::SnapshotReader(std::string path, std::unique_ptr<File> file)
    : path_(std::move(path)), file_(std::move(file)) {}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(FileSystem& files, std::string path) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file) return file.error();
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(std::move(path), std::move(*file)));
  if (Status loaded = reader->load(); !loaded) return loaded.error();
  return reader;
}

Error SnapshotReader::corrupt(std::uint64_t offset, std::string_view what) const {
  return {ErrorCode::kCorrupt, path_ + " at offset " + std::to_string(offset) + ": " + std::string(what)};
}

Status SnapshotReader::read_exactly(std::uint64_t offset, std::span<char> into) {
  auto count = file_->read_at(offset, into);
  if (!count) return count.error();
  if (*count != into.size()) return corrupt(offset + *count, "the file ends too early");
  return Done{};
}

Status SnapshotReader::load() {
  auto size = file_->size();
  if (!size) return size.error();
  key_.size = *size;
  std::string prefix(kHeaderSizePrefix, '\0');
  if (Status read = read_exactly(0, prefix); !read) return read;
  auto header_size = decode_header_size(prefix);
  if (!header_size) return corrupt(0, header_size.error().message);
  if (*header_size + kFooterSize > *size) return corrupt(*size, "the file ends too early");
  header_bytes_.resize(*header_size);
  if (Status read = read_exactly(0, header_bytes_); !read) return read;
  auto metadata = decode_header(header_bytes_);
  if (!metadata) return Error{metadata.error().code, path_ + " at offset 0: " + metadata.error().message};
  metadata_ = std::move(*metadata);

  chunks_end_ = *size - kFooterSize;
  std::array<char, kFooterSize> bytes{};
  if (Status read = read_exactly(chunks_end_, bytes); !read) return read;
  const auto footer = decode_footer({bytes.data(), bytes.size()});
  // A file that was cut at any place does not end with a footer that knows its size (pitfall E2).
  if (!footer || footer->file_size != *size) return corrupt(chunks_end_, "the footer is damaged");
  chunk_count_ = footer->chunk_count;
  raw_size_ = footer->raw_size;
  key_.index = metadata_.index;
  key_.term = metadata_.term;
  key_.digest = footer->digest;
  rewind();
  return Done{};
}

void SnapshotReader::rewind() {
  cursor_ = header_bytes_.size();
  chunks_read_ = 0;
  raw_read_ = 0;
  digest_.reset();
  digest_.update(header_bytes_);
}

Status SnapshotReader::verify() {
  rewind();
  while (true) {
    auto chunk = next_chunk();
    if (!chunk) return chunk.error();
    if (!*chunk) break;
  }
  rewind();
  return Done{};
}

Result<std::optional<Chunk>> SnapshotReader::next_chunk() {
  if (cursor_ == chunks_end_) {
    if (chunks_read_ != chunk_count_ || raw_read_ != raw_size_ || digest_.digest() != key_.digest) {
      return corrupt(cursor_, "the digest of the whole file does not match");
    }
    return std::optional<Chunk>();
  }
  if (chunks_end_ - cursor_ < kChunkHeaderSize) return corrupt(cursor_, "a chunk is cut off");
  std::array<char, kChunkHeaderSize> bytes{};
  if (Status read = read_exactly(cursor_, bytes); !read) return read.error();
  const auto header = decode_chunk_header({bytes.data(), bytes.size()});
  if (!header || header->number != chunks_read_) return corrupt(cursor_, "a chunk's header is damaged");
  if (header->stored_size > chunks_end_ - cursor_ - kChunkHeaderSize) return corrupt(cursor_, "a chunk is cut off");
  stored_.resize(header->stored_size);
  if (Status read = read_exactly(cursor_ + kChunkHeaderSize, stored_); !read) return read.error();
  const std::string_view stored(stored_.data(), stored_.size());
  if (crc32c(stored) != header->stored_crc) return corrupt(cursor_, "a chunk's checksum does not match");
  std::string_view raw = stored;
  if (header->stored_size < header->raw_size) {
    raw_.resize(header->raw_size);
    const int size = LZ4_decompress_safe(stored_.data(), raw_.data(), static_cast<int>(stored_.size()),
                                         static_cast<int>(raw_.size()));
    if (size != static_cast<int>(header->raw_size)) return corrupt(cursor_, "a chunk does not decompress");
    raw = {raw_.data(), raw_.size()};
  }
  digest_.update({bytes.data(), bytes.size()});
  digest_.update(stored);
  cursor_ += kChunkHeaderSize + header->stored_size;
  ++chunks_read_;
  raw_read_ += header->raw_size;
  return std::optional<Chunk>({.kind = header->kind, .bytes = raw});
}

Status SnapshotReader::read_range(std::uint64_t offset, std::span<char> into) {
  return read_exactly(offset, into);
}

}  // namespace redraft::snapshot
