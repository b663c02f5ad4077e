#include "server/commands/scan_options.h"

#include <algorithm>

#include "server/commands/arguments.h"
#include "server/commands/glob.h"

namespace redraft::commands {

namespace {

// One call does bounded work whatever COUNT says (redis-semantics, "Long work"): the client comes back with the cursor.
constexpr std::int64_t kCountMax = 10000;

}  // namespace

bool ScanOptions::matches(std::string_view text) const {
  return !pattern || glob_matches(*pattern, text);
}

std::optional<ScanOptions> parse_scan_options(Context& context, std::size_t first, bool knows_type) {
  ScanOptions options;
  for (std::size_t i = first; i < context.argument_count(); i += 2) {
    const bool has_value = i + 1 < context.argument_count();
    if (has_value && option_is(context, i, "count")) {
      const std::optional<std::int64_t> count = integer_argument(context, i + 1);
      if (!count) return std::nullopt;
      if (*count < 1) {
        answer_syntax_error(context);
        return std::nullopt;
      }
      options.count = static_cast<std::size_t>(std::min(*count, kCountMax));
    } else if (has_value && option_is(context, i, "match")) {
      const std::string_view pattern = context.argument(i + 1);
      options.pattern.reset();
      if (pattern != "*") options.pattern = pattern;
    } else if (has_value && knows_type && option_is(context, i, "type")) {
      options.type = context.argument(i + 1);
    } else {
      answer_syntax_error(context);
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace redraft::commands
