#include "tests/base/fault_file_system.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/check.h"
#include "tests/base/fault_disk.h"

namespace redraft::testing {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Error error_of(Fault fault, Operation operation, const std::string& path) {
  const ErrorCode code = fault == Fault::kNoSpace ? ErrorCode::kNoSpace : ErrorCode::kIo;
  return {code, std::string(to_string(operation)) + " " + path + ": injected fault"};
}

}  // namespace

std::string_view to_string(Operation operation) {
  constexpr std::array<std::string_view, kOperationCount> kNames = {
      "open", "create",          "write", "read", "fdatasync", "truncate", "rename", "remove", "make directories",
      "list", "fsync directory", "lock"};
  return kNames[static_cast<std::size_t>(operation)];
}

bool changes_disk(Operation operation) {
  return operation != Operation::kOpen && operation != Operation::kRead && operation != Operation::kList &&
         operation != Operation::kLock;
}

struct FaultFileSystem::PlannedFault {
  std::optional<Operation> operation;  // nothing: any that changes the disk
  std::uint64_t countdown;
  Fault fault;
  std::string path_part;
  bool always;
};

class FaultFileSystem::MemoryFile final : public File {
 public:
  MemoryFile(FaultFileSystem& files, std::shared_ptr<Inode> inode, std::string path)
      : files_(files), inode_(std::move(inode)), path_(std::move(path)), generation_(files.generation_) {}

  Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    if (gone()) return no_file();
    std::uint64_t size = 0;
    for (const std::string_view part : parts) size += part.size();
    std::optional<Fault> fault = files_.before(Operation::kWrite, path_);
    std::uint64_t written = size;
    if (fault == Fault::kIo && !files_.stopped_) written = 0;
    if (fault == Fault::kNoSpace || fault == Fault::kIoAfterPart) written = size / 2;
    if (!fault && files_.capacity_) {
      const std::uint64_t used = files_.used_bytes();
      const std::uint64_t room = *files_.capacity_ > used ? *files_.capacity_ - used : 0;
      const std::uint64_t possible = std::max<std::uint64_t>(inode_->content.size() + room, offset);
      if (offset + size > possible && offset + size > inode_->content.size()) {
        fault = Fault::kNoSpace;
        written = possible - offset;
      }
    }
    put(offset, parts, written);
    if (fault) return error_of(*fault, Operation::kWrite, path_);
    return Done{};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (gone()) return no_file();
    if (const auto fault = files_.before(Operation::kRead, path_)) return error_of(*fault, Operation::kRead, path_);
    const std::string& content = inode_->content;
    if (offset >= content.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(into.size(), content.size() - offset);
    if (!inode_->readable(offset, offset + count)) return error_of(Fault::kIo, Operation::kRead, path_);
    if (count > 0) std::memcpy(into.data(), content.data() + offset, count);
    return count;
  }

  Status sync_data() override {
    if (gone()) return no_file();
    if (const auto fault = files_.before(Operation::kSyncData, path_)) {
      if (!files_.stopped_) inode_->fail_sync();
      return error_of(*fault, Operation::kSyncData, path_);
    }
    if (!files_.lying_data_syncs_) inode_->sync();
    return Done{};
  }

  Result<std::uint64_t> size() override {
    if (gone()) return no_file();
    return static_cast<std::uint64_t>(inode_->content.size());
  }

  Status truncate(std::uint64_t size) override {
    if (gone()) return no_file();
    if (const auto fault = files_.before(Operation::kTruncate, path_)) {
      return error_of(*fault, Operation::kTruncate, path_);
    }
    inode_->resize(size);
    return Done{};
  }

 private:
  [[nodiscard]] bool gone() const { return generation_ != files_.generation_; }
  [[nodiscard]] Error no_file() const { return {ErrorCode::kIo, path_ + ": the process that opened this is gone"}; }

  void put(std::uint64_t offset, std::span<const std::string_view> parts, std::uint64_t size) {
    if (size == 0) return;
    inode_->remember(offset, offset + size);
    if (inode_->content.size() < offset + size) inode_->content.resize(offset + size);
    files_.bytes_written_ += size;
    for (const std::string_view part : parts) {
      const std::uint64_t count = std::min<std::uint64_t>(part.size(), size);
      if (count > 0) std::memcpy(inode_->content.data() + offset, part.data(), count);
      offset += count;
      size -= count;
    }
  }

  FaultFileSystem& files_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  std::uint64_t generation_;
};

class FaultFileSystem::MemoryLock final : public FileLock {
 public:
  MemoryLock(FaultFileSystem& files, std::string path)
      : files_(files), path_(std::move(path)), generation_(files.generation_) {}
  ~MemoryLock() override {
    if (generation_ == files_.generation_) files_.locks_.erase(path_);
  }

 private:
  FaultFileSystem& files_;
  std::string path_;
  std::uint64_t generation_;
};

FaultFileSystem::FaultFileSystem() = default;
FaultFileSystem::~FaultFileSystem() = default;

std::optional<Fault> FaultFileSystem::before(Operation operation, const std::string& path) {
  if (on_operation) on_operation(operation, path);
  ++counts_[static_cast<std::size_t>(operation)];
  if (stopped_) return Fault::kIo;
  const bool changes = changes_disk(operation);
  if (changes && stop_countdown_ && --*stop_countdown_ == 0) {
    stop_countdown_.reset();
    stopped_ = true;
    return Fault::kIo;  // a write is done and never synced: crash() tears it
  }
  std::optional<Fault> fault;
  for (auto planned = faults_.begin(); planned != faults_.end();) {
    const bool meant = planned->operation ? *planned->operation == operation : changes;
    if (!meant || path.find(planned->path_part) == std::string::npos) {
      ++planned;
    } else if (planned->always) {
      fault = planned->fault;
      ++planned;
    } else if (--planned->countdown == 0) {
      fault = planned->fault;
      planned = faults_.erase(planned);
    } else {
      ++planned;
    }
  }
  return fault;
}

FaultFileSystem::Directory* FaultFileSystem::directory_of(const std::string& path) {
  const auto found = directories_.find(parent_of(path));
  return found == directories_.end() ? nullptr : &found->second;
}

std::shared_ptr<FaultFileSystem::Inode> FaultFileSystem::find(const std::string& path) const {
  const auto directory = directories_.find(parent_of(path));
  if (directory == directories_.end()) return nullptr;
  const auto entry = directory->second.names.find(name_of(path));
  return entry == directory->second.names.end() ? nullptr : entry->second;
}

std::uint64_t FaultFileSystem::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [path, directory] : directories_) {
    for (const auto& [name, inode] : directory.names) used += inode->content.size();
  }
  return used;
}

Result<std::unique_ptr<File>> FaultFileSystem::open(const std::string& path, OpenMode mode) {
  std::shared_ptr<Inode> inode = find(path);
  const bool creates = mode == OpenMode::kCreateNew || (mode == OpenMode::kCreateOrTruncate && inode == nullptr);
  const Operation operation = creates ? Operation::kCreate : Operation::kOpen;
  if (const auto fault = before(operation, path)) return error_of(*fault, operation, path);
  Directory* directory = directory_of(path);
  if (directory == nullptr || (!creates && inode == nullptr)) {
    return Error{ErrorCode::kNotFound, "open " + path + ": no such file"};
  }
  if (creates) {
    if (inode != nullptr) return Error{ErrorCode::kIo, "create " + path + ": exists"};
    inode = std::make_shared<Inode>();
    directory->change({.removed = {}, .added = name_of(path), .inode = inode});
  } else if (mode == OpenMode::kCreateOrTruncate) {
    inode->resize(0);
  }
  return std::unique_ptr<File>(std::make_unique<MemoryFile>(*this, std::move(inode), path));
}

Status FaultFileSystem::rename(const std::string& from, const std::string& to) {
  if (const auto fault = before(Operation::kRename, from)) return error_of(*fault, Operation::kRename, from);
  std::shared_ptr<Inode> inode = find(from);
  if (inode == nullptr || directory_of(to) == nullptr) {
    return Error{ErrorCode::kNotFound, "rename " + from + ": no such file"};
  }
  ensure(parent_of(from) == parent_of(to), "a rename stays in its directory");
  directory_of(to)->change({.removed = name_of(from), .added = name_of(to), .inode = std::move(inode)});
  return Done{};
}

Status FaultFileSystem::remove(const std::string& path) {
  if (const auto fault = before(Operation::kRemove, path)) return error_of(*fault, Operation::kRemove, path);
  if (find(path) == nullptr) return Error{ErrorCode::kNotFound, "remove " + path + ": no such file"};
  directory_of(path)->change({.removed = name_of(path), .added = {}, .inode = nullptr});
  return Done{};
}

Status FaultFileSystem::make_directories(const std::string& path) {
  if (directories_.contains(path)) return Done{};
  if (const auto fault = before(Operation::kMakeDirectories, path)) {
    return error_of(*fault, Operation::kMakeDirectories, path);
  }
  for (std::string made = path;; made = parent_of(made)) {
    directories_.try_emplace(made);
    if (made == "." || made == "/") break;
  }
  return Done{};
}

Result<std::vector<std::string>> FaultFileSystem::list(const std::string& directory) {
  if (const auto fault = before(Operation::kList, directory)) return error_of(*fault, Operation::kList, directory);
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return Error{ErrorCode::kNotFound, "list " + directory + ": no such directory"};
  std::vector<std::string> names;
  for (const auto& [name, inode] : found->second.names) names.push_back(name);
  for (const auto& [path, child] : directories_) {
    if (path != directory && parent_of(path) == directory) names.push_back(name_of(path));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status FaultFileSystem::sync_directory(const std::string& directory) {
  if (const auto fault = before(Operation::kSyncDirectory, directory)) {
    return error_of(*fault, Operation::kSyncDirectory, directory);
  }
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return Error{ErrorCode::kNotFound, "sync " + directory + ": no such directory"};
  if (!lying_directory_syncs_) found->second.sync();
  return Done{};
}

Result<std::unique_ptr<FileLock>> FaultFileSystem::lock(const std::string& path) {
  if (const auto fault = before(Operation::kLock, path)) return error_of(*fault, Operation::kLock, path);
  Directory* directory = directory_of(path);
  if (directory == nullptr) return Error{ErrorCode::kNotFound, "lock " + path + ": no such directory"};
  if (!locks_.emplace(path, generation_).second) {
    return Error{ErrorCode::kInUse, path + " is locked by another process"};
  }
  if (find(path) == nullptr) {
    directory->change({.removed = {}, .added = name_of(path), .inode = std::make_shared<Inode>()});
  }
  return std::unique_ptr<FileLock>(std::make_unique<MemoryLock>(*this, path));
}

bool FaultFileSystem::exists(const std::string& path) {
  return directories_.contains(path) || find(path) != nullptr;
}

Result<std::uint64_t> FaultFileSystem::free_bytes(const std::string&) {
  if (!capacity_) return ~std::uint64_t{0};
  const std::uint64_t used = used_bytes();
  return *capacity_ > used ? *capacity_ - used : 0;
}

void FaultFileSystem::crash(std::uint64_t seed) {
  Random random(seed);
  std::set<Inode*> done;
  for (auto& [path, directory] : directories_) directory.crash(random);
  for (auto& [path, directory] : directories_) {
    for (auto& [name, inode] : directory.names) {
      if (done.insert(inode.get()).second) inode->crash(random);
    }
  }
  kill();
}

void FaultFileSystem::kill() {
  ++generation_;
  locks_.clear();
  clear_faults();
}

std::unique_ptr<FaultFileSystem> FaultFileSystem::clone() const {
  auto copy = std::make_unique<FaultFileSystem>();
  std::map<const Inode*, std::shared_ptr<Inode>> inodes;
  const auto copy_of = [&](const std::shared_ptr<Inode>& inode) {
    if (inode == nullptr) return std::shared_ptr<Inode>();
    std::shared_ptr<Inode>& known = inodes[inode.get()];
    if (known == nullptr) known = std::make_shared<Inode>(*inode);
    return known;
  };
  for (const auto& [path, directory] : directories_) {
    Directory& into = copy->directories_[path];
    for (const auto& [name, inode] : directory.names) into.names[name] = copy_of(inode);
    for (const auto& [name, inode] : directory.durable) into.durable[name] = copy_of(inode);
    for (const NameChange& change : directory.unsynced) {
      into.unsynced.push_back({change.removed, change.added, copy_of(change.inode)});
    }
  }
  copy->capacity_ = capacity_;
  copy->lying_data_syncs_ = lying_data_syncs_;
  copy->lying_directory_syncs_ = lying_directory_syncs_;
  return copy;
}

void FaultFileSystem::fail(Operation operation, std::uint64_t nth, Fault fault, std::string path_part) {
  faults_.push_back({operation, nth, fault, std::move(path_part), false});
}

void FaultFileSystem::fail_change(std::uint64_t nth, Fault fault) {
  faults_.push_back({std::nullopt, nth, fault, {}, false});
}

void FaultFileSystem::fail_always(Operation operation, Fault fault, std::string path_part) {
  faults_.push_back({operation, 0, fault, std::move(path_part), true});
}

void FaultFileSystem::stop_at_change(std::uint64_t nth) {
  ensure(nth > 0, "operations count from 1");
  stop_countdown_ = nth;
}

void FaultFileSystem::clear_faults() {
  faults_.clear();
  stop_countdown_.reset();
  stopped_ = false;
}

void FaultFileSystem::set_lying_syncs(Operation operation, bool lie) {
  ensure(operation == Operation::kSyncData || operation == Operation::kSyncDirectory, "only syncs can lie");
  (operation == Operation::kSyncData ? lying_data_syncs_ : lying_directory_syncs_) = lie;
}

std::uint64_t FaultFileSystem::changes() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kOperationCount; ++i) {
    if (changes_disk(static_cast<Operation>(i))) sum += counts_[i];
  }
  return sum;
}

void FaultFileSystem::reset_counts() {
  counts_.fill(0);
  bytes_written_ = 0;
}

std::string FaultFileSystem::content(const std::string& path) const {
  const std::shared_ptr<Inode> inode = find(path);
  ensure(inode != nullptr, "a test looks at a file that is there");
  return inode->content;
}

void FaultFileSystem::set_content(const std::string& path, std::string bytes) {
  directories_.try_emplace(parent_of(path));
  std::shared_ptr<Inode> inode = find(path);
  if (inode == nullptr) inode = std::make_shared<Inode>();
  inode->content = std::move(bytes);
  inode->sync();
  inode->dropped.clear();
  Directory& directory = *directory_of(path);
  directory.names[name_of(path)] = inode;
  directory.durable[name_of(path)] = inode;
}

void FaultFileSystem::flip_bit(const std::string& path, std::uint64_t bit) {
  const std::shared_ptr<Inode> inode = find(path);
  ensure(inode != nullptr && bit / 8 < inode->content.size(), "a test damages a byte that is there");
  char& byte = inode->content[bit / 8];
  byte = static_cast<char>(byte ^ (1 << (bit % 8)));
}

void FaultFileSystem::spoil(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  const std::shared_ptr<Inode> inode = find(path);
  ensure(inode != nullptr, "a test damages a file that is there");
  inode->spoiled.emplace_back(offset, offset + size);
}

void FaultFileSystem::remove_silently(const std::string& path) {
  if (Directory* directory = directory_of(path)) {
    directory->names.erase(name_of(path));
    directory->durable.erase(name_of(path));
  }
}

std::vector<std::string> FaultFileSystem::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, directory] : directories_) {
    for (const auto& [name, inode] : directory.names) paths.push_back(path + "/" + name);
  }
  return paths;
}

}  // namespace redraft::testing
