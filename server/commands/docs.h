#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "server/commands/command.h"

namespace redraft::commands {

// What COMMAND INFO and COMMAND DOCS tell beyond the command's line in the table. Versions, tips, key specifications
// and argument trees are those of Redis 7.2; the sentences are ours. Constant data; lists are written in small
// notations, which are read only when a client asks.
struct CommandDocs {
  CommandId id = CommandId::kNone;
  std::string_view since = {};
  std::string_view summary = {};
  std::string_view complexity = {};
  std::string_view tips = {};        // separated by blanks
  std::string_view key_specs = {};   // see KeySpec
  std::string_view arguments = {};   // see ArgumentReader
  std::string_view history = {};     // lines "<version> <text>"
  std::string_view deprecated = {};  // "<version> <what to use instead>"
  bool system = false;               // internal, not meant for clients
};

struct DocsEntry {
  std::string_view group;  // as on redis.io: "string", "generic", ...
  const CommandDocs* docs = nullptr;
};

// Every command of the table has an entry (a test sees to it).
[[nodiscard]] DocsEntry find_docs(CommandId id);

// One key specification (redis.io/docs/reference/key-specs). Notation, specifications separated by "; ":
//
//     RW access update @1 -1:2:0 !a note
//
// flags; where the search begins (@index, KEYWORD/startfrom, ? unknown); how keys are found from there
// (last:step:limit, #count-index:first:step, ? unknown); optionally a note.
struct KeySpec {
  enum class Begin : std::uint8_t { kIndex, kKeyword, kUnknown };
  enum class Find : std::uint8_t { kRange, kCount, kUnknown };
  std::vector<std::string_view> flags;
  Begin begin = Begin::kUnknown;
  std::string_view keyword;
  std::int64_t begin_number = 0;  // index or startfrom
  Find find = Find::kUnknown;
  std::int64_t find_numbers[3] = {0, 0, 0};
  std::string_view note;
};
[[nodiscard]] std::vector<KeySpec> read_key_specs(std::string_view notation);

// One node of an argument tree. Notation, arguments separated by blanks, everything behind the type optional:
//
//     name?*+:type@0=TOKEN>6.2.0<7.0.0|display{children}
//
// ? optional, * multiple, + with the token repeated; @ index of its key specification, = its token, > since,
// < deprecated since, | the text to show if it is not the name.
struct Argument {
  std::string_view name;
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;
  std::string_view type;
  std::string_view key_spec;  // digits or empty
  std::string_view token;
  std::string_view since;
  std::string_view deprecated_since;
  std::string_view display;
  std::string_view children;
};

class ArgumentReader {
 public:
  explicit ArgumentReader(std::string_view notation) : rest_(notation) {}
  // False at the end.
  [[nodiscard]] bool next(Argument& argument);

 private:
  std::string_view rest_;
};
[[nodiscard]] std::size_t count_arguments(std::string_view notation);

// The parts of the data, one per file and group.
struct DocsGroup {
  std::string_view group = {};
  std::span<const CommandDocs> docs;
};
[[nodiscard]] std::span<const DocsGroup> docs_of_bits();
[[nodiscard]] std::span<const DocsGroup> docs_of_scripting();
[[nodiscard]] std::span<const DocsGroup> docs_of_values();
[[nodiscard]] std::span<const DocsGroup> docs_of_hashes();
[[nodiscard]] std::span<const DocsGroup> docs_of_sorted_sets();
[[nodiscard]] std::span<const DocsGroup> docs_of_keys();
[[nodiscard]] std::span<const DocsGroup> docs_of_servers();
[[nodiscard]] std::span<const DocsGroup> docs_of_streams();
[[nodiscard]] std::span<const DocsGroup> docs_of_clusters();
[[nodiscard]] std::span<const DocsGroup> docs_of_listeners();

}  // namespace redraft::commands
