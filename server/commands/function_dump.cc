#include "server/commands/function_dump.h"

#include <cstdint>

#include "server/commands/rdb/reader.h"
#include "server/commands/rdb/values.h"

namespace redraft::commands {

namespace {

constexpr std::uint8_t kFunctionOpcode = 245;
constexpr std::uint8_t kOldFunctionOpcode = 246;  // of a release candidate

}  // namespace

std::string dump_functions(std::span<const std::string_view> codes) {
  std::string payload;
  for (const std::string_view code : codes) {
    payload.push_back(static_cast<char>(kFunctionOpcode));
    rdb::put_string(payload, code);
  }
  rdb::seal_payload(payload, rdb::kVersionWritten);
  return payload;
}

bool read_function_dump(std::string_view payload, std::vector<std::string>& codes, std::string& error) {
  const Result<std::string_view> opened = rdb::open_payload(payload);
  if (!opened) {
    error = "DUMP payload version or checksum are wrong";
    return false;
  }
  rdb::Reader reader(*opened);
  std::string scratch;
  while (!reader.at_end()) {
    const std::uint8_t opcode = reader.byte();
    error = opcode == kOldFunctionOpcode ? "Pre-GA function format not supported" : "given type is not a function";
    if (opcode != kFunctionOpcode) return false;
    codes.emplace_back(reader.string(scratch));
    error = "failed loading the given functions payload";
    if (!reader.ok()) return false;
  }
  error.clear();
  return true;
}

}  // namespace redraft::commands
