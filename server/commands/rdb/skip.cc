#include "server/commands/rdb/skip.h"

#include <tuple>

namespace redraft::rdb {
namespace {

constexpr std::size_t kRawId = 16;
constexpr std::size_t kMilliseconds = 8;

void skip_lengths(Reader& from, int count) {
  for (; count > 0; --count) std::ignore = from.length();
}

// A score as text: its size in a byte, or one of three marks that stand for themselves.
void skip_text_double(Reader& from) {
  const std::uint8_t size = from.byte();
  if (size < 253) std::ignore = from.bytes(size);
}

void skip_group(ValueType type, Reader& from) {
  skip_string(from);
  skip_lengths(from, type == ValueType::kStreamListpacks ? 2 : 3);
  for (std::uint64_t left = from.count(kRawId); left > 0 && from.ok(); --left) {
    std::ignore = from.bytes(kRawId + kMilliseconds);
    skip_lengths(from, 1);
  }
  const std::size_t times = type == ValueType::kStreamListpacks3 ? 2 : 1;
  for (std::uint64_t left = from.count(); left > 0 && from.ok(); --left) {
    skip_string(from);
    std::ignore = from.bytes(times * kMilliseconds);
    std::ignore = from.bytes(from.count(kRawId) * kRawId);
  }
}

void skip_stream(ValueType type, Reader& from) {
  for (std::uint64_t left = from.count(); left > 0 && from.ok(); --left) {
    skip_string(from);
    skip_string(from);
  }
  skip_lengths(from, type == ValueType::kStreamListpacks ? 3 : 8);
  for (std::uint64_t left = from.count(); left > 0 && from.ok(); --left) skip_group(type, from);
}

void skip_elements(ValueType type, Reader& from) {
  for (std::uint64_t left = from.count(); left > 0 && from.ok(); --left) {
    if (type == ValueType::kListQuicklist2) skip_lengths(from, 1);
    skip_string(from);
    if (type == ValueType::kHash) skip_string(from);
    if (type == ValueType::kSortedSet) std::ignore = from.bytes(8);
    if (type == ValueType::kSortedSetText) skip_text_double(from);
  }
}

}  // namespace

bool skip_string(Reader& from) {
  from.skip_string();
  return from.ok();
}

bool skip_module(Reader& from) {
  enum : std::uint64_t { kEnd = 0, kSigned = 1, kUnsigned = 2, kFloat = 3, kDouble = 4, kString = 5 };
  skip_lengths(from, 1);
  while (from.ok()) {
    switch (from.length()) {
      case kEnd:
        return from.ok();
      case kSigned:
      case kUnsigned:
        skip_lengths(from, 1);
        break;
      case kFloat:
        std::ignore = from.bytes(4);
        break;
      case kDouble:
        std::ignore = from.bytes(8);
        break;
      case kString:
        skip_string(from);
        break;
      default:
        from.fail();
    }
  }
  return false;
}

bool skip_value(std::uint8_t type, Reader& from) {
  if (type == kModule2) return skip_module(from);
  const auto known = static_cast<ValueType>(type);
  switch (known) {
    case ValueType::kString:
    case ValueType::kHashZipmap:
    case ValueType::kListZiplist:
    case ValueType::kSetIntset:
    case ValueType::kSortedSetZiplist:
    case ValueType::kHashZiplist:
    case ValueType::kHashListpack:
    case ValueType::kSortedSetListpack:
    case ValueType::kSetListpack:
      return skip_string(from);
    case ValueType::kList:
    case ValueType::kSet:
    case ValueType::kSortedSetText:
    case ValueType::kHash:
    case ValueType::kSortedSet:
    case ValueType::kListQuicklist:
    case ValueType::kListQuicklist2:
      skip_elements(known, from);
      return from.ok();
    case ValueType::kStreamListpacks:
    case ValueType::kStreamListpacks2:
    case ValueType::kStreamListpacks3:
      skip_stream(known, from);
      return from.ok();
  }
  from.fail();
  return false;
}

}  // namespace redraft::rdb
