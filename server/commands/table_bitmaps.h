#pragma once

#include <array>

#include "server/commands/bitmaps.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kBitmapCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("bitcount", CommandId::kBitcount, -2, kReadonly, kBitmap, {1, 1, 1}, &bitcount),
    data("bitfield", CommandId::kBitfield, -2, kWrite | kDenyOom, kBitmap, {1, 1, 1}, &bitfield),
    data("bitfield_ro", CommandId::kBitfieldRo, -2, kReadonly | kFast, kBitmap, {1, 1, 1}, &bitfield_ro),
    data("bitop", CommandId::kBitop, -4, kWrite | kDenyOom, kBitmap, {2, -1, 1}, &bitop),
    data("bitpos", CommandId::kBitpos, -3, kReadonly, kBitmap, {1, 1, 1}, &bitpos),
    data("getbit", CommandId::kGetbit, 3, kReadonly | kFast, kBitmap, {1, 1, 1}, &getbit),
    data("setbit", CommandId::kSetbit, 4, kWrite | kDenyOom, kBitmap, {1, 1, 1}, &setbit),
});

}  // namespace redraft::commands
