#include "wal/data_directory.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "wal/codec.h"

namespace redraft::wal {
namespace {

constexpr std::uint32_t kIdentityVersion = 1;
constexpr std::size_t kIdentitySizeMin = 48;
constexpr std::size_t kIdentitySizeMax = 72;  // with the claimed node, what is promised, and who founded

}  // namespace

std::string encode_identity(const Identity& identity) {
  std::string bytes(kIdentitySizeMax, '\0');
  store_little(bytes.data(), kIdentityVersion);
  std::memcpy(bytes.data() + 4, identity.cluster_id.data(), identity.cluster_id.size());
  store_little(bytes.data() + 24, identity.node_id);
  store_little(bytes.data() + 32, identity.incarnation);
  store_little(bytes.data() + 40, identity.boot);
  store_little(bytes.data() + 48, identity.claimed_node);
  store_little(bytes.data() + 56, identity.promise_us);
  store_little(bytes.data() + 64, std::uint64_t{identity.founded_alone ? 1U : 0U});
  if (!identity.founded_alone) bytes.resize(identity.promise_us == 0 ? 56 : 64);
  return bytes;
}

Result<Identity> decode_identity(const std::string& bytes) {
  if (bytes.size() < 4) return Error{ErrorCode::kCorrupt, "the identity is too short"};
  if (const auto version = load_little<std::uint32_t>(bytes.data()); version != kIdentityVersion) {
    return Error{ErrorCode::kUnsupported, "identity version " + std::to_string(version) + " is not known here"};
  }
  if (bytes.size() < kIdentitySizeMin || bytes.size() > kIdentitySizeMax || bytes.size() % 8 != 0) {
    return Error{ErrorCode::kCorrupt, "the identity has a wrong size"};
  }
  Identity identity{.cluster_id = {},
                    .node_id = load_little<std::uint64_t>(bytes.data() + 24),
                    .incarnation = load_little<std::uint64_t>(bytes.data() + 32),
                    .boot = load_little<std::uint64_t>(bytes.data() + 40)};
  if (bytes.size() > 48) identity.claimed_node = load_little<std::uint64_t>(bytes.data() + 48);
  if (bytes.size() > 56) identity.promise_us = load_little<std::uint64_t>(bytes.data() + 56);
  if (bytes.size() > 64) identity.founded_alone = load_little<std::uint64_t>(bytes.data() + 64) != 0;
  std::memcpy(identity.cluster_id.data(), bytes.data() + 4, identity.cluster_id.size());
  return identity;
}

DataDirectory::DataDirectory(FileSystem& files, std::string path, std::unique_ptr<FileLock> lock,
                             TwoSlotFile identity_file)
    : files_(&files), path_(std::move(path)), lock_(std::move(lock)), identity_file_(std::move(identity_file)) {}

Result<DataDirectory> DataDirectory::open(FileSystem& files, const std::string& path) {
  if (Status made = files.make_directories(path); !made) return made.error();
  auto lock = files.lock(path + "/lock");
  if (!lock) return lock.error();
  auto file = TwoSlotFile::open(files, path, "identity");
  if (!file) return file.error();
  DataDirectory directory(files, path, std::move(*lock), std::move(*file));
  if (!directory.identity_file_.absent()) {
    auto identity = decode_identity(directory.identity_file_.value());
    if (!identity) return Error{identity.error().code, path + "/identity: " + identity.error().message};
    directory.identity_ = *identity;
  }
  return directory;
}

Status DataDirectory::set_identity(const Identity& identity) {
  if (Status written = identity_file_.write(encode_identity(identity)); !written) return written;
  identity_ = identity;
  return Done{};
}

Result<std::uint64_t> DataDirectory::raise_boot(std::uint64_t promise_us) {
  ensure(identity_.has_value(), "only a node with an identity starts");
  Identity raised = *identity_;
  ++raised.boot;
  raised.promise_us = std::max(raised.promise_us, promise_us);
  if (Status written = set_identity(raised); !written) return written.error();
  return raised.boot;
}

Result<bool> DataDirectory::has_log(std::uint64_t group) {
  const std::string path = group_path(group) + "/wal";
  if (!files_->exists(path)) return false;
  auto names = files_->list(path);
  if (!names) return names.error();
  return std::any_of(names->begin(), names->end(),
                     [](const std::string& name) { return segment_number_of(name).has_value(); });
}

std::string DataDirectory::group_path(std::uint64_t group) const {
  return group == 0 ? path_ : path_ + "/group-" + std::to_string(group);
}

Result<std::string> DataDirectory::log_directory(std::uint64_t group) {
  std::string path = group_path(group) + "/wal";
  if (Status made = files_->make_directories(path); !made) return made.error();
  return path;
}

Result<std::string> DataDirectory::snapshot_directory(std::uint64_t group) {
  std::string path = group_path(group) + "/snapshot";
  if (Status made = files_->make_directories(path); !made) return made.error();
  return path;
}

Result<TwoSlotFile> DataDirectory::open_vote(std::uint64_t group) {
  const std::string path = group_path(group);
  if (Status made = files_->make_directories(path); !made) return made.error();
  return TwoSlotFile::open(*files_, path, "vote");
}

TwoSlotFile DataDirectory::new_vote(std::uint64_t group) {
  return TwoSlotFile::anew(*files_, group_path(group), "vote");
}

}  // namespace redraft::wal
