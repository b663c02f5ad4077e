#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/commands/command.h"
#include "server/store/store.h"

namespace redraft::commands {

// Users and what they may do (redis.io/docs/management/security/acl). The rules' texts are replicated state and stand
// in the store; here is what they mean. The same binary gives the same verdict for the same texts on every node.

// One set of permissions: commands, and the keys and channels they may name.
struct AclSelector {
  struct KeyPattern {
    std::string pattern;
    bool read = false;
    bool write = false;
  };
  bool all_keys = false;
  bool all_channels = false;
  bool all_commands = false;
  bool future_commands = false;            // begins with +@all, so that later releases' commands are permitted too
  std::array<std::uint64_t, 8> allowed{};  // by command id
  std::map<CommandId, std::vector<std::string>> first_arguments;  // +select|0: permitted with this argument only
  std::vector<KeyPattern> keys;
  std::vector<std::string> channels;
  std::string command_rules;  // as given, after the leading +@all or -@all; what a later one undoes is left out

  // Errors are the part of Redis's text that tells why.
  [[nodiscard]] Status apply(std::string_view rule);
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::string describe_commands() const;
  [[nodiscard]] std::string describe_keys() const;
  [[nodiscard]] std::string describe_channels() const;
  [[nodiscard]] bool allows(CommandId id) const {
    const auto bit = static_cast<std::size_t>(id);
    return bit < 64 * allowed.size() && (allowed[bit / 64] >> (bit % 64) & 1) != 0;
  }

 private:
  void set_all(bool allow);
  void set_command(const Command& command, bool allow);
  void note_rule(std::string_view rule, bool allow);
  [[nodiscard]] Status allow_subcommand(std::string_view rule);
  [[nodiscard]] Status set_category(std::string_view category, bool allow);
  [[nodiscard]] Status add_keys(std::string_view rule);
};

struct AclUser {
  std::uint32_t id = 0;  // what log entries carry; 0 is "default"
  bool enabled = false;
  bool no_password = false;
  bool sanitize_payload = true;
  std::vector<std::string> passwords;                                // SHA-256, 64 hex digits
  std::vector<AclSelector> selectors = std::vector<AclSelector>(1);  // the first is the user's own

  // Passwords come as hashes: `#` and `!`. `channels_by_default` is acl-pubsub-default.
  [[nodiscard]] Status apply(std::string_view rule, bool channels_by_default);
  // As a line of ACL LIST without "user <name> ".
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] bool unrestricted() const {
    return selectors.front().all_commands && selectors.front().all_keys && selectors.front().all_channels;
  }
  // Of a hash.
  [[nodiscard]] bool has_password(std::string_view hash) const;
};

enum class AclDenial : std::uint8_t { kNone, kCommand, kKey, kAuth, kChannel };
struct AclVerdict {
  AclDenial denial = AclDenial::kNone;
  std::size_t position = 0;  // of the key or channel among the arguments
  [[nodiscard]] bool ok() const { return denial == AclDenial::kNone; }
};
[[nodiscard]] AclVerdict check_acl(const AclUser& user, const Command& command,
                                   std::span<const std::string_view> arguments);
// "User alice has no permissions to run the 'get' command". `object`: names the key or channel, for ACL DRYRUN.
[[nodiscard]] std::string describe_denial(std::string_view user, const Command& command, AclVerdict verdict,
                                          std::string_view object = {});

// All users by name. "default" is always there; without rules of its own it may do everything.
class AclUsers {
 public:
  AclUsers();

  // What the store's texts mean; for a state that was restored.
  void adopt(const store::Store::Users& users, bool channels_by_default);
  // One entry's change, on every node alike: {"setuser", name, rules...}, {"deluser", names...}, or {"load", name,
  // rules in one text, name, ...}, which replaces all. The store follows. Errors are whole error lines; then nothing
  // has changed. Returns how many users were deleted, for DELUSER.
  [[nodiscard]] Result<std::int64_t> change(std::span<const std::string_view> change, store::Store& store);
  // Whether `change` would be accepted now; for telling a client before an entry is proposed.
  [[nodiscard]] Status check(std::span<const std::string_view> change, bool channels_by_default) const;

  [[nodiscard]] const AclUser* find(std::string_view name) const;
  [[nodiscard]] const AclUser* find(std::uint32_t id) const;
  [[nodiscard]] std::string_view name_of(std::uint32_t id) const;  // empty: deleted
  [[nodiscard]] const std::map<std::string, AclUser, std::less<>>& all() const { return users_; }
  [[nodiscard]] const AclUser& default_user() const { return users_.find("default")->second; }
  // A new connection needs no AUTH.
  [[nodiscard]] bool open_to_strangers() const { return default_user().no_password && default_user().enabled; }
  // One comparison for the common case: "default" may do everything.
  [[nodiscard]] bool unrestricted(std::uint32_t id) const {
    if (id == 0) return default_unrestricted_;
    const AclUser* user = find(id);
    return user != nullptr && user->unrestricted();
  }

 private:
  using ByName = std::map<std::string, AclUser, std::less<>>;
  [[nodiscard]] static Status set_user(ByName& users, std::span<const std::string_view> change,
                                       bool channels_by_default);
  [[nodiscard]] static Result<ByName> load(std::span<const std::string_view> change, bool channels_by_default);
  void index();

  ByName users_;
  std::map<std::uint32_t, ByName::const_iterator> by_id_;
  bool default_unrestricted_ = true;
};

// ACL SETUSER's rules as single ones: a selector's words, from "(" to ")", become one. Errors are whole error lines.
[[nodiscard]] Result<std::vector<std::string>> join_selectors(std::span<const std::string_view> rules);

// The mask of one; 0 when there is none.
[[nodiscard]] std::uint32_t acl_category(std::string_view name);

}  // namespace redraft::commands
