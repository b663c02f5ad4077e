#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/context.h"
#include "server/commands/watch.h"

namespace redraft::commands {

// MIGRATE (redis.io/commands/migrate) takes three steps: behind a read barrier the keys are read and made into commands
// for the other server; whoever runs the node sends these and collects the replies; and an entry of the log deletes the
// keys that the other server has and that nobody has written since.
struct Migration {
  struct Moving {
    std::string key;
    WatchedKey seen;
    std::uint64_t checksum = 0;  // of its payload
  };
  std::string host;
  std::uint16_t port = 0;
  std::uint64_t timeout_ms = 0;
  bool copy = false;              // the keys stay
  std::string request;            // AUTH if need be, SELECT, and a RESTORE for each key
  std::size_t login_size = 0;     // of `request`: the AUTH
  std::size_t replies_ahead = 0;  // of AUTH and SELECT
  std::vector<Moving> keys;
};

// The first step. Fills in what `context.migration` points to and sets `context.blocked`, or answers: an error, or
// NOKEY. Where there is no such pointer, in transactions and scripts, nothing can wait for another server: an error.
void migrate(Context& context);

// What the other server said: the first of its errors as the client gets it, or nothing, and the keys it took.
struct MigrationReplies {
  std::string error;
  std::vector<const Migration::Moving*> taken;
};
// `errors` has one text for each reply that came, empty for one that is no error. `migration` outlives the result.
[[nodiscard]] MigrationReplies judge_replies(const Migration& migration, std::span<const std::string> errors);

// The last step, the entry command kDropMigrated. Arguments: name, the error for the client or nothing, then for each
// key the index at which it was read, its deadline then, its payload's checksum, and its name.
[[nodiscard]] std::vector<std::string> words_to_drop(const MigrationReplies& replies);
void drop_migrated(Context& context);

// Where the arguments from i on have AUTH's or AUTH2's words, which nobody is shown.
[[nodiscard]] bool is_migrate_secret(std::span<const std::string_view> arguments, std::size_t i);

}  // namespace redraft::commands
