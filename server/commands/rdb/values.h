#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/commands/rdb/reader.h"
#include "server/store/breather.h"
#include "server/store/store.h"

namespace redraft::rdb {

// Values of keys in RDB's forms (redis/redis:src/rdb.c), as DUMP shows and RESTORE takes them.

// A value that no key has yet: a string, or else an object of the store it was made for.
struct Loaded {
  std::string string;
  std::unique_ptr<store::Object> object;
};

// Reads one value of a type. Whatever the bytes are, they lead to a whole value or to an error, and to no more memory
// than some multiple of theirs. Elements that are there twice, scores that are no numbers and empty containers are
// errors.
[[nodiscard]] Result<Loaded> load_value(store::Store& store, std::uint8_t type, Reader& from,
                                        store::Breather& breather);

// Appends the type's byte and the value, in the oldest form that keeps all of it; returns the version of the format
// that knows this form.
[[nodiscard]] std::uint16_t save_value(const store::Key& key, std::string& to, store::Breather& breather);

// RDB's length and string, for FUNCTION DUMP too.
void put_length(std::string& to, std::uint64_t length);
void put_string(std::string& to, std::string_view bytes);

// DUMP's frame: version and checksum behind the bytes. `open_payload` gives the bytes in front of them, or kCorrupt.
void seal_payload(std::string& payload, std::uint16_t version);
[[nodiscard]] Result<std::string_view> open_payload(std::string_view payload);

}  // namespace redraft::rdb
