#include <algorithm>
#include <bit>
#include <optional>

#include "base/little_endian.h"
#include "resp/number.h"
#include "server/commands/rdb/crc64.h"
#include "server/commands/rdb/listpack.h"
#include "server/commands/rdb/lzf.h"
#include "server/commands/rdb/streams.h"
#include "server/commands/rdb/values.h"

namespace redraft::rdb {
namespace {

constexpr std::size_t kFooterSize = 10;
constexpr std::size_t kNodeBytes = 8192;  // of a quicklist's listpack, as list-max-listpack-size -2 has it
constexpr std::size_t kPackedFrom = 21;   // shorter strings are not worth packing

void put_type(std::string& to, ValueType type) {
  to.push_back(static_cast<char>(type));
}

// An integer of at most 32 bits takes two to five bytes; a text that is one may too.
bool put_small_integer(std::string& to, std::int64_t value) {
  char bytes[8];
  store_little(bytes, value);
  const auto put = [&](char encoding, std::size_t width) {
    to.push_back(encoding);
    to.append(bytes, width);
    return true;
  };
  if (value >= INT8_MIN && value <= INT8_MAX) return put('\xc0', 1);
  if (value >= INT16_MIN && value <= INT16_MAX) return put('\xc1', 2);
  if (value >= INT32_MIN && value <= INT32_MAX) return put('\xc2', 4);
  return false;
}

void save_list(const store::List& list, std::string& to, store::Steps& steps) {
  put_type(to, ValueType::kListQuicklist2);
  std::string nodes;
  std::uint64_t count = 0;
  ListpackWriter writer;
  const auto finish = [&] {
    if (writer.count() == 0) return;
    nodes.push_back(2);
    put_string(nodes, writer.finish());
    ++count;
  };
  store::List::Cursor cursor = list.cursor(0);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i != 0) cursor.next();
    const std::string_view element = cursor.value();
    steps.step();
    if (element.size() >= kNodeBytes) {
      finish();
      nodes.push_back(1);
      put_string(nodes, element);
      ++count;
      continue;
    }
    if (writer.size() + element.size() + 16 > kNodeBytes) finish();
    writer.add(element);
  }
  finish();
  put_length(to, count);
  to += nodes;
}

void save_intset(const store::Set& set, std::string& to) {
  std::size_t width = 2;
  set.for_each([&](std::string_view member) {
    const std::int64_t value = resp::parse_int64(member).value_or(0);
    if (value < INT32_MIN || value > INT32_MAX) width = 8;
    if (value < INT16_MIN || value > INT16_MAX) width = std::max<std::size_t>(width, 4);
  });
  std::string blob(8, '\0');
  store_little(blob.data(), static_cast<std::uint32_t>(width));
  store_little(blob.data() + 4, static_cast<std::uint32_t>(set.size()));
  set.for_each([&](std::string_view member) {
    char bytes[8];
    store_little(bytes, resp::parse_int64(member).value_or(0));
    blob.append(bytes, width);
  });
  put_type(to, ValueType::kSetIntset);
  put_string(to, blob);
}

// Redis 7.2 has a listpack for small sets, which 7.0 cannot read: the plain form serves both.
void save_set(const store::Set& set, std::string& to, store::Steps& steps) {
  if (set.encoding() == "intset") return save_intset(set, to);
  put_type(to, ValueType::kSet);
  put_length(to, set.size());
  set.for_each([&](std::string_view member) {
    put_string(to, member);
    steps.step();
  });
}

void save_hash(const store::Hash& hash, std::string& to, store::Steps& steps) {
  if (hash.encoding() == "listpack") {
    ListpackWriter writer;
    hash.for_each([&](std::string_view field, std::string_view value) {
      writer.add(field);
      writer.add(value);
    });
    put_type(to, ValueType::kHashListpack);
    return put_string(to, writer.finish());
  }
  put_type(to, ValueType::kHash);
  put_length(to, hash.size());
  hash.for_each([&](std::string_view field, std::string_view value) {
    put_string(to, field);
    put_string(to, value);
    steps.step();
  });
}

void save_sorted_set(const store::SortedSet& sorted, std::string& to, store::Steps& steps) {
  if (sorted.encoding() == "listpack") {
    ListpackWriter writer;
    sorted.for_each([&](std::string_view member, double score) {
      char text[resp::kDoubleTextMax];
      writer.add(member);
      writer.add({text, resp::format_double(score, text)});
    });
    put_type(to, ValueType::kSortedSetListpack);
    return put_string(to, writer.finish());
  }
  put_type(to, ValueType::kSortedSet);
  put_length(to, sorted.size());
  // From the highest down, as Redis: its skip list then inserts each at its head.
  sorted.visit(0, sorted.size(), true, [&](std::string_view member, double score) {
    put_string(to, member);
    char bytes[8];
    store_little(bytes, std::bit_cast<std::uint64_t>(score));
    to.append(bytes, sizeof bytes);
    steps.step();
    return true;
  });
}

void save_string(const store::Key& key, std::string& to) {
  put_type(to, ValueType::kString);
  std::string scratch;
  put_string(to, key.string(scratch));
}

}  // namespace

void put_length(std::string& to, std::uint64_t length) {
  const auto put_big_endian = [&](std::size_t width) {
    for (std::size_t i = width; i > 0; --i) to.push_back(static_cast<char>(length >> (8 * (i - 1)) & 0xff));
  };
  if (length < 64) {
    to.push_back(static_cast<char>(length));
  } else if (length < 16384) {
    to.push_back(static_cast<char>(0x40 | length >> 8));
    to.push_back(static_cast<char>(length & 0xff));
  } else if (length <= UINT32_MAX) {
    to.push_back('\x80');
    put_big_endian(4);
  } else {
    to.push_back('\x81');
    put_big_endian(8);
  }
}

void put_string(std::string& to, std::string_view bytes) {
  constexpr std::size_t kSmallIntegerText = 11;
  if (bytes.size() <= kSmallIntegerText) {
    const std::optional<std::int64_t> integer = resp::parse_int64(bytes);
    if (integer && put_small_integer(to, *integer)) return;
  }
  if (bytes.size() >= kPackedFrom) {
    std::string packed;
    if (lzf_pack(bytes, bytes.size() - 4, packed)) {
      to.push_back('\xc3');
      put_length(to, packed.size());
      put_length(to, bytes.size());
      to += packed;
      return;
    }
  }
  put_length(to, bytes.size());
  to += bytes;
}

std::uint16_t save_value(const store::Key& key, std::string& to, store::Breather& breather) {
  store::Steps steps(breather);
  switch (key.type()) {
    case store::Type::kString:
      save_string(key, to);
      break;
    case store::Type::kList:
      save_list(static_cast<const store::List&>(*key.object()), to, steps);
      break;
    case store::Type::kSet:
      save_set(static_cast<const store::Set&>(*key.object()), to, steps);
      break;
    case store::Type::kHash:
      save_hash(static_cast<const store::Hash&>(*key.object()), to, steps);
      break;
    case store::Type::kSortedSet:
      save_sorted_set(static_cast<const store::SortedSet&>(*key.object()), to, steps);
      break;
    case store::Type::kStream:
      return save_stream(static_cast<const store::Stream&>(*key.object()), to, steps);
  }
  return kVersionWritten;
}

void seal_payload(std::string& payload, std::uint16_t version) {
  payload.push_back(static_cast<char>(version & 0xff));
  payload.push_back(static_cast<char>(version >> 8));
  char bytes[8];
  store_little(bytes, crc64(0, payload));
  payload.append(bytes, sizeof bytes);
}

Result<std::string_view> open_payload(std::string_view payload) {
  const Error wrong{ErrorCode::kCorrupt, "DUMP payload version or checksum are wrong"};
  if (payload.size() < kFooterSize) return wrong;
  const std::string_view footer = payload.substr(payload.size() - kFooterSize);
  if (load_little<std::uint16_t>(footer.data()) > kVersionMax) return wrong;
  if (load_little<std::uint64_t>(footer.data() + 2) != crc64(0, payload.substr(0, payload.size() - 8))) return wrong;
  return payload.substr(0, payload.size() - kFooterSize);
}

}  // namespace redraft::rdb
