#pragma once

#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"

namespace redraft::net {

// The configuration file as CONFIG REWRITE needs it: replaced as a whole or not at all, also when power fails. Errors
// are Redis's "ERR Rewriting config file: ..." for the client.
[[nodiscard]] Status write_config_file(FileSystem& files, const std::string& path, const std::string& text);
[[nodiscard]] std::optional<std::string> read_config_file(FileSystem& files, const std::string& path);

}  // namespace redraft::net
