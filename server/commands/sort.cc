#include "server/commands/sort.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resp/number.h"
#include "server/commands/arguments.h"
#include "server/commands/keyspace.h"
#include "server/commands/string_text.h"

// SORT and SORT_RO (redis.io/commands/sort). Ties are broken by the elements' bytes, or keep the container's order, so
// that a stored result is the same on every node; bytes compare as bytes, never by a locale (pitfall G1).

namespace redraft::commands {

namespace {

struct SortOptions {
  bool descending = false;
  bool by_text = false;
  std::optional<std::string_view> by;
  std::vector<std::string_view> get;
  std::optional<std::string_view> store;
  std::int64_t offset = 0;
  std::int64_t count = -1;

  // BY a pattern without a star asks for no sorting at all.
  [[nodiscard]] bool sorts() const { return !by || by->find('*') != std::string_view::npos; }
};

bool take_limit(Context& context, std::size_t i, SortOptions& options) {
  const std::optional<std::int64_t> offset = integer_argument(context, i + 1);
  if (!offset) return false;
  const std::optional<std::int64_t> count = integer_argument(context, i + 2);
  if (!count) return false;
  options.offset = *offset;
  options.count = *count;
  return true;
}

std::optional<SortOptions> parse_sort_options(Context& context, bool readonly) {
  SortOptions options;
  for (std::size_t i = 2; i < context.argument_count(); ++i) {
    const std::size_t left = context.argument_count() - i - 1;
    if (option_is(context, i, "asc")) {
      options.descending = false;
    } else if (option_is(context, i, "desc")) {
      options.descending = true;
    } else if (option_is(context, i, "alpha")) {
      options.by_text = true;
    } else if (option_is(context, i, "limit") && left >= 2) {
      if (!take_limit(context, i, options)) return std::nullopt;
      i += 2;
    } else if (option_is(context, i, "store") && left >= 1 && !readonly) {
      options.store = context.argument(++i);
    } else if (option_is(context, i, "by") && left >= 1) {
      options.by = context.argument(++i);
    } else if (option_is(context, i, "get") && left >= 1) {
      options.get.push_back(context.argument(++i));
    } else {
      answer_syntax_error(context);
      return std::nullopt;
    }
  }
  return options;
}

struct Item {
  std::string element;
  double score = 0;
  std::optional<std::string> text;  // what BY found, for ALPHA
};

std::optional<std::string> field_of(Context& context, std::string_view key, std::string_view field) {
  const store::Key* found = context.store.find(context.db, key);
  if (found == nullptr || found->type() != store::Type::kHash) return std::nullopt;
  store::NumberText scratch;
  const std::optional<std::string_view> value = static_cast<const store::Hash*>(found->object())->get(field, scratch);
  if (!value) return std::nullopt;
  return std::string(*value);
}

// What a BY or GET pattern says of an element: "#" is the element, otherwise the string at the key made by putting it
// in place of the first star. "->field" asks for a field of a hash.
std::optional<std::string> look_up(Context& context, std::string_view pattern, std::string_view element) {
  if (pattern == "#") return std::string(element);
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return std::nullopt;
  const std::size_t arrow = pattern.find("->", star + 1);
  std::string_view behind = pattern.substr(star + 1);
  bool in_hash = false;
  if (arrow != std::string_view::npos && arrow + 2 < pattern.size()) {
    behind = pattern.substr(star + 1, arrow - star - 1);
    in_hash = true;
  }
  std::string key(pattern.substr(0, star));
  key += element;
  key += behind;
  // A key of another type counts as absent.
  if (in_hash) return field_of(context, key, pattern.substr(arrow + 2));
  StringText text;
  if (!text.find(context, key) || !text.present()) return std::nullopt;
  return std::string(text.view());
}

// As strtod reads a C string: it ends at the first NUL, space in front is forgiven, and nothing at all is zero.
std::optional<double> score_of(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  const std::size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  if (begin == std::string_view::npos) return text.empty() ? std::optional<double>(0) : std::nullopt;
  return resp::parse_double(text.substr(begin));
}

bool load_keys(Context& context, const SortOptions& options, std::vector<Item>& items) {
  Breaths breaths(context);
  for (Item& item : items) {
    breaths.step();
    if (options.by_text) {
      if (options.by) item.text = look_up(context, *options.by, item.element);
      continue;
    }
    const std::optional<std::string> found = options.by ? look_up(context, *options.by, item.element) : item.element;
    if (!found) continue;
    const std::optional<double> score = score_of(*found);
    if (!score) return false;
    item.score = *score;
  }
  return true;
}

int compare(const SortOptions& options, const Item& a, const Item& b) {
  if (!options.by_text) {
    if (a.score != b.score) return a.score < b.score ? -1 : 1;
    return a.element.compare(b.element);
  }
  if (!options.by) return a.element.compare(b.element);
  if (!a.text || !b.text) return static_cast<int>(a.text.has_value()) - static_cast<int>(b.text.has_value());
  return a.text->compare(*b.text);
}

void sort_items(Context& context, const SortOptions& options, std::vector<Item>& items) {
  Breaths breaths(context);
  std::stable_sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    breaths.step();
    const int order = compare(options, a, b);
    return options.descending ? order > 0 : order < 0;
  });
}

void limit_items(const SortOptions& options, std::vector<Item>& items) {
  const auto size = static_cast<std::int64_t>(items.size());
  const std::int64_t offset = std::clamp<std::int64_t>(options.offset, 0, size);
  const std::int64_t count = options.count < 0 ? size - offset : std::min(options.count, size - offset);
  items.erase(items.begin() + offset + count, items.end());
  items.erase(items.begin(), items.begin() + offset);
}

void answer_items(Context& context, const SortOptions& options, const std::vector<Item>& items) {
  Breaths breaths(context);
  context.reply.array(items.size() * std::max<std::size_t>(options.get.size(), 1));
  for (const Item& item : items) {
    breaths.step();
    if (options.get.empty()) context.reply.bulk(item.element);
    for (const std::string_view pattern : options.get) {
      const std::optional<std::string> found = look_up(context, pattern, item.element);
      found ? context.reply.bulk(*found) : context.reply.null();
    }
  }
}

void store_items(Context& context, const SortOptions& options, const std::vector<Item>& items) {
  const std::string_view key = *options.store;
  if (items.empty()) {
    delete_key(context, key);
    return context.reply.integer(0);
  }
  std::vector<std::string> result;
  result.reserve(items.size() * std::max<std::size_t>(options.get.size(), 1));
  Breaths breaths(context);
  for (const Item& item : items) {
    breaths.step();
    if (options.get.empty()) result.push_back(item.element);
    for (const std::string_view pattern : options.get) {
      result.push_back(look_up(context, pattern, item.element).value_or(std::string()));
    }
  }
  store_list(context, key, result);
  changed(context, key);
  context.notify(Event::kList, "sortstore", key);
  context.reply.integer(static_cast<std::int64_t>(result.size()));
}

// The elements in the container's own order. False after WRONGTYPE.
bool load_items(Context& context, const store::Key* key, std::vector<Item>& items) {
  if (key == nullptr) return true;
  Breaths breaths(context);
  const auto add = [&](std::string_view element) {
    items.push_back({std::string(element), 0, std::nullopt});
    breaths.step();
    return true;
  };
  switch (key->type()) {
    case store::Type::kList:
      scan_elements(static_cast<const store::List&>(*key->object()), false,
                    [&](std::size_t, std::string_view element) { return add(element); });
      return true;
    case store::Type::kSet:
      for_each_member(static_cast<const store::Set&>(*key->object()), add);
      return true;
    case store::Type::kSortedSet:
      static_cast<const store::SortedSet&>(*key->object()).for_each([&](std::string_view member, double) {
        add(member);
      });
      return true;
    default:
      context.reply.error(kWrongType);
      return false;
  }
}

void sort_key(Context& context, bool readonly) {
  std::optional<SortOptions> options = parse_sort_options(context, readonly);
  if (!options) return;
  const store::Key* const key = context.store.find(context.db, context.argument(1));
  std::vector<Item> items;
  if (!load_items(context, key, items)) return;
  // As in Redis: a set has no order of its own to keep, so a stored result is sorted by text.
  if (key != nullptr && key->type() == store::Type::kSet && !options->sorts() && options->store) {
    options->by.reset();
    options->by_text = true;
  }
  if (options->sorts()) {
    if (!load_keys(context, *options, items)) {
      return context.reply.error("ERR One or more scores can't be converted into double");
    }
    sort_items(context, *options, items);
  } else if (options->descending) {
    std::reverse(items.begin(), items.end());
  }
  limit_items(*options, items);
  options->store ? store_items(context, *options, items) : answer_items(context, *options, items);
}

}  // namespace

void sort(Context& context) {
  sort_key(context, false);
}

void sort_ro(Context& context) {
  sort_key(context, true);
}

}  // namespace redraft::commands
