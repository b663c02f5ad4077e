#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/commands/rdb/reader.h"

namespace redraft::net {

// A file mapped into memory for reading.
class MappedFile {
 public:
  [[nodiscard]] static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept : data_(other.data_), size_(other.size_) { other.data_ = nullptr; }
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

 private:
  MappedFile(const char* data, std::size_t size) : data_(data), size_(size) {}
  const char* data_;
  std::size_t size_;
};

// What a dump of Redis holds, one thing after the other (redis/redis:src/rdb.c). Views point into the file.
struct RdbItem {
  enum class Kind : std::uint8_t { kKey, kFunctions, kModuleKey, kEnd };
  Kind kind = Kind::kEnd;
  std::uint64_t db = 0;
  std::string_view key;            // as in the file, to be read by `text`; kKey and kModuleKey
  std::uint8_t type = 0;           // of the value
  std::string_view value;          // in its form in the file; a library's code, to be read by `text`
  std::uint64_t deadline_ms = 0;   // 0: none
  std::int64_t idle_seconds = -1;  // -1: not in the file
  std::int64_t frequency = -1;

  // A string of the file as its bytes.
  [[nodiscard]] static std::string text(std::string_view raw);
};

class RdbFile {
 public:
  // Checks the first bytes and, where the file has one, the checksum over all of it.
  [[nodiscard]] static Result<RdbFile> check(std::string_view bytes);

  // The next item; after kEnd nothing may be asked. Errors name the offset.
  [[nodiscard]] Result<RdbItem> next();
  // Bytes read so far.
  [[nodiscard]] std::uint64_t position() const { return bytes_.size() - reader_.rest().size(); }

 private:
  RdbFile(std::string_view bytes, std::size_t header) : bytes_(bytes), reader_(bytes.substr(header)) {}
  [[nodiscard]] bool attribute(std::uint8_t opcode, RdbItem& item);
  [[nodiscard]] std::string_view raw_string();
  [[nodiscard]] Error broken() const;

  std::string_view bytes_;
  rdb::Reader reader_;
  std::uint64_t db_ = 0;
};

}  // namespace redraft::net
