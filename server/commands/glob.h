#pragma once

#include <string_view>

namespace redraft::commands {

// Whether `text` matches a glob-style pattern as KEYS, SCAN MATCH and PSUBSCRIBE know it (redis.io/commands/keys): `*`,
// `?`, `[a-c]`, `[^a]`, and `\` before a character that means itself. Works on bytes; never allocates. A pattern with
// many stars costs time proportional to its length times the text's, not exponential in the stars (CVE-2022-36021).
// As in Redis an empty text matches only an empty pattern; callers for whom `*` means everything say so themselves.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace redraft::commands
