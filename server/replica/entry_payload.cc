#include "server/replica/entry_payload.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace redraft::replica {
namespace {

constexpr char kPayloadVersion = 1;
// version, feature level, clock, seed, node
constexpr std::size_t kHeaderSize = 2 + 8 + 8 + 8;

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

char* put_varint(char* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

bool take_varint(std::string_view& from, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < from.size() && i < 10; ++i) {
    const auto byte = static_cast<std::uint8_t>(from[i]);
    if (i == 9 && byte > 1) return false;  // more than 64 bits
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

char* put_u64(char* to, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) *to++ = static_cast<char>(value >> (8 * i));
  return to;
}

std::uint64_t get_u64(const char* from) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(from[i])) << (8 * i);
  return value;
}

}  // namespace

std::size_t encoded_size(const CommandHeader& header, std::span<const std::string_view> arguments) {
  std::size_t size = varint_size(static_cast<std::uint64_t>(header.id)) + varint_size(header.connection) +
                     varint_size(header.number) + varint_size(header.db) + varint_size(header.user) +
                     varint_size(header.session) + varint_size(header.sequence) + varint_size(arguments.size());
  for (const std::string_view argument : arguments) size += varint_size(argument.size()) + argument.size();
  return size;
}

namespace {

char* put_start(char* to, const CommandHeader& header, std::size_t count) {
  to = put_varint(to, static_cast<std::uint64_t>(header.id));
  to = put_varint(to, header.connection);
  to = put_varint(to, header.number);
  to = put_varint(to, header.db);
  to = put_varint(to, header.user);
  to = put_varint(to, header.session);
  to = put_varint(to, header.sequence);
  return put_varint(to, count);
}

}  // namespace

char* encode_command(char* to, const CommandHeader& header, std::span<const std::string_view> arguments) {
  to = put_start(to, header, arguments.size());
  for (const std::string_view argument : arguments) {
    to = put_varint(to, argument.size());
    if (!argument.empty()) std::memcpy(to, argument.data(), argument.size());
    to += argument.size();
  }
  return to;
}

void append_command_start(std::string& to, const CommandHeader& header, std::size_t count) {
  char bytes[8 * 10];
  to.append(bytes, static_cast<std::size_t>(put_start(bytes, header, count) - bytes));
}

void append_size(std::string& to, std::size_t size) {
  char bytes[10];
  to.append(bytes, static_cast<std::size_t>(put_varint(bytes, size) - bytes));
}

void append_command(std::string& to, const CommandHeader& header, std::span<const std::string_view> arguments) {
  const std::size_t begin = to.size();
  to.resize(begin + encoded_size(header, arguments));
  encode_command(to.data() + begin, header, arguments);
}

PayloadWriter::PayloadWriter() : buffer_(0) {}

void PayloadWriter::begin() {
  buffer_ = SharedBytesBuilder(std::max<std::size_t>(last_size_ + last_size_ / 4, 512));
  // Filled in by `finish`, when clock and seed are known.
  std::memset(buffer_.extend(kHeaderSize), 0, kHeaderSize);
}

void PayloadWriter::add(const CommandHeader& header, std::span<const std::string_view> arguments) {
  if (buffer_.empty()) begin();
  const std::size_t size = encoded_size(header, arguments);
  char* const to = buffer_.extend(size);
  char* const end = encode_command(to, header, arguments);
  ensure(end == to + size, "a command takes exactly the bytes that were reserved for it");
  ++count_;
}

std::size_t PayloadWriter::size() const {
  return buffer_.empty() ? kHeaderSize : buffer_.size();
}

SharedBytes PayloadWriter::finish(const PayloadHeader& header) {
  if (buffer_.empty()) begin();
  char* to = buffer_.data();
  *to++ = kPayloadVersion;
  *to++ = static_cast<char>(header.feature_level);
  to = put_u64(to, header.clock_ms);
  to = put_u64(to, header.seed);
  put_u64(to, header.node);
  last_size_ = buffer_.size();
  count_ = 0;
  return buffer_.finish();
}

bool CommandReader::next(CommandHeader& header, std::vector<std::string_view>& arguments) {
  arguments.clear();
  if (rest_.empty() || malformed_) return false;
  std::uint64_t id = 0;
  std::uint64_t db = 0;
  std::uint64_t user = 0;
  std::uint64_t count = 0;
  malformed_ = true;  // until all of it is read
  if (!take_varint(rest_, id) || id > 0xffff || !take_varint(rest_, header.connection) ||
      !take_varint(rest_, header.number) || !take_varint(rest_, db) || db > 0xffffffff || !take_varint(rest_, user) ||
      user > 0xffffffff || !take_varint(rest_, header.session) || !take_varint(rest_, header.sequence) ||
      !take_varint(rest_, count) || count > rest_.size()) {
    return false;
  }
  header.id = static_cast<commands::CommandId>(id);
  header.db = static_cast<std::uint32_t>(db);
  header.user = static_cast<std::uint32_t>(user);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t size = 0;
    if (!take_varint(rest_, size) || size > rest_.size()) return false;
    arguments.push_back(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  malformed_ = false;
  return true;
}

Result<Payload> read_payload(std::string_view bytes) {
  if (bytes.size() < kHeaderSize) return Error{ErrorCode::kCorrupt, "an entry's payload is shorter than its header"};
  if (bytes[0] != kPayloadVersion) return Error{ErrorCode::kUnsupported, "an entry's payload has an unknown version"};
  Payload payload;
  payload.header.feature_level = static_cast<std::uint8_t>(bytes[1]);
  payload.header.clock_ms = get_u64(bytes.data() + 2);
  payload.header.seed = get_u64(bytes.data() + 10);
  payload.header.node = get_u64(bytes.data() + 18);
  payload.commands = bytes.substr(kHeaderSize);
  return payload;
}

}  // namespace redraft::replica
