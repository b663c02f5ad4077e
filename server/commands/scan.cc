#include "server/commands/scan.h"

#include <optional>
#include <string>
#include <string_view>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/scan_options.h"

namespace redraft::commands {

namespace {

// Cursors stay below 2^53, since JavaScript clients read them as numbers; a larger one names no place.
constexpr std::uint64_t kCursorEnd = std::uint64_t{1} << 53;

// The reply [cursor, [element ...]], with the cursor known only after the elements.
class Page {
 public:
  explicit Page(Context& context) : context_(context), elements_(text_, context.reply.protocol()) {}
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  void add(std::string_view element) {
    elements_.bulk(element);
    ++count_;
  }
  void answer(std::uint64_t cursor) {
    context_.reply.array(2);
    context_.reply.bulk_integer(static_cast<std::int64_t>(cursor));
    context_.reply.array(count_);
    context_.reply.raw(text_);
  }

 private:
  Context& context_;
  std::string text_;
  resp::Writer elements_;
  std::size_t count_ = 0;
};

}  // namespace

void scan(Context& context) {
  const std::optional<std::uint64_t> cursor = cursor_argument(context, 1);
  if (!cursor) return;
  const std::optional<ScanOptions> options = parse_scan_options(context, 2, true);
  if (!options) return;
  Page page(context);
  std::uint64_t next = 0;
  if (*cursor < kCursorEnd) {
    next = context.store.scan(context.db, *cursor, options->count, [&](const store::Key& key) {
      if (options->type && !equals_ignoring_case(*options->type, store::type_name(key.type()))) return;
      if (options->matches(key.name())) page.add(key.name());
    });
  }
  page.answer(next);
}

void sscan(Context& context) {
  const std::optional<std::uint64_t> cursor = cursor_argument(context, 2);
  if (!cursor) return;
  const store::Set* set = nullptr;
  if (!find_for_read(context, context.argument(1), set)) return;
  Page page(context);
  // As in Redis, options are not looked at when there is nothing to scan.
  if (set == nullptr) return page.answer(0);
  const std::optional<ScanOptions> options = parse_scan_options(context, 3, false);
  if (!options) return;
  std::uint64_t next = 0;
  if (*cursor < kCursorEnd) {
    next = set->scan(*cursor, options->count, [&](std::string_view member) {
      if (options->matches(member)) page.add(member);
    });
  }
  page.answer(next);
}

}  // namespace redraft::commands
