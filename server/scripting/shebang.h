#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::scripting {

// The first line of code, "#!lua flags=no-writes" of a script or "#!lua name=lib" of a library.
struct Shebang {
  std::string_view body;    // without that line, but with its line end, so that lines keep their numbers
  std::uint32_t flags = 0;  // script_flags.h; kCompatible without a shebang
  std::string_view engine;
  std::string_view name;
};

// False with Redis's message.
[[nodiscard]] bool read_script_shebang(std::string_view code, Shebang& shebang, std::string& error);
[[nodiscard]] bool read_library_shebang(std::string_view code, Shebang& shebang, std::string& error);

}  // namespace redraft::scripting
