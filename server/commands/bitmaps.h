#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/context.h"

namespace redraft::commands {

class StringText;

// The bitmap commands (redis.io/commands/?group=bitmap): strings as arrays of bits, the highest of a byte first. They
// work on the pages of long strings in place.
void setbit(Context& context);
void getbit(Context& context);
void bitcount(Context& context);
void bitpos(Context& context);
void bitop(Context& context);
void bitfield(Context& context);
void bitfield_ro(Context& context);

// What these files share.

// The bit offset at argument `i`, below proto-max-bulk-len * 8; "#n" counts fields of `field_bits` where that is not 0.
// Answers the error otherwise.
[[nodiscard]] std::optional<std::uint64_t> bit_offset_argument(Context& context, std::size_t i,
                                                               std::uint64_t field_bits = 0);
// Makes the string reach to `size` bytes, and raw as Redis does before it changes bits. Answers whether it grew.
bool prepare_for_bits(Context& context, std::string_view key, StringText& text, std::size_t size);
// For WATCH and the event after bits have changed.
void bits_changed(Context& context, std::string_view key, bool is_new);

}  // namespace redraft::commands
