#include "wal/two_slot_file.h"

#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "wal/codec.h"

namespace redraft::wal {
namespace {

constexpr std::string_view kMagic = "RDRFTSLT";
constexpr std::size_t kSlotHeaderSize = 32;
// Slots do not share a block of the disk.
constexpr std::uint64_t kSlotDistance = 4096;
static_assert(kSlotHeaderSize + TwoSlotFile::kValueSizeMax <= kSlotDistance);

std::uint32_t slot_crc(std::string_view header, std::string_view value) {
  return crc32c_extend(crc32c(header.substr(0, 24)), value);
}

struct Slot {
  std::uint64_t counter = 0;
  std::string value;
};

Result<std::optional<Slot>> read_slot(File& file, int number) {
  std::optional<Slot> none;
  std::array<char, kSlotDistance> buffer{};
  auto count = file.read_at(static_cast<std::uint64_t>(number) * kSlotDistance, buffer);
  if (!count && count.error().code == ErrorCode::kIo) return none;  // the other copy lies in another sector
  if (!count) return count.error();
  const std::string_view bytes(buffer.data(), *count);
  if (bytes.size() < kSlotHeaderSize || !bytes.starts_with(kMagic)) return none;
  const auto size = load_little<std::uint32_t>(bytes.data() + 12);
  if (size > TwoSlotFile::kValueSizeMax || size > bytes.size() - kSlotHeaderSize) return none;
  const std::string_view value = bytes.substr(kSlotHeaderSize, size);
  if (load_little<std::uint32_t>(bytes.data() + 24) != slot_crc(bytes, value)) return none;
  const auto version = load_little<std::uint32_t>(bytes.data() + 8);
  if (version != kFormatVersion) {
    return Error{ErrorCode::kUnsupported, "format version " + std::to_string(version) + " is not known here"};
  }
  return std::optional<Slot>({.counter = load_little<std::uint64_t>(bytes.data() + 16), .value = std::string(value)});
}

}  // namespace

TwoSlotFile::TwoSlotFile(FileSystem& files, std::string directory, const std::string& name)
    : files_(&files), directory_(std::move(directory)), path_(directory_ + "/" + name) {}

Result<TwoSlotFile> TwoSlotFile::open(FileSystem& files, std::string directory, const std::string& name) {
  TwoSlotFile opened(files, std::move(directory), name);
  auto file = files.open(opened.path_, OpenMode::kReadWrite);
  if (!file) {
    if (file.error().code == ErrorCode::kNotFound) return opened;
    return file.error();
  }
  std::array<std::optional<Slot>, 2> slots;
  for (int i = 0; i < 2; ++i) {
    auto slot = read_slot(**file, i);
    if (!slot) return Error{slot.error().code, opened.path_ + ": " + slot.error().message};
    slots[static_cast<std::size_t>(i)] = std::move(*slot);
  }
  if (!slots[0] && !slots[1]) return Error{ErrorCode::kCorrupt, opened.path_ + ": both copies are damaged"};
  const bool second_is_newer = !slots[0] || (slots[1] && slots[1]->counter > slots[0]->counter);
  const Slot& newest = *slots[second_is_newer ? 1 : 0];
  opened.file_ = std::move(*file);
  opened.counter_ = newest.counter;
  opened.value_ = newest.value;
  opened.first_slot_ = second_is_newer ? 0 : 1;
  opened.had_damaged_slot_ = !slots[0] || !slots[1];
  if (Status written = opened.write(newest.value); !written) return written.error();
  // The name too may be in the cache only.
  if (Status synced = files.sync_directory(opened.directory_); !synced) return synced.error();
  return opened;
}

TwoSlotFile TwoSlotFile::anew(FileSystem& files, std::string directory, const std::string& name) {
  return TwoSlotFile(files, std::move(directory), name);
}

Result<TwoSlotFile::Look> TwoSlotFile::look(FileSystem& files, const std::string& path) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file) return file.error();
  Look look;
  std::uint64_t newest = 0;
  for (int i = 0; i < 2; ++i) {
    auto slot = read_slot(**file, i);
    if (!slot) return Error{slot.error().code, path + ": " + slot.error().message};
    if (!*slot) {
      ++look.damaged_slots;
    } else if ((*slot)->counter >= newest) {
      newest = (*slot)->counter;
      look.value = std::move((*slot)->value);
    }
  }
  return look;
}

Status TwoSlotFile::write_slot(int slot, std::string_view value, std::uint64_t counter) {
  std::array<char, kSlotHeaderSize> bytes{};
  const std::string_view header(bytes.data(), bytes.size());
  kMagic.copy(bytes.data(), kMagic.size());
  store_little(bytes.data() + 8, kFormatVersion);
  store_little(bytes.data() + 12, static_cast<std::uint32_t>(value.size()));
  store_little(bytes.data() + 16, counter);
  store_little(bytes.data() + 24, slot_crc(header, value));
  const std::array<std::string_view, 2> parts = {header, value};
  Status done = file_->write_at(static_cast<std::uint64_t>(slot) * kSlotDistance, parts);
  if (!done) return done;
  done = file_->sync_data();
  // A failed sync is final whatever its reason (row 5).
  if (!done) return Error{ErrorCode::kIo, done.error().message};
  return done;
}

Status TwoSlotFile::create(std::string_view value) {
  const std::string temporary = path_ + ".new";
  auto file = files_->open(temporary, OpenMode::kCreateOrTruncate);
  if (!file) return file.error();
  file_ = std::move(*file);
  static constexpr std::array<char, 2 * kSlotDistance> kZeros{};
  const std::string_view zeros(kZeros.data(), kZeros.size());
  Status done = file_->write_at(0, {&zeros, 1});
  for (int slot = 0; slot < 2 && done; ++slot) done = write_slot(slot, value, 1);
  if (done) done = files_->rename(temporary, path_);
  if (done) done = files_->sync_directory(directory_);
  if (!done) {
    file_.reset();
    static_cast<void>(files_->remove(temporary));
    return done;
  }
  counter_ = 1;
  value_ = value;
  return done;
}

Status TwoSlotFile::write(std::string_view value) {
  ensure(value.size() <= kValueSizeMax, "a value fits its slot");
  if (file_ == nullptr) return create(value);
  const std::string kept(value);  // `value` may be a view of value_
  const std::uint64_t counter = counter_ + 1;
  // The slot that may be older goes first: until its sync is done the other one holds the value that counts.
  if (Status first = write_slot(first_slot_, kept, counter); !first) return first;
  counter_ = counter;
  value_ = kept;
  first_slot_ = 1 - first_slot_;
  if (Status second = write_slot(first_slot_, kept, counter); !second) return second;
  return Done{};
}

}  // namespace redraft::wal
