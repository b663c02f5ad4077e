#include <algorithm>
#include <array>
#include <vector>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/bitmaps.h"
#include "server/commands/string_text.h"

// BITFIELD and BITFIELD_RO: integers of 1 to 64 bits anywhere in a string (redis.io/commands/bitfield).

namespace redraft::commands {

namespace {

enum class Overflow : std::uint8_t { kWrap, kSaturate, kFail };

struct FieldType {
  bool is_signed = false;
  unsigned bits = 0;

  // The lowest `bits` of a word as the field's value; a signed one as two's complement of 64 bits.
  [[nodiscard]] std::uint64_t truncated(std::uint64_t word) const {
    const unsigned spare = 64 - bits;
    if (!is_signed) return word << spare >> spare;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(word << spare) >> spare);
  }
  [[nodiscard]] std::int64_t signed_max() const { return static_cast<std::int64_t>(~std::uint64_t{0} >> (65 - bits)); }
  [[nodiscard]] std::uint64_t unsigned_max() const { return ~std::uint64_t{0} >> (64 - bits); }
};

struct FieldOperation {
  enum class Kind : std::uint8_t { kGet, kSet, kIncrby };
  Kind kind = Kind::kGet;
  FieldType type;
  Overflow overflow = Overflow::kWrap;
  std::uint64_t offset = 0;
  std::int64_t operand = 0;
};

std::optional<FieldType> type_argument(Context& context, std::size_t i) {
  const std::string_view text = context.argument(i);
  if (!text.empty() && (text.front() == 'i' || text.front() == 'u')) {
    const bool is_signed = text.front() == 'i';
    const std::optional<std::int64_t> bits = resp::parse_int64(text.substr(1));
    if (bits && *bits >= 1 && *bits <= (is_signed ? 64 : 63)) {
      return FieldType{is_signed, static_cast<unsigned>(*bits)};
    }
  }
  context.reply.error(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
  return std::nullopt;
}

std::optional<Overflow> overflow_argument(Context& context, std::size_t i) {
  if (option_is(context, i, "wrap")) return Overflow::kWrap;
  if (option_is(context, i, "sat")) return Overflow::kSaturate;
  if (option_is(context, i, "fail")) return Overflow::kFail;
  context.reply.error("ERR Invalid OVERFLOW type specified");
  return std::nullopt;
}

// The whole command is read before anything is done. False after an error was answered.
bool parse_operations(Context& context, std::vector<FieldOperation>& operations) {
  Overflow overflow = Overflow::kWrap;
  for (std::size_t i = 2; i < context.argument_count();) {
    const std::size_t behind = context.argument_count() - i - 1;
    FieldOperation operation;
    if (option_is(context, i, "overflow") && behind >= 1) {
      const std::optional<Overflow> chosen = overflow_argument(context, i + 1);
      if (!chosen) return false;
      overflow = *chosen;
      i += 2;
      continue;
    }
    if (option_is(context, i, "get") && behind >= 2) {
      operation.kind = FieldOperation::Kind::kGet;
    } else if (option_is(context, i, "set") && behind >= 3) {
      operation.kind = FieldOperation::Kind::kSet;
    } else if (option_is(context, i, "incrby") && behind >= 3) {
      operation.kind = FieldOperation::Kind::kIncrby;
    } else {
      answer_syntax_error(context);
      return false;
    }
    const std::optional<FieldType> type = type_argument(context, i + 1);
    if (!type) return false;
    const std::optional<std::uint64_t> offset = bit_offset_argument(context, i + 2, type->bits);
    if (!offset) return false;
    operation.type = *type;
    operation.offset = *offset;
    operation.overflow = overflow;
    i += 3;
    if (operation.kind != FieldOperation::Kind::kGet) {
      const std::optional<std::int64_t> operand = integer_argument(context, i++);
      if (!operand) return false;
      operation.operand = *operand;
    }
    operations.push_back(operation);
  }
  return true;
}

// The (at most nine) bytes around a field; zeros behind the string's end.
class FieldBytes {
 public:
  FieldBytes(StringText& text, const FieldOperation& operation)
      : first_(operation.offset / 8),
        count_((operation.offset + operation.type.bits - 1) / 8 - first_ + 1),
        shift_(static_cast<unsigned>(count_ * 8 - operation.offset % 8 - operation.type.bits)) {
    for (std::size_t i = 0; i < count_ && first_ + i < text.size(); ++i) bytes_[i] = text.piece(first_ + i).front();
  }

  [[nodiscard]] std::uint64_t word() const {
    Wide all = 0;
    for (std::size_t i = 0; i < count_; ++i) all = all << 8 | static_cast<unsigned char>(bytes_[i]);
    return static_cast<std::uint64_t>(all >> shift_);
  }
  void set(std::uint64_t value, unsigned bits) {
    const Wide mask = static_cast<Wide>(~std::uint64_t{0} >> (64 - bits)) << shift_;
    Wide all = 0;
    for (std::size_t i = 0; i < count_; ++i) all = all << 8 | static_cast<unsigned char>(bytes_[i]);
    all = (all & ~mask) | (static_cast<Wide>(value) << shift_ & mask);
    for (std::size_t i = count_; i > 0; --i, all >>= 8) bytes_[i - 1] = static_cast<char>(all & 0xff);
  }
  [[nodiscard]] std::size_t first() const { return first_; }
  [[nodiscard]] std::string_view bytes() const { return {bytes_.data(), count_}; }

 private:
  __extension__ using Wide = unsigned __int128;
  std::size_t first_;
  std::size_t count_;
  unsigned shift_;
  std::array<char, 9> bytes_{};
};

// What a field holds after `operation` on `before`; nothing when it overflows and must not.
std::optional<std::uint64_t> new_value(const FieldOperation& operation, std::uint64_t before) {
  __extension__ using Wide = __int128;
  const FieldType& type = operation.type;
  const bool adds = operation.kind == FieldOperation::Kind::kIncrby;
  // SET takes its operand for an unsigned field as the bits of one.
  const Wide operand = adds || type.is_signed ? static_cast<Wide>(operation.operand)
                                              : static_cast<Wide>(static_cast<std::uint64_t>(operation.operand));
  const Wide old = type.is_signed ? static_cast<Wide>(static_cast<std::int64_t>(before)) : static_cast<Wide>(before);
  const Wide wanted = adds ? old + operand : operand;
  const Wide highest = type.is_signed ? static_cast<Wide>(type.signed_max()) : static_cast<Wide>(type.unsigned_max());
  const Wide lowest = type.is_signed ? -highest - 1 : 0;
  if (wanted >= lowest && wanted <= highest) return static_cast<std::uint64_t>(wanted);
  switch (operation.overflow) {
    case Overflow::kWrap:
      return type.truncated(static_cast<std::uint64_t>(wanted));
    case Overflow::kSaturate:
      return static_cast<std::uint64_t>(wanted > highest ? highest : lowest);
    case Overflow::kFail:
      break;
  }
  return std::nullopt;
}

void run_operations(Context& context, std::string_view key, const std::vector<FieldOperation>& operations,
                    bool& written) {
  context.reply.array(operations.size());
  for (const FieldOperation& operation : operations) {
    StringText text;
    std::ignore = text.find(context, key);
    FieldBytes bytes(text, operation);
    const std::uint64_t before = operation.type.truncated(bytes.word());
    if (operation.kind == FieldOperation::Kind::kGet) {
      context.reply.integer(static_cast<std::int64_t>(before));
      continue;
    }
    const std::optional<std::uint64_t> after = new_value(operation, before);
    if (!after) {
      context.reply.null();
      continue;
    }
    if (*after != before) {
      bytes.set(*after, operation.type.bits);
      context.store.write_range(context.db, key, bytes.first(), bytes.bytes());
      written = true;
    }
    const std::uint64_t shown = operation.kind == FieldOperation::Kind::kSet ? before : *after;
    context.reply.integer(static_cast<std::int64_t>(shown));
  }
}

void answer_bitfield(Context& context, bool may_write) {
  std::vector<FieldOperation> operations;
  if (!parse_operations(context, operations)) return;
  std::uint64_t bits_written = 0;
  for (const FieldOperation& operation : operations) {
    if (operation.kind == FieldOperation::Kind::kGet) continue;
    bits_written = std::max(bits_written, operation.offset + operation.type.bits);
  }
  if (bits_written != 0 && !may_write) {
    return context.reply.error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  const std::string_view key = context.argument(1);
  StringText text;
  if (!text.find_or_answer(context, key)) return;
  const bool is_new = !text.present();
  bool written = bits_written != 0 && prepare_for_bits(context, key, text, (bits_written + 7) / 8);
  run_operations(context, key, operations, written);
  if (written) bits_changed(context, key, is_new);
}

}  // namespace

void bitfield(Context& context) {
  answer_bitfield(context, true);
}

void bitfield_ro(Context& context) {
  answer_bitfield(context, false);
}

}  // namespace redraft::commands
