#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kAclCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    container("acl", CommandId::kAcl, 0),
    local("acl|cat", CommandId::kAclCat, -2, kNoScript | kLoading | kStale, 0, {}),
    local("acl|deluser", CommandId::kAclDeluser, -3, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|dryrun", CommandId::kAclDryrun, -4, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|genpass", CommandId::kAclGenpass, -2, kNoScript | kLoading | kStale, 0, {}),
    local("acl|getuser", CommandId::kAclGetuser, 3, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|help", CommandId::kAclHelp, 2, kLoading | kStale, 0, {}),
    local("acl|list", CommandId::kAclList, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|load", CommandId::kAclLoad, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|log", CommandId::kAclLog, -2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|save", CommandId::kAclSave, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|setuser", CommandId::kAclSetuser, -3, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|users", CommandId::kAclUsers, 2, kAdmin | kNoScript | kLoading | kStale, 0, {}),
    local("acl|whoami", CommandId::kAclWhoami, 2, kNoScript | kLoading | kStale, 0, {}),
});

}  // namespace redraft::commands
