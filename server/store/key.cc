#include "server/store/key.h"

#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "resp/number.h"
#include "server/store/long_string.h"

namespace redraft::store {
namespace {

// A pointer and a tag in the leaf, and its share of slack.
constexpr std::size_t kPlaceBytes = 12;
// Redis stores a string of at most so many bytes with its header and calls that "embstr".
constexpr std::size_t kEmbeddedMax = 44;

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

std::string_view type_name(Type type) {
  switch (type) {
    case Type::kString:
      return "string";
    case Type::kList:
      return "list";
    case Type::kSet:
      return "set";
    case Type::kHash:
      return "hash";
    case Type::kSortedSet:
      return "zset";
    case Type::kStream:
      break;
  }
  return "stream";
}

void put_part(std::string& to, std::uint64_t object, std::string_view body) {
  std::string record;
  put_number(record, object);
  record += body;
  to.push_back(static_cast<char>(Record::kPart));
  put_bytes(to, record);
}

Type Key::type() const {
  return kind() == Kind::kObject ? object()->type() : Type::kString;
}

std::string_view Key::encoding() const {
  switch (kind()) {
    case Kind::kInteger:
      return "int";
    case Kind::kInline:
      return inline_bytes().size() <= kEmbeddedMax && (flags_ & kRaw) == 0 ? "embstr" : "raw";
    case Kind::kObject:
      break;
  }
  return object()->encoding();
}

std::uint64_t Key::deadline_ms() const {
  return has_deadline() ? load<std::uint64_t>(rest()) : 0;
}

std::int64_t Key::integer() const {
  return load<std::int64_t>(value());
}

std::string_view Key::inline_bytes() const {
  return {value() + 4, load<std::uint32_t>(value())};
}

Object* Key::object() const {
  return kind() == Kind::kObject ? load<Object*>(value()) : nullptr;
}

std::string_view Key::string(std::string& scratch) const {
  if (kind() == Kind::kInline) return inline_bytes();
  scratch.clear();
  if (kind() == Kind::kInteger) {
    scratch.resize(resp::kIntegerTextMax);
    scratch.resize(resp::format_int64(integer(), scratch.data()));
  } else {
    static_cast<const LongString*>(object())->read(0, object()->size(), scratch);
  }
  return scratch;
}

std::size_t Key::string_size() const {
  switch (kind()) {
    case Kind::kInline:
      return inline_bytes().size();
    case Kind::kInteger:
      return resp::int64_text_size(integer());
    case Kind::kObject:
      break;
  }
  return object()->size();
}

std::size_t Key::value_size() const {
  switch (kind()) {
    case Kind::kInline:
      return 4 + inline_bytes().size();
    case Kind::kInteger:
      return sizeof(std::int64_t);
    case Kind::kObject:
      break;
  }
  return sizeof(Object*);
}

std::size_t Key::memory() const {
  return sizeof(Key) + deadline_size() + name_size_ + value_size() + kPlaceBytes;
}

KeyBlock::Value KeyBlock::inline_value(std::string_view bytes, bool raw) {
  return {.bytes = bytes, .kind = Key::Kind::kInline, .raw = raw};
}
KeyBlock::Value KeyBlock::integer_value(std::int64_t value) {
  return {.bytes = {}, .integer = value, .kind = Key::Kind::kInteger};
}
KeyBlock::Value KeyBlock::object_value(Object* object) {
  return {.bytes = {}, .object = object, .kind = Key::Kind::kObject};
}
KeyBlock::Value KeyBlock::value_of(const Key& key) {
  if (key.kind() == Key::Kind::kInline) return inline_value(key.inline_bytes(), (key.flags_ & Key::kRaw) != 0);
  if (key.kind() == Key::Kind::kInteger) return integer_value(key.integer());
  return object_value(key.object());
}

Key* KeyBlock::make(std::string_view name, const Value& value, std::uint64_t deadline_ms, std::uint32_t access) {
  std::size_t value_size = sizeof(std::int64_t);
  if (value.kind == Key::Kind::kInline) value_size = 4 + value.bytes.size();
  const std::size_t deadline_size = deadline_ms == 0 ? 0 : 8;
  auto* key = static_cast<Key*>(std::malloc(sizeof(Key) + deadline_size + name.size() + value_size));
  ensure(key != nullptr, "memory for a key is there");
  const unsigned kind = static_cast<unsigned>(value.kind) << Key::kKindShift;
  key->flags_ =
      static_cast<std::uint8_t>(kind | (deadline_ms == 0 ? 0u : Key::kHasDeadline) | (value.raw ? Key::kRaw : 0u));
  key->set_access(access);
  key->name_size_ = static_cast<std::uint32_t>(name.size());
  char* to = key->rest();
  if (deadline_ms != 0) {
    std::memcpy(to, &deadline_ms, 8);
    to += 8;
  }
  if (!name.empty()) std::memcpy(to, name.data(), name.size());
  to += name.size();
  if (value.kind == Key::Kind::kInline) {
    const auto size = static_cast<std::uint32_t>(value.bytes.size());
    std::memcpy(to, &size, 4);
    if (size != 0) std::memcpy(to + 4, value.bytes.data(), size);
  } else if (value.kind == Key::Kind::kInteger) {
    std::memcpy(to, &value.integer, sizeof value.integer);
  } else {
    std::memcpy(to, &value.object, sizeof value.object);
  }
  return key;
}

void KeyBlock::free(Key* key) {
  std::free(key);
}

void KeyBlock::set_deadline(Key& key, std::uint64_t deadline_ms) {
  ensure(key.has_deadline(), "a deadline is changed in place only where there is one");
  std::memcpy(key.rest(), &deadline_ms, 8);
}

void KeyBlock::set_integer(Key& key, std::int64_t value) {
  std::memcpy(const_cast<char*>(key.value()), &value, sizeof value);
}

void KeyBlock::set_inline(Key& key, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(const_cast<char*>(key.value()) + 4, bytes.data(), bytes.size());
}

}  // namespace redraft::store
