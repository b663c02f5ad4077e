#include "server/store/part.h"

#include "base/varint.h"

namespace redraft::store {

void put_number(std::string& to, std::uint64_t value) {
  char bytes[kVarintMax];
  to.append(bytes, static_cast<std::size_t>(put_varint(bytes, value) - bytes));
}

void put_bytes(std::string& to, std::string_view bytes) {
  put_number(to, bytes.size());
  to.append(bytes);
}

bool take_number(std::string_view& from, std::uint64_t& value) {
  return take_varint(from, value);
}

bool take_bytes(std::string_view& from, std::string_view& bytes) {
  std::uint64_t size = 0;
  if (!take_number(from, size) || size > from.size()) return false;
  bytes = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

}  // namespace redraft::store
