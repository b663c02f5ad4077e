#include "server/commands/scan.h"

#include <optional>
#include <string>
#include <string_view>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/containers.h"
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

namespace {

// SSCAN, HSCAN and ZSCAN: `visit(page, options)` makes what the container's scan calls for each element.
template <class Container, class Visit>
void scan_container(Context& context, Visit visit) {
  const std::optional<std::uint64_t> cursor = cursor_argument(context, 2);
  if (!cursor) return;
  const Container* container = nullptr;
  if (!find_for_read(context, context.argument(1), container)) return;
  Page page(context);
  // As in Redis, options are not looked at when there is nothing to scan.
  if (container == nullptr) return page.answer(0);
  const std::optional<ScanOptions> options = parse_scan_options(context, 3, false);
  if (!options) return;
  page.answer(*cursor < kCursorEnd ? container->scan(*cursor, options->count, visit(page, *options)) : 0);
}

}  // namespace

void sscan(Context& context) {
  scan_container<store::Set>(context, [](Page& page, const ScanOptions& options) {
    return [&](std::string_view member) {
      if (options.matches(member)) page.add(member);
    };
  });
}

void hscan(Context& context) {
  scan_container<store::Hash>(context, [](Page& page, const ScanOptions& options) {
    return [&](std::string_view field, std::string_view value) {
      if (!options.matches(field)) return;
      page.add(field);
      page.add(value);
    };
  });
}

// Scores as text in both protocols.
void zscan(Context& context) {
  scan_container<store::SortedSet>(context, [](Page& page, const ScanOptions& options) {
    return [&](std::string_view member, double score) {
      if (!options.matches(member)) return;
      page.add(member);
      char text[resp::kDoubleTextMax];
      page.add({text, resp::format_double(score, text)});
    };
  });
}

}  // namespace redraft::commands
