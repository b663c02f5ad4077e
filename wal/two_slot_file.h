#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"

namespace redraft::wal {

// A small value that is replaced as a whole and survives the damage of either of its two copies: term and vote, the
// node's identity. A new value goes to one slot, is synced, and then to the other, so that once `write` has returned
// the loss of one slot can not bring an older value back. Bytes: docs/wal-format.md. Not thread-safe.
class TwoSlotFile {
 public:
  static constexpr std::size_t kValueSizeMax = 4000;

  // Reads the file. A name that does not exist is no error: `absent()` is true and the value empty. Both slots damaged
  // is kCorrupt; a version from the future kUnsupported, and the file is left alone (storage-faults row 20). The value
  // is written anew, so that it is durable when this returns whatever happened to the last sync before (row 5).
  [[nodiscard]] static Result<TwoSlotFile> open(FileSystem& files, std::string directory, const std::string& name);

  // For a name whose file is damaged beyond reading, or does not exist: the first `write` replaces it as a whole.
  [[nodiscard]] static TwoSlotFile anew(FileSystem& files, std::string directory, const std::string& name);
  // Changes nothing: for tools. kNotFound when there is no such file.
  struct Look {
    std::optional<std::string> value;  // nothing when both slots are damaged
    int damaged_slots = 0;
  };
  [[nodiscard]] static Result<Look> look(FileSystem& files, const std::string& path);

  [[nodiscard]] bool absent() const { return file_ == nullptr; }
  [[nodiscard]] const std::string& value() const { return value_; }
  // One of the slots was unreadable when the file was opened; the value is good all the same.
  [[nodiscard]] bool had_damaged_slot() const { return had_damaged_slot_; }

  // Durable when this returns. An error is final (rows 5, 6) except kNoSpace: then the file holds the old value or the
  // new, and write may be called again. Creates the file at the first call.
  [[nodiscard]] Status write(std::string_view value);

 private:
  TwoSlotFile(FileSystem& files, std::string directory, const std::string& name);
  [[nodiscard]] Status create(std::string_view value);
  [[nodiscard]] Status write_slot(int slot, std::string_view value, std::uint64_t counter);

  FileSystem* files_;
  std::string directory_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::string value_;
  std::uint64_t counter_ = 0;
  int first_slot_ = 0;  // written first next time: the one that may be older or damaged
  bool had_damaged_slot_ = false;
};

}  // namespace redraft::wal
