// Any text as a configuration file: an error with Redis's words, or settings whose texts stay the same where they are
// accepted again (some depend on others and are not). Lines with `include` and other names of files are left out: the
// fuzzer reads nobody's disk.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "server/replica/settings.h"
#include "server/replica/settings_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using redraft::replica::Settings;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view name : {"include", "loadmodule", "aclfile"}) {
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower.find(name) != std::string::npos) return 0;
  }
  std::vector<std::string> warnings;
  redraft::Result<Settings> settings = Settings::from_text(text, warnings);
  if (!settings) {
    redraft::ensure(!settings.error().message.empty(), "an error has a text");
  } else {
    std::map<std::string, std::string> all;
    settings->match("*", all);
    for (const auto& [name, value] : all) {
      const redraft::Result<std::string> again = settings->canonical_form(name, value);
      redraft::ensure(!again.ok() || *again == value, "a canonical text is its own canonical text");
    }
  }
  // Quoting: whatever the word, it comes back.
  const std::string line = redraft::replica::quoted(text);
  const auto words = redraft::replica::split_quoted(line);
  redraft::ensure(words && words->size() == 1 && words->front() == text, "a quoted word is read back");
  static_cast<void>(redraft::replica::split_quoted(text));
  return 0;
}
