#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/store/object.h"

namespace redraft::store {

// A key and what belongs to it, in one block of memory: flags, deadline where it has one, the key's bytes, then an
// integer, a short string's bytes, or a pointer to the object. 8 + 16 + 4 + 100 bytes for a 16-byte key with a 100-byte
// value.
class Key {
 public:
  // Longer strings live in a LongString.
  static constexpr std::size_t kInlineMax = 4096;  // a leaf of 32 keys is copied at once

  [[nodiscard]] std::string_view name() const { return {rest() + deadline_size(), name_size_}; }
  [[nodiscard]] Type type() const;
  [[nodiscard]] std::string_view encoding() const;
  [[nodiscard]] std::uint64_t deadline_ms() const;  // 0: none
  [[nodiscard]] bool has_deadline() const { return (flags_ & kHasDeadline) != 0; }

  [[nodiscard]] bool is_string() const { return type() == Type::kString; }
  [[nodiscard]] bool is_integer() const { return kind() == Kind::kInteger; }
  [[nodiscard]] std::int64_t integer() const;
  // A short string's bytes. Only if is_inline().
  [[nodiscard]] bool is_inline() const { return kind() == Kind::kInline; }
  [[nodiscard]] std::string_view inline_bytes() const;
  // Everything else. nullptr for integers and short strings.
  [[nodiscard]] Object* object() const;

  // The string's bytes, whatever its form; in `scratch` where they do not lie in one piece. Only if is_string().
  [[nodiscard]] std::string_view string(std::string& scratch) const;
  [[nodiscard]] std::size_t string_size() const;

  // Node-local access data of 24 bits, see AccessClock: outside digest and snapshot.
  [[nodiscard]] std::uint32_t access() const { return access_low_ | std::uint32_t{access_high_} << 16; }
  void set_access(std::uint32_t access) const {
    access_low_ = static_cast<std::uint16_t>(access);
    access_high_ = static_cast<std::uint8_t>(access >> 16);
  }

  [[nodiscard]] std::size_t memory() const;  // bytes of the block and, roughly, of its place in the table

 private:
  friend class KeyBlock;
  friend class Store;
  friend class Restorer;
  enum class Kind : std::uint8_t { kInline = 0, kInteger = 1, kObject = 2 };
  static constexpr std::uint8_t kHasDeadline = 1;
  static constexpr std::uint8_t kRaw = 2;  // changed in place once: Redis shows "raw" for it however short
  static constexpr int kKindShift = 4;

  [[nodiscard]] const char* rest() const { return reinterpret_cast<const char*>(this + 1); }
  [[nodiscard]] char* rest() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::size_t deadline_size() const { return has_deadline() ? 8 : 0; }
  [[nodiscard]] const char* value() const { return rest() + deadline_size() + name_size_; }
  [[nodiscard]] std::size_t value_size() const;
  [[nodiscard]] Kind kind() const { return static_cast<Kind>(flags_ >> kKindShift); }

  std::uint8_t flags_;  // and the kind above them
  mutable std::uint8_t access_high_;
  mutable std::uint16_t access_low_;
  std::uint32_t name_size_;
};

// Makes and takes apart Keys. A changed value or deadline makes a new block; the object moves along.
class KeyBlock {
 public:
  struct Value {
    std::string_view bytes;    // kInline
    std::int64_t integer = 0;  // kInteger
    Object* object = nullptr;  // kObject, owned by the block from here on
    Key::Kind kind = Key::Kind::kInline;
    bool raw = false;
  };
  [[nodiscard]] static Value inline_value(std::string_view bytes, bool raw = false);
  [[nodiscard]] static Value integer_value(std::int64_t value);
  [[nodiscard]] static Value object_value(Object* object);
  [[nodiscard]] static Value value_of(const Key& key);
  [[nodiscard]] static Key* make(std::string_view name, const Value& value, std::uint64_t deadline_ms,
                                 std::uint32_t access);
  // The object is not touched.
  static void free(Key* key);
  // In place; the key has a deadline already.
  static void set_deadline(Key& key, std::uint64_t deadline_ms);
  static void set_integer(Key& key, std::int64_t value);
  static void set_inline(Key& key, std::string_view bytes);  // of the present size
};

}  // namespace redraft::store
