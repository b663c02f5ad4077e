#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/base/fault_file_system.h"
#include "tests/base/random.h"

namespace redraft::testing {

// What a sector held before a write that is not synced.
struct SectorImage {
  static constexpr std::uint64_t kSize = 512;
  std::uint64_t sector;
  std::shared_ptr<std::array<char, kSize>> bytes;  // nullptr: zeros, as behind the end of a file
};

// A file's bytes as the page cache shows them, and what of them a power cut may leave.
struct FaultFileSystem::Inode {
  std::string content;
  std::uint64_t durable_size = 0;
  std::vector<SectorImage> unsynced;  // oldest first; the current contents are the newest version
  // Sectors whose sync failed: the pages look clean, so that a later sync does not write them (storage-faults row 5).
  std::vector<SectorImage> dropped;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spoiled;  // [begin, end)

  [[nodiscard]] bool readable(std::uint64_t begin, std::uint64_t end) const;
  // These bytes are about to be overwritten.
  void remember(std::uint64_t begin, std::uint64_t end);
  void resize(std::uint64_t size);
  void sync();
  void fail_sync();
  void crash(Random& random);

 private:
  void put_back(const SectorImage& image);
  // Of each sector that is not on disk one of its versions remains.
  void put_back_some(Random& random);
};

struct FaultFileSystem::NameChange {
  std::string removed;  // empty: nothing
  std::string added;    // empty: nothing; both: a rename, which happens or does not
  std::shared_ptr<Inode> inode;
};

// The names of a directory, those that are certain to survive a power cut, and what lies between them.
struct FaultFileSystem::Directory {
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  Names names;
  Names durable;
  std::vector<NameChange> unsynced;

  void change(NameChange change);
  void sync();
  void crash(Random& random);

 private:
  static void apply(Names& names, const NameChange& change);
};

}  // namespace redraft::testing
