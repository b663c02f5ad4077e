#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/shared_bytes.h"
#include "server/commands/command_id.h"

namespace redraft::replica {

// What a command entry of the log says; bytes in docs/entry-payload.md. Encoded once, on the leader, straight from the
// client's input; every node applies from views of that same buffer.

// No entry's payload is larger; a larger command travels as fragments.
inline constexpr std::size_t kPayloadMax = std::size_t{1} << 20;

struct PayloadHeader {
  std::uint8_t feature_level = 1;  // switches changes of apply's behaviour on
  std::uint64_t clock_ms = 0;      // the leader's logical clock
  std::uint64_t seed = 0;          // of all randomness in the entry
  std::uint64_t node = 0;          // where its commands came in
};

struct CommandHeader {
  commands::CommandId id = commands::CommandId::kNone;
  std::uint64_t connection = 0;
  std::uint64_t number = 0;
  std::uint32_t db = 0;
  std::uint32_t user = 0;     // 0 is "default"
  std::uint64_t session = 0;  // reserved for exactly-once retries, with `sequence`
  std::uint64_t sequence = 0;
};

// One encoded command; also what a transaction queues.
[[nodiscard]] std::size_t encoded_size(const CommandHeader& header, std::span<const std::string_view> arguments);
// Writes exactly encoded_size bytes and returns the end.
char* encode_command(char* to, const CommandHeader& header, std::span<const std::string_view> arguments);
// The same piece by piece: everything before the arguments, and the size in front of one.
void append_command_start(std::string& to, const CommandHeader& header, std::size_t count);
void append_size(std::string& to, std::size_t size);
void append_command(std::string& to, const CommandHeader& header, std::span<const std::string_view> arguments);

// The open batch: commands gather until it is closed as one entry.
class PayloadWriter {
 public:
  PayloadWriter();

  void add(const CommandHeader& header, std::span<const std::string_view> arguments);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // Fills in the header and hands the buffer out; the writer starts anew.
  [[nodiscard]] SharedBytes finish(const PayloadHeader& header);

 private:
  void begin();

  SharedBytesBuilder buffer_;
  std::uint32_t count_ = 0;
  std::size_t last_size_ = 0;  // the next buffer is reserved for a batch like the last
};

// Reads commands one after the other. Every length is checked against what is left, so garbage ends with an error.
class CommandReader {
 public:
  explicit CommandReader(std::string_view bytes) : rest_(bytes) {}
  // False at the end or at the first malformed command; `malformed` tells which.
  [[nodiscard]] bool next(CommandHeader& header, std::vector<std::string_view>& arguments);
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  std::string_view rest_;
  bool malformed_ = false;
};

struct Payload {
  PayloadHeader header;
  std::string_view commands;  // for CommandReader
};
[[nodiscard]] Result<Payload> read_payload(std::string_view bytes);

}  // namespace redraft::replica
