#pragma once

#include <array>

#include "server/commands/key_positions.h"
#include "server/commands/migrate.h"
#include "server/commands/serialization.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kSerializationCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("migrate", CommandId::kMigrate, -6, kWrite, kKeyspace | kDangerous, {3, 3, 1}, &migrate, &find_migrate_keys),
    data("dump", CommandId::kDump, 2, kReadonly, kKeyspace, {1, 1, 1}, &dump),
    data("restore", CommandId::kRestore, -4, kWrite | kDenyOom, kKeyspace | kDangerous, {1, 1, 1}, &restore),
    data("restore-asking", CommandId::kRestoreAsking, -4, kWrite | kDenyOom | kAsking, kKeyspace | kDangerous,
         {1, 1, 1}, &restore_asking),
});

}  // namespace redraft::commands
