#include "server/replica/ballast.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace redraft::replica {
namespace {

constexpr std::uint64_t kStep = std::uint64_t{1} << 20;

}  // namespace

Ballast::Ballast(FileSystem& files, std::string directory, std::uint64_t size)
    : files_(files), directory_(std::move(directory)), path_(directory_ + "/reserve"), size_(size) {}

Status Ballast::find() {
  if (!files_.exists(path_)) return Done{};
  auto file = files_.open(path_, OpenMode::kRead);
  if (!file) return file.error();
  auto size = (*file)->size();
  if (!size) return size.error();
  whole_ = size_ != 0 && *size == size_;
  if (!whole_) remove();  // half made, or of another size
  return Done{};
}

void Ballast::remove() {
  file_.reset();
  filled_ = 0;
  // If this fails the room is not there; the next attempt to write says so.
  if (files_.exists(path_) && files_.remove(path_).ok()) static_cast<void>(files_.sync_directory(directory_));
}

void Ballast::give_up() {
  if (size_ == 0) return;
  if (whole_ || file_ != nullptr) remove();
  spent_ = true;
  whole_ = false;
}

bool Ballast::restore() {
  if (whole()) return true;
  if (file_ == nullptr) {
    const Result<std::uint64_t> free = files_.free_bytes(directory_);
    // Soon again when it was spent; but a small disk is not filled with it in the first place.
    if (!free || *free < (spent_ ? size_ + size_ / 2 : 4 * size_)) return true;
    auto file = files_.open(path_, OpenMode::kCreateOrTruncate);
    if (!file) return true;
    file_ = std::move(*file);
    filled_ = 0;
  }
  static const std::string zeros(kStep, '\0');
  const std::string_view part(zeros.data(), std::min<std::uint64_t>(kStep, size_ - filled_));
  Status written = file_->write_at(filled_, {&part, 1});
  filled_ += part.size();
  if (written && filled_ < size_) return false;
  if (written) written = file_->sync_data();
  if (written) written = files_.sync_directory(directory_);
  if (!written) {
    remove();
    return true;
  }
  file_.reset();
  whole_ = true;
  spent_ = false;
  return true;
}

}  // namespace redraft::replica
