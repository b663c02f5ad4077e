#include <algorithm>
#include <limits>
#include <optional>

#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/longest_common_subsequence.h"
#include "server/commands/string_text.h"
#include "server/commands/strings.h"

namespace redraft::commands {

namespace {

struct LcsOptions {
  bool indexes = false;
  bool length_only = false;
  bool with_match_length = false;
  std::int64_t match_length_min = 0;
};

std::optional<LcsOptions> parse_lcs_options(Context& context) {
  LcsOptions options;
  for (std::size_t i = 3; i < context.argument_count(); ++i) {
    if (option_is(context, i, "idx")) {
      options.indexes = true;
    } else if (option_is(context, i, "len")) {
      options.length_only = true;
    } else if (option_is(context, i, "withmatchlen")) {
      options.with_match_length = true;
    } else if (option_is(context, i, "minmatchlen") && i + 1 < context.argument_count()) {
      const std::optional<std::int64_t> length = integer_argument(context, ++i);
      if (!length) return std::nullopt;
      options.match_length_min = std::max<std::int64_t>(*length, 0);
    } else {
      answer_syntax_error(context);
      return std::nullopt;
    }
  }
  if (options.indexes && options.length_only) {
    context.reply.error("ERR If you want both the length and indexes, please just use IDX.");
    return std::nullopt;
  }
  return options;
}

void answer_indexes(Context& context, const LongestCommonSubsequence& common, const LcsOptions& options) {
  resp::Writer& reply = context.reply;
  reply.map(2);
  reply.bulk("matches");
  const resp::Writer::Deferred whole = reply.defer();
  std::size_t count = 0;
  for (const LongestCommonSubsequence::Match& match : common.matches()) {
    if (match.length() < options.match_length_min) continue;
    reply.array(options.with_match_length ? 3 : 2);
    reply.array(2);
    reply.integer(match.a_first);
    reply.integer(match.a_last);
    reply.array(2);
    reply.integer(match.b_first);
    reply.integer(match.b_last);
    if (options.with_match_length) reply.integer(match.length());
    ++count;
  }
  reply.end_array(whole, count);
  reply.bulk("len");
  reply.integer(common.length());
}

}  // namespace

void lcs(Context& context) {
  StringText a;
  StringText b;
  if (!a.find(context, context.argument(1)) || !b.find(context, context.argument(2))) {
    return context.reply.error("ERR The specified keys must contain string values");
  }
  const std::optional<LcsOptions> options = parse_lcs_options(context);
  if (!options) return;
  constexpr std::size_t kSizeMax = std::numeric_limits<std::uint32_t>::max() - 1;
  if (a.size() >= kSizeMax || b.size() >= kSizeMax) return context.reply.error("ERR String too long for LCS");
  const std::uint64_t limit = string_size_max(context);
  if (LongestCommonSubsequence::table_bytes(a.view(), b.view()) > limit) {
    return context.reply.error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  const LongestCommonSubsequence common(a.view(), b.view(), context.breather);
  if (options->indexes) return answer_indexes(context, common, *options);
  options->length_only ? context.reply.integer(common.length()) : context.reply.bulk(common.text());
}

}  // namespace redraft::commands
