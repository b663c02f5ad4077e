#include "tests/base/fault_disk.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace redraft::testing {

// ---- Files

bool FaultFileSystem::Inode::readable(std::uint64_t begin, std::uint64_t end) const {
  return std::ranges::none_of(spoiled, [&](const auto& bad) { return bad.first < end && begin < bad.second; });
}

void FaultFileSystem::Inode::remember(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  for (std::uint64_t sector = begin / SectorImage::kSize; sector * SectorImage::kSize < end; ++sector) {
    SectorImage image{.sector = sector, .bytes = nullptr};
    const std::uint64_t from = sector * SectorImage::kSize;
    if (from < content.size()) {
      image.bytes = std::make_shared<std::array<char, SectorImage::kSize>>();
      std::memcpy(image.bytes->data(), content.data() + from, std::min(SectorImage::kSize, content.size() - from));
    }
    unsynced.push_back(std::move(image));
  }
}

void FaultFileSystem::Inode::resize(std::uint64_t size) {
  if (size < content.size()) remember(size, content.size());
  content.resize(size);
}

void FaultFileSystem::Inode::sync() {
  if (!dropped.empty()) {
    std::set<std::uint64_t> written;
    for (const SectorImage& image : unsynced) written.insert(image.sector);
    std::erase_if(dropped, [&](const SectorImage& image) { return written.contains(image.sector); });
  }
  unsynced.clear();
  durable_size = content.size();
}

void FaultFileSystem::Inode::fail_sync() {
  dropped.insert(dropped.end(), unsynced.begin(), unsynced.end());
  unsynced.clear();
}

void FaultFileSystem::Inode::put_back(const SectorImage& image) {
  const std::uint64_t from = image.sector * SectorImage::kSize;
  if (from >= content.size()) return;
  const std::uint64_t size = std::min(SectorImage::kSize, content.size() - from);
  if (image.bytes == nullptr) {
    std::memset(content.data() + from, 0, size);
  } else {
    std::memcpy(content.data() + from, image.bytes->data(), size);
  }
}

void FaultFileSystem::Inode::put_back_some(Random& random) {
  std::ranges::stable_sort(dropped, {}, &SectorImage::sector);
  const std::uint64_t kept_of_eight = 1 + random.below(7);
  for (std::size_t first = 0; first < dropped.size();) {
    std::size_t last = first;
    while (last < dropped.size() && dropped[last].sector == dropped[first].sector) ++last;
    if (random.below(8) >= kept_of_eight) put_back(dropped[first + random.below(last - first)]);
    first = last;
  }
}

void FaultFileSystem::Inode::crash(Random& random) {
  fail_sync();
  const std::uint64_t mode = random.below(4);
  const std::uint64_t size_now = content.size();
  std::uint64_t size = size_now;
  if (size_now != durable_size && mode != 1) {
    const auto [low, high] = std::minmax(size_now, durable_size);
    size = durable_size;
    if (mode != 0 && random.below(2) == 0) size = random.below(2) == 0 ? size_now : low + random.below(high - low + 1);
  }
  content.resize(std::max(size, size_now));
  if (mode == 0) {
    for (auto image = dropped.rbegin(); image != dropped.rend(); ++image) put_back(*image);
  } else if (mode > 1) {
    put_back_some(random);
  }
  content.resize(size);
  durable_size = size;
  dropped.clear();
}

// ---- Names

void FaultFileSystem::Directory::apply(Names& names, const NameChange& change) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names[change.added] = change.inode;
}

void FaultFileSystem::Directory::change(NameChange change) {
  apply(names, change);
  unsynced.push_back(std::move(change));
}

void FaultFileSystem::Directory::sync() {
  if (unsynced.empty()) return;
  durable = names;
  unsynced.clear();
}

void FaultFileSystem::Directory::crash(Random& random) {
  const std::uint64_t mode = random.below(4);
  const std::size_t prefix = random.below(unsynced.size() + 1);
  for (std::size_t i = 0; i < unsynced.size(); ++i) {
    const bool kept = mode == 1 || (mode == 2 && i < prefix) || (mode == 3 && random.below(2) == 0);
    if (kept) apply(durable, unsynced[i]);
  }
  names = durable;
  unsynced.clear();
}

}  // namespace redraft::testing
