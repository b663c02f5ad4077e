#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/command_id.h"

namespace redraft::commands {

class Context;

// The properties COMMAND INFO reports, by Redis's names (redis.io/commands/command), and the ones that choose a path
// here.
enum Flag : std::uint32_t {
  kWrite = 1u << 0,     // goes through the log
  kReadonly = 1u << 1,  // reads data: needs a read barrier (thesis 6.4), no entry
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubsub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,  // may wait; acts as if timed out inside EXEC
  kLoading = 1u << 7,   // permitted while the data set loads
  kStale = 1u << 8,
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kAsking = 1u << 11,
  kFast = 1u << 12,
  kNoAuth = 1u << 13,  // permitted before AUTH
  kMayReplicate = 1u << 14,
  kNoMandatoryKeys = 1u << 15,
  kProtected = 1u << 16,  // behind enable-debug-command and the like
  kNoAsyncLoading = 1u << 17,
  kNoMulti = 1u << 18,
  kAllowBusy = 1u << 19,
  kMovableKeys = 1u << 20,  // positions depend on the arguments: `find_keys` is set
  kSentinel = 1u << 21,
  kOnlySentinel = 1u << 22,
  kTouchesArbitraryKeys = 1u << 23,
};

// Where a command runs (redis-semantics, "Who answers what").
enum class Where : std::uint8_t {
  kLocal,    // on the node the client is connected to; the replica's `local/` answers it
  kLeader,   // everything that touches data, keyless commands too
  kForward,  // passed to the leader by any node
};

// ACL categories, redis.io/docs/management/security/acl.
enum Category : std::uint32_t {
  kKeyspace = 1u << 0,
  kRead = 1u << 1,
  kWriteCategory = 1u << 2,
  kSet = 1u << 3,
  kSortedSet = 1u << 4,
  kList = 1u << 5,
  kHash = 1u << 6,
  kString = 1u << 7,
  kBitmap = 1u << 8,
  kHyperLogLog = 1u << 9,
  kGeo = 1u << 10,
  kStream = 1u << 11,
  kPubsubCategory = 1u << 12,
  kAdminCategory = 1u << 13,
  kFastCategory = 1u << 14,
  kSlow = 1u << 15,
  kBlockingCategory = 1u << 16,
  kDangerous = 1u << 17,
  kConnection = 1u << 18,
  kTransactionCategory = 1u << 19,
  kScripting = 1u << 20,
};

// First key, last key (negative counts from the end) and step, as COMMAND INFO reports them; first 0 means no key.
struct KeyRange {
  std::int8_t first = 0;
  std::int8_t last = 0;
  std::int8_t step = 0;
};

// Positions of keys in `arguments` for commands whose `range` does not tell (numkeys and the like).
using FindKeys = void (*)(std::span<const std::string_view> arguments, std::vector<std::uint32_t>& positions);
using Handler = void (*)(Context&);

// One line of the table. Subcommands are lines of their own named "container|sub"; the container's own line has
// `is_container` and no handler. A command that runs `kLocal` has no handler here either: the replica knows it by id.
struct Command {
  std::string_view name;  // lower case
  CommandId id = CommandId::kNone;
  std::int16_t arity = 0;  // counts the name (and the subcommand); negative: at least
  std::uint32_t flags = 0;
  std::uint32_t categories = 0;
  KeyRange range = {};
  Where where = Where::kLeader;
  Handler handler = nullptr;
  FindKeys find_keys = nullptr;
  bool is_container = false;

  [[nodiscard]] bool is(Flag flag) const { return (flags & flag) != 0; }
};

// All commands, sorted by name. One table for the process: it is constant data.
[[nodiscard]] std::span<const Command> all_commands();

// What a request names, or nullptr. For a container with a known subcommand in arguments[1] the subcommand's line.
// Names are matched without regard to case. Never allocates.
[[nodiscard]] const Command* find_command(std::span<const std::string_view> arguments);
[[nodiscard]] const Command* find_command(CommandId id);

// The answer for a name that is not in the table, or an unknown subcommand; byte for byte Redis's (server.c,
// processCommand).
struct Unknown {
  static void append_error(std::span<const std::string_view> arguments, std::string& error_line);
};
[[nodiscard]] inline bool arity_fits(const Command& command, std::size_t count) {
  return command.arity >= 0 ? count == static_cast<std::size_t>(command.arity)
                            : count >= static_cast<std::size_t>(-command.arity);
}

// Appends the positions of all keys among the arguments.
void find_key_positions(const Command& command, std::span<const std::string_view> arguments,
                        std::vector<std::uint32_t>& positions);

}  // namespace redraft::commands
