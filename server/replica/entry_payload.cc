#include "server/replica/entry_payload.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/little_endian.h"
#include "base/varint.h"

namespace redraft::replica {
namespace {

constexpr char kPayloadVersion = 1;
// version, feature level, clock, seed, node
constexpr std::size_t kHeaderSize = 2 + 8 + 8 + 8;

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
  char bytes[8 * kVarintMax];
  to.append(bytes, static_cast<std::size_t>(put_start(bytes, header, count) - bytes));
}

void append_size(std::string& to, std::size_t size) {
  char bytes[kVarintMax];
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
  store_little(to, header.clock_ms);
  store_little(to + 8, header.seed);
  store_little(to + 16, header.node);
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
  payload.header.clock_ms = load_little<std::uint64_t>(bytes.data() + 2);
  payload.header.seed = load_little<std::uint64_t>(bytes.data() + 10);
  payload.header.node = load_little<std::uint64_t>(bytes.data() + 18);
  payload.commands = bytes.substr(kHeaderSize);
  return payload;
}

}  // namespace redraft::replica
