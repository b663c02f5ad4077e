#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/replica/settings.h"

namespace redraft::replica {

// A line as redis.conf and inline commands are quoted: words between white space, "..." with \n \r \t \b \a \xHH, '...'
// with \' only. Nothing when a quote is not closed or not followed by space.
[[nodiscard]] std::optional<std::vector<std::string>> split_quoted(std::string_view line);
// The word in double quotes, such that split_quoted gives it back.
[[nodiscard]] std::string quoted(std::string_view word);

// Reads redis.conf text into a Settings (redis.io/docs/management/config-file).
class SettingsFile {
 public:
  SettingsFile(Settings& settings, std::vector<std::string>& warnings) : settings_(settings), warnings_(warnings) {}

  [[nodiscard]] Status load_text(std::string_view text);
  // A path, with wildcards as in `include`; Redis's "Fatal error, can't open config file".
  [[nodiscard]] Status load_files(const std::string& pattern);
  [[nodiscard]] static Result<std::string> read(const std::string& path);

  // What holds between directives once all are read.
  [[nodiscard]] Status finish();

 private:
  // Empty: fine. Otherwise the message under the line.
  [[nodiscard]] std::string apply(const std::vector<std::string>& words, std::size_t line, std::optional<Error>& fatal);

  Settings& settings_;
  std::vector<std::string>& warnings_;
  std::set<std::string, std::less<>> seen_;
  int depth_ = 0;
};

}  // namespace redraft::replica
