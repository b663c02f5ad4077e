#include "server/commands/bitmaps.h"

#include <algorithm>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/bit_scan.h"
#include "server/commands/keyspace.h"
#include "server/commands/string_text.h"

// SETBIT, GETBIT, BITCOUNT and BITPOS. BITOP is in bitop.cc, BITFIELD in bitfield.cc.

namespace redraft::commands {

namespace {

constexpr std::string_view kBadOffset = "ERR bit offset is not an integer or out of range";

// The bytes [first, last] of a string, the first and last of them perhaps in part: bits outside are cut off.
struct BitRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  unsigned char first_mask = 0xff;
  unsigned char last_mask = 0xff;
  bool empty = false;
};

// The range as written: not yet resolved against a string's size.
struct RangeArguments {
  std::int64_t start = 0;
  std::int64_t end = -1;
  bool end_given = false;
  bool in_bits = false;
};

std::optional<bool> unit_argument(Context& context, std::size_t i) {
  if (option_is(context, i, "bit")) return true;
  if (option_is(context, i, "byte")) return false;
  answer_syntax_error(context);
  return std::nullopt;
}

// Redis resolves negative ends as it does for GETRANGE, in bytes or in bits (redis/redis:src/bitops.c).
BitRange resolve(const RangeArguments& arguments, std::size_t size) {
  BitRange range;
  std::int64_t total = static_cast<std::int64_t>(size);
  if (arguments.in_bits) total *= 8;
  std::int64_t start = arguments.start;
  std::int64_t end = arguments.end;
  if (start < 0) start = std::max<std::int64_t>(total + start, 0);
  if (end < 0) end = std::max<std::int64_t>(total + end, 0);
  end = std::min(end, total - 1);
  range.empty = start > end;
  if (range.empty) return range;
  if (arguments.in_bits) {
    range.first_mask = static_cast<unsigned char>(0xff >> (start & 7));
    range.last_mask = static_cast<unsigned char>(0xff << (7 - (end & 7)));
    start >>= 3;
    end >>= 3;
  }
  range.first = static_cast<std::uint64_t>(start);
  range.last = static_cast<std::uint64_t>(end);
  return range;
}

// Calls visit(offset, bytes) for the pieces of [first, end) until it answers false.
template <class Visit>
void for_each_piece(Context& context, StringText& text, std::uint64_t first, std::uint64_t end, Visit visit) {
  Breaths breaths(context);
  for (std::uint64_t at = first; at < end;) {
    const std::string_view bytes = text.piece(at).substr(0, end - at);
    if (!visit(at, bytes)) return;
    at += bytes.size();
    breaths.step();
  }
}

unsigned char byte_at(StringText& text, std::uint64_t at) {
  return static_cast<unsigned char>(text.piece(at).front());
}

// Bits of the partial bytes at both ends, then everything between.
std::uint64_t count_range(Context& context, StringText& text, const BitRange& range) {
  std::uint64_t ones = 0;
  for_each_piece(context, text, range.first, range.last + 1, [&](std::uint64_t, std::string_view bytes) {
    ones += count_ones(bytes);
    return true;
  });
  const auto cut = [&](std::uint64_t at, unsigned char mask) {
    const char outside = static_cast<char>(byte_at(text, at) & ~mask);
    ones -= count_ones({&outside, 1});
  };
  cut(range.first, range.first_mask);
  cut(range.last, range.last_mask);
  return ones;
}

// The first `bit` in the range, counted from the string's start.
std::optional<std::uint64_t> find_in_range(Context& context, StringText& text, const BitRange& range, bool bit) {
  // Bits outside the range become the other kind, so that they are never found.
  const auto in_part = [&](std::uint64_t at, unsigned char mask) -> std::optional<std::uint64_t> {
    const unsigned char byte = byte_at(text, at);
    const char shown = static_cast<char>(bit ? byte & mask : byte | static_cast<unsigned char>(~mask));
    const std::optional<std::uint64_t> found = first_bit({&shown, 1}, bit);
    return found ? std::optional(at * 8 + *found) : std::nullopt;
  };
  const bool one_byte = range.first == range.last;
  const auto first_mask = static_cast<unsigned char>(one_byte ? range.first_mask & range.last_mask : range.first_mask);
  if (const auto found = in_part(range.first, first_mask)) return found;
  if (one_byte) return std::nullopt;
  std::optional<std::uint64_t> found;
  for_each_piece(context, text, range.first + 1, range.last, [&](std::uint64_t at, std::string_view bytes) {
    const std::optional<std::uint64_t> inside = first_bit(bytes, bit);
    if (inside) found = at * 8 + *inside;
    return !found;
  });
  return found ? found : in_part(range.last, range.last_mask);
}

}  // namespace

std::optional<std::uint64_t> bit_offset_argument(Context& context, std::size_t i, std::uint64_t field_bits) {
  std::string_view text = context.argument(i);
  const bool counts_fields = field_bits != 0 && text.starts_with('#');
  if (counts_fields) text.remove_prefix(1);
  const std::optional<std::int64_t> number = resp::parse_int64(text);
  const std::uint64_t unit = counts_fields ? field_bits : 1;
  const std::uint64_t bits_max = string_size_max(context) * 8;
  if (!number || *number < 0 || static_cast<std::uint64_t>(*number) > bits_max / unit ||
      static_cast<std::uint64_t>(*number) * unit >= bits_max) {
    context.reply.error(kBadOffset);
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number) * unit;
}

bool prepare_for_bits(Context& context, std::string_view key, StringText& text, std::size_t size) {
  const bool grows = text.size() < size;
  if (grows) {
    context.store.write_range(context.db, key, size - 1, std::string_view("\0", 1));
  } else if (text.encoding() != "raw") {
    // Written over with itself, a string is raw.
    const std::string whole(text.view());
    context.store.write_range(context.db, key, 0, whole);
  }
  return grows;
}

void bits_changed(Context& context, std::string_view key, bool is_new) {
  changed(context, key);
  if (is_new) context.notify(Event::kNew, "new", key);
  context.notify(Event::kString, "setbit", key);
}

void setbit(Context& context) {
  const std::string_view key = context.argument(1);
  const std::optional<std::uint64_t> offset = bit_offset_argument(context, 2);
  if (!offset) return;
  const std::optional<std::int64_t> bit = resp::parse_int64(context.argument(3));
  if (!bit || (*bit != 0 && *bit != 1)) return context.reply.error("ERR bit is not an integer or out of range");
  StringText text;
  if (!text.find_or_answer(context, key)) return;
  const std::size_t at = *offset / 8;
  const bool is_new = !text.present();
  const bool grew = prepare_for_bits(context, key, text, at + 1);
  std::ignore = text.find(context, key);
  const unsigned char before = byte_at(text, at);
  const auto mask = static_cast<unsigned char>(0x80 >> (*offset & 7));
  const bool was_set = (before & mask) != 0;
  if (was_set != (*bit == 1)) {
    const char after = static_cast<char>(before ^ mask);
    context.store.write_range(context.db, key, at, {&after, 1});
  }
  // A bit that has its value already changes nothing, unless the string grew for it.
  if (grew || was_set != (*bit == 1)) bits_changed(context, key, is_new);
  context.reply.integer(was_set ? 1 : 0);
}

void getbit(Context& context) {
  const std::optional<std::uint64_t> offset = bit_offset_argument(context, 2);
  if (!offset) return;
  StringText text;
  if (!text.find_or_answer(context, context.argument(1))) return;
  const std::size_t at = *offset / 8;
  const bool set = at < text.size() && (byte_at(text, at) >> (7 - (*offset & 7)) & 1) != 0;
  context.reply.integer(set ? 1 : 0);
}

// The key is looked for before its arguments are read, so a missing one forgives bad ones (until Redis 8, #11734).
void bitcount(Context& context) {
  StringText text;
  if (!text.find_or_answer(context, context.argument(1))) return;
  if (!text.present()) return context.reply.integer(0);
  const std::size_t count = context.argument_count();
  if (count != 2 && count != 4 && count != 5) return answer_syntax_error(context);
  RangeArguments arguments;
  if (count > 2) {
    const std::optional<std::int64_t> start = integer_argument(context, 2);
    if (!start) return;
    const std::optional<std::int64_t> end = integer_argument(context, 3);
    if (!end) return;
    arguments = {*start, *end, true, false};
  }
  if (count == 5) {
    const std::optional<bool> in_bits = unit_argument(context, 4);
    if (!in_bits) return;
    arguments.in_bits = *in_bits;
  }
  const bool backwards = arguments.start < 0 && arguments.end < 0 && arguments.start > arguments.end;
  if (text.size() == 0 || backwards) return context.reply.integer(0);
  const BitRange range = resolve(arguments, text.size());
  context.reply.integer(range.empty ? 0 : static_cast<std::int64_t>(count_range(context, text, range)));
}

void bitpos(Context& context) {
  const std::size_t count = context.argument_count();
  const std::optional<std::int64_t> bit = integer_argument(context, 2);
  if (!bit) return;
  if (*bit != 0 && *bit != 1) return context.reply.error("ERR The bit argument must be 1 or 0.");
  StringText text;
  if (!text.find_or_answer(context, context.argument(1))) return;
  // An absent key is an endless row of zeros.
  if (!text.present()) return context.reply.integer(*bit == 1 ? -1 : 0);
  if (count > 6) return answer_syntax_error(context);
  RangeArguments arguments;
  if (count > 3) {
    const std::optional<std::int64_t> start = integer_argument(context, 3);
    if (!start) return;
    arguments.start = *start;
  }
  if (count == 6) {
    const std::optional<bool> in_bits = unit_argument(context, 5);
    if (!in_bits) return;
    arguments.in_bits = *in_bits;
  }
  if (count > 4) {
    const std::optional<std::int64_t> end = integer_argument(context, 4);
    if (!end) return;
    arguments.end = *end;
    arguments.end_given = true;
  }
  const BitRange range = resolve(arguments, text.size());
  if (range.empty) return context.reply.integer(-1);
  const std::optional<std::uint64_t> found = find_in_range(context, text, range, *bit == 1);
  if (found) return context.reply.integer(static_cast<std::int64_t>(*found));
  // Behind a string without an explicit end zeros follow.
  const bool zeros_follow = *bit == 0 && !arguments.end_given;
  context.reply.integer(zeros_follow ? static_cast<std::int64_t>(text.size() * 8) : -1);
}

}  // namespace redraft::commands
