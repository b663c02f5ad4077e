#include "server/scripting/shebang.h"

#include <vector>

#include "server/scripting/script_flags.h"

namespace redraft::scripting {

namespace {

// At single separators, so that two in a row make an empty part, as Redis splits.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool refuse(std::string& error, std::string_view text, std::string_view what = {}) {
  error.assign(text).append(what);
  return false;
}

}  // namespace

bool read_script_shebang(std::string_view code, Shebang& shebang, std::string& error) {
  shebang = {};
  shebang.body = code;
  shebang.flags = kCompatible;
  if (!code.starts_with("#!")) return true;
  const std::size_t end = code.find('\n');
  if (end == std::string_view::npos) return refuse(error, "Invalid script shebang");
  const std::vector<std::string_view> parts = split(code.substr(0, end), ' ');
  if (parts[0] != "#!lua") return refuse(error, "Unexpected engine in script shebang: ", parts[0]);
  shebang.body = code.substr(end);
  shebang.flags = 0;
  shebang.engine = "lua";
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!parts[i].starts_with("flags=")) return refuse(error, "Unknown lua shebang option: ", parts[i]);
    const std::string_view flags = parts[i].substr(6);
    if (flags.empty()) continue;
    for (const std::string_view name : split(flags, ',')) {
      const std::uint32_t flag = script_flag(name);
      if (flag == 0) return refuse(error, "Unexpected flag in script shebang: ", name);
      shebang.flags |= flag;
    }
  }
  return true;
}

bool read_library_shebang(std::string_view code, Shebang& shebang, std::string& error) {
  shebang = {};
  if (!code.starts_with("#!")) return refuse(error, "Missing library metadata");
  const std::size_t end = code.find('\n');
  if (end == std::string_view::npos) return refuse(error, "Invalid library metadata");
  const std::vector<std::string_view> parts = split(code.substr(0, end), ' ');
  shebang.engine = parts[0].substr(2);
  shebang.body = code.substr(end);
  bool named = false;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!parts[i].starts_with("name=")) return refuse(error, "Invalid metadata value given: ", parts[i]);
    if (named) return refuse(error, "Invalid metadata value, name argument was given multiple times");
    shebang.name = parts[i].substr(5);
    named = true;
  }
  return named ? true : refuse(error, "Library name was not given");
}

}  // namespace redraft::scripting
