#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "server/commands/command.h"
#include "server/replica/entry_payload.h"
#include "server/store/store.h"

namespace redraft::replica {

// The keys of a group of commands that are about to run. A lookup waits about three times for memory, for one word
// after the other; asked for together, the waits of the whole group become those of one.
class KeyGroup {
 public:
  [[nodiscard]] bool full() const { return count_ == names_.size(); }
  // Notes the command's keys, as far as there is room, and what it seems to ask of a single one. The arguments' bytes
  // must last until `prefetch`.
  void add(const commands::Command& command, std::uint32_t db, std::span<const std::string_view> arguments);
  // A single key is left alone: its lookup would only be done twice.
  void prefetch(const store::Store& store) const;

 private:
  void add_movable(const commands::Command& command, std::uint32_t db, std::span<const std::string_view> arguments);

  std::vector<std::uint32_t> positions_;  // of a command's keys
  std::array<store::Store::KeyName, store::Store::kPrefetchMax> names_;
  std::size_t count_ = 0;
};

// Goes a group ahead of who applies the commands of an entry.
class Lookahead {
 public:
  // All of them outlive it, as do the bytes.
  Lookahead(const store::Store& store, std::string_view commands, std::vector<std::string_view>& scratch)
      : store_(store), reader_(commands), arguments_(scratch) {}

  // Before each command.
  void step() {
    if (ahead_ == 0) look();
    --ahead_;
  }

 private:
  void look();

  const store::Store& store_;
  CommandReader reader_;
  std::vector<std::string_view>& arguments_;
  std::size_t ahead_ = 0;  // commands of the last group that are still to come
};

}  // namespace redraft::replica
