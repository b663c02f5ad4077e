#include "server/net/import/rdb_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <tuple>

#include "base/little_endian.h"
#include "resp/number.h"
#include "server/commands/rdb/crc64.h"
#include "server/commands/rdb/skip.h"

namespace redraft::net {
namespace {

constexpr std::size_t kHeaderSize = 9;
constexpr std::size_t kChecksumSize = 8;
constexpr std::int64_t kChecksumSince = 5;

enum Opcode : std::uint8_t {
  kSlotInfo = 244,
  kFunction2 = 245,
  kModuleAux = 247,
  kIdle = 248,
  kFrequency = 249,
  kAux = 250,
  kResizeDb = 251,
  kDeadlineMs = 252,
  kDeadline = 253,
  kSelectDb = 254,
  kEof = 255,
};

Error invalid(const std::string& message) {
  return {ErrorCode::kInvalid, message};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    const std::string why = errno != 0 ? std::strerror(errno) : "not a regular file";
    if (file >= 0) ::close(file);
    return Error{ErrorCode::kNotFound, "cannot read " + path + ": " + why};
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const data = size == 0 ? MAP_FAILED : mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  ::close(file);
  if (data == MAP_FAILED) return Error{ErrorCode::kIo, "cannot map " + path + " into memory"};
  std::ignore = madvise(data, size, MADV_SEQUENTIAL);
  return MappedFile(static_cast<const char*>(data), size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

std::string RdbItem::text(std::string_view raw) {
  rdb::Reader reader(raw);
  std::string scratch;
  return std::string(reader.string(scratch));
}

Result<RdbFile> RdbFile::check(std::string_view bytes) {
  if (bytes.size() < kHeaderSize || !bytes.starts_with("REDIS")) return invalid("this is no RDB file");
  const std::optional<std::uint64_t> version = resp::parse_uint64(bytes.substr(5, 4));
  if (!version || *version == 0) return invalid("this is no RDB file");
  if (*version > rdb::kVersionMax + 1) {
    return invalid("RDB version " + std::to_string(*version) + " is newer than what is understood here");
  }
  if (static_cast<std::int64_t>(*version) >= kChecksumSince) {
    if (bytes.size() < kHeaderSize + kChecksumSize) return invalid("the RDB file is cut off");
    const std::string_view body = bytes.substr(0, bytes.size() - kChecksumSize);
    const auto expected = load_little<std::uint64_t>(bytes.data() + body.size());
    // Zero: rdbchecksum was off.
    if (expected != 0 && expected != rdb::crc64(0, body)) return invalid("the RDB file's checksum is wrong");
  }
  return RdbFile(bytes, kHeaderSize);
}

Error RdbFile::broken() const {
  return invalid("the RDB file does not make sense near byte " + std::to_string(position()));
}

std::string_view RdbFile::raw_string() {
  const std::string_view before = reader_.rest();
  rdb::skip_string(reader_);
  return before.substr(0, before.size() - reader_.rest().size());
}

// What stands in front of keys and is about them or about nothing. False for what is a key's type or another item.
bool RdbFile::attribute(std::uint8_t opcode, RdbItem& item) {
  switch (opcode) {
    case kAux:
      rdb::skip_string(reader_);
      return rdb::skip_string(reader_);
    case kResizeDb:
      std::ignore = reader_.length();
      std::ignore = reader_.length();
      return true;
    case kSlotInfo:
      for (int i = 0; i < 3; ++i) std::ignore = reader_.length();
      return true;
    case kModuleAux:
      return rdb::skip_module(reader_);
    case kSelectDb:
      db_ = reader_.length();
      return true;
    case kDeadlineMs:
      item.deadline_ms = reader_.little<std::uint64_t>();
      return true;
    case kDeadline:
      item.deadline_ms = std::uint64_t{reader_.little<std::uint32_t>()} * 1000;
      return true;
    case kIdle:
      item.idle_seconds = static_cast<std::int64_t>(reader_.length());
      return true;
    case kFrequency:
      item.frequency = reader_.byte();
      return true;
    default:
      return false;
  }
}

Result<RdbItem> RdbFile::next() {
  RdbItem item;
  std::uint8_t opcode = reader_.byte();
  while (reader_.ok() && attribute(opcode, item)) opcode = reader_.byte();
  if (!reader_.ok()) return broken();
  item.db = db_;
  if (opcode == kEof) return item;
  if (opcode == kFunction2) {
    item.kind = RdbItem::Kind::kFunctions;
    item.value = raw_string();
  } else {
    item.kind = opcode == rdb::kModule2 ? RdbItem::Kind::kModuleKey : RdbItem::Kind::kKey;
    item.key = raw_string();
    const std::string_view before = reader_.rest();
    rdb::skip_value(opcode, reader_);
    // The type stands in front of the key; RESTORE wants it in front of the value.
    item.type = opcode;
    item.value = before.substr(0, before.size() - reader_.rest().size());
  }
  return reader_.ok() ? Result<RdbItem>(item) : Result<RdbItem>(broken());
}

}  // namespace redraft::net
