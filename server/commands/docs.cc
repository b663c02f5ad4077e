#include "server/commands/docs.h"

#include <algorithm>

#include "base/check.h"
#include "resp/number.h"

namespace redraft::commands {

namespace {

constexpr std::string_view kEndOfNotation = "the notation of key specifications and arguments is well formed";

// The text before `separator` (or all of it); `rest` keeps what stands behind.
std::string_view cut(std::string_view& rest, std::string_view separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + separator.size());
  return head;
}

std::int64_t number(std::string_view text) {
  const auto value = resp::parse_int64(text);
  ensure(value.has_value(), kEndOfNotation);
  return *value;
}

void read_numbers(std::string_view text, std::int64_t (&numbers)[3]) {
  for (std::int64_t& value : numbers) value = number(cut(text, ":"));
}

KeySpec read_key_spec(std::string_view text) {
  KeySpec spec;
  std::string_view rest = text;
  text = cut(rest, " !");
  spec.note = rest;
  std::vector<std::string_view> words;
  while (!text.empty()) words.push_back(cut(text, " "));
  ensure(words.size() >= 2, kEndOfNotation);

  const std::string_view find = words.back();
  words.pop_back();
  if (find.front() == '#') {
    spec.find = KeySpec::Find::kCount;
    read_numbers(find.substr(1), spec.find_numbers);
  } else if (find != "?") {
    spec.find = KeySpec::Find::kRange;
    read_numbers(find, spec.find_numbers);
  }
  std::string_view begin = words.back();
  words.pop_back();
  if (begin.front() == '@') {
    spec.begin = KeySpec::Begin::kIndex;
    spec.begin_number = number(begin.substr(1));
  } else if (begin != "?") {
    spec.begin = KeySpec::Begin::kKeyword;
    spec.keyword = cut(begin, "/");
    spec.begin_number = number(begin);
  }
  spec.flags = std::move(words);
  return spec;
}

}  // namespace

DocsEntry find_docs(CommandId id) {
  for (const auto part :
       {docs_of_bits(), docs_of_values(), docs_of_hashes(), docs_of_sorted_sets(), docs_of_keys(), docs_of_scripting(),
        docs_of_streams(), docs_of_servers(), docs_of_clusters(), docs_of_listeners()}) {
    for (const DocsGroup& group : part) {
      const auto found = std::ranges::find(group.docs, id, &CommandDocs::id);
      if (found != group.docs.end()) return {group.group, &*found};
    }
  }
  return {};
}

std::vector<KeySpec> read_key_specs(std::string_view notation) {
  std::vector<KeySpec> specs;
  while (!notation.empty()) specs.push_back(read_key_spec(cut(notation, "; ")));
  return specs;
}

bool ArgumentReader::next(Argument& argument) {
  while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  if (rest_.empty()) return false;
  argument = Argument();
  const auto take = [this](std::string_view ends) {
    const std::size_t size = std::min(rest_.find_first_of(ends), rest_.size());
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  };
  argument.name = take("?*+:");
  for (; !rest_.empty() && rest_.front() != ':'; rest_.remove_prefix(1)) {
    argument.optional = argument.optional || rest_.front() == '?';
    argument.multiple = argument.multiple || rest_.front() == '*';
    argument.multiple_token = argument.multiple_token || rest_.front() == '+';
  }
  ensure(rest_.starts_with(':'), kEndOfNotation);
  rest_.remove_prefix(1);
  argument.type = take("@=><|{ ");
  while (!rest_.empty() && rest_.front() != ' ') {
    const char kind = rest_.front();
    rest_.remove_prefix(1);
    switch (kind) {
      case '@':
        argument.key_spec = take("=><|{ ");
        break;
      case '=':
        argument.token = take("><|{ ");
        break;
      case '>':
        argument.since = take("<|{ ");
        break;
      case '<':
        argument.deprecated_since = take("|{ ");
        break;
      case '|':
        argument.display = take("{ ");
        break;
      default: {
        ensure(kind == '{', kEndOfNotation);
        std::size_t depth = 1;
        std::size_t size = 0;
        for (; size < rest_.size(); ++size) {
          if (rest_[size] == '{') ++depth;
          if (rest_[size] == '}' && --depth == 0) break;
        }
        ensure(depth == 0, kEndOfNotation);
        argument.children = rest_.substr(0, size);
        rest_.remove_prefix(size + 1);
      }
    }
  }
  return true;
}

std::size_t count_arguments(std::string_view notation) {
  ArgumentReader reader(notation);
  Argument argument;
  std::size_t count = 0;
  while (reader.next(argument)) ++count;
  return count;
}

}  // namespace redraft::commands
