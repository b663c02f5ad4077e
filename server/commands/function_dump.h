#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redraft::commands {

// FUNCTION DUMP's payload: per library the opcode and its code as a string of an RDB file, then the RDB version and a
// CRC-64 of all that (redis.io/commands/function-dump).
[[nodiscard]] std::string dump_functions(std::span<const std::string_view> codes);
// False with Redis's message.
[[nodiscard]] bool read_function_dump(std::string_view payload, std::vector<std::string>& codes, std::string& error);

}  // namespace redraft::commands
