#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/file_system.h"

namespace redraft {
namespace {

Error system_error(std::string_view action, const std::string& path, int number) {
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::kNoSpace;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  return {code, std::string(action) + " " + path + ": " + std::strerror(number)};
}

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Status write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    const int fd = takes_directly(offset, parts) ? direct_.get() : descriptor_.get();
    std::vector<iovec>& rest = gathered_;  // kept between calls: an append allocates nothing
    rest.clear();
    for (const std::string_view part : parts) {
      // pwritev reads only; iovec lacks the const.
      if (!part.empty()) rest.push_back({const_cast<char*>(part.data()), part.size()});
    }
    std::size_t first = 0;
    while (first < rest.size()) {
      const int count = static_cast<int>(std::min<std::size_t>(rest.size() - first, IOV_MAX));
      const ssize_t written = ::pwritev(fd, &rest[first], count, static_cast<off_t>(offset));
      if (written < 0) {
        if (errno == EINTR) continue;
        return system_error("write", path_, errno);
      }
      if (written == 0) return Error{ErrorCode::kIo, "write " + path_ + ": nothing was written"};
      offset += static_cast<std::uint64_t>(written);
      auto left = static_cast<std::size_t>(written);
      while (first < rest.size() && left >= rest[first].iov_len) left -= rest[first++].iov_len;
      if (left > 0) {
        rest[first].iov_base = static_cast<char*>(rest[first].iov_base) + left;
        rest[first].iov_len -= left;
      }
    }
    return Done{};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      const ssize_t count =
          ::pread(descriptor_.get(), into.data() + filled, into.size() - filled, static_cast<off_t>(offset + filled));
      if (count < 0) {
        if (errno == EINTR) continue;
        return system_error("read", path_, errno);
      }
      if (count == 0) break;
      filled += static_cast<std::size_t>(count);
    }
    return filled;
  }

  void write_directly() override {
    if (direct_.get() >= 0) return;
    struct statx status {};
    const bool known = ::statx(descriptor_.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
                       (status.stx_mask & STATX_DIOALIGN) != 0 && status.stx_dio_offset_align != 0;
    if (!known || status.stx_dio_mem_align > kBlock || status.stx_dio_offset_align > kSector) return;
    // A second descriptor: reads stay cached and of any size. Not by the name, which may have changed since.
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor_.get());
    direct_ = Descriptor(::open(self.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
  }

  Status sync_data() override {
    if (::fdatasync(descriptor_.get()) != 0) return system_error("fdatasync", path_, errno);
    return Done{};
  }

  Result<std::uint64_t> size() override {
    struct stat status {};
    if (::fstat(descriptor_.get(), &status) != 0) return system_error("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) return system_error("truncate", path_, errno);
    return Done{};
  }

 private:
  static constexpr std::size_t kBlock = 4096;
  static constexpr std::size_t kSector = 512;

  [[nodiscard]] bool takes_directly(std::uint64_t offset, std::span<const std::string_view> parts) const {
    if (direct_.get() < 0 || parts.size() != 1) return false;
    return std::bit_cast<std::uintptr_t>(parts[0].data()) % kBlock == 0 && offset % kSector == 0 &&
           parts[0].size() % kSector == 0;
  }

  Descriptor descriptor_;
  Descriptor direct_{-1};
  std::string path_;
  std::vector<iovec> gathered_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  // flock ends with its last descriptor
};

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kReadWrite:
        flags |= O_RDWR;
        break;
      case OpenMode::kCreateNew:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
      case OpenMode::kCreateOrTruncate:
        flags |= O_RDWR | O_CREAT | O_TRUNC;
        break;
    }
    const int fd = ::open(path.c_str(), flags, 0640);
    if (fd < 0) return system_error("open", path, errno);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(Descriptor(fd), path));
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", from, errno);
    return Done{};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error("unlink", path, errno);
    return Done{};
  }

  Status make_directories(const std::string& path) override {
    if (exists(path)) return Done{};
    const std::string parent = parent_of(path);
    if (Status made = make_directories(parent); !made) return made;
    if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return system_error("mkdir", path, errno);
    return sync_directory(parent);
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return system_error("list", directory, errno);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(stream);
    std::ranges::sort(names);
    return names;
  }

  Status sync_directory(const std::string& directory) override {
    const Descriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() < 0) return system_error("open", directory, errno);
    if (::fsync(descriptor.get()) != 0) return system_error("fsync", directory, errno);
    return Done{};
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (descriptor.get() < 0) return system_error("open", path, errno);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return Error{ErrorCode::kInUse, path + " is locked by another process"};
      return system_error("lock", path, errno);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(descriptor)));
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::uint64_t> free_bytes(const std::string& directory) override {
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) != 0) return system_error("statvfs", directory, errno);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }
};

}  // namespace

std::unique_ptr<FileSystem> posix_file_system() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace redraft
