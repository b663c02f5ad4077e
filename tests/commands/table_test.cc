#include "server/commands/table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/docs.h"
#include "server/commands/letter_case.h"

namespace redraft::commands {
namespace {

using Words = std::vector<std::string_view>;

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += to_upper(c);
  return out;
}

TEST(CommandTable, EveryCommandIsFoundByNameAndId) {
  for (const Command& command : all_commands()) {
    EXPECT_EQ(find_command(command.id), &command) << command.name;
    EXPECT_EQ(find_command_named(command.name), &command) << command.name;
    EXPECT_EQ(find_command_named(upper(command.name)), &command) << command.name;
    const std::size_t bar = command.name.find('|');
    if (bar == std::string_view::npos) {
      EXPECT_EQ(find_command(Words{upper(command.name)}), &command) << command.name;
      continue;
    }
    const std::string container = upper(command.name.substr(0, bar));
    EXPECT_EQ(find_command(Words{container, command.name.substr(bar + 1)}), &command) << command.name;
  }
  EXPECT_EQ(find_command(CommandId::kNone), nullptr);
  EXPECT_EQ(find_command(CommandId::kTransaction), nullptr);
  EXPECT_EQ(find_command(Words{}), nullptr);
  EXPECT_EQ(find_command(Words{""}), nullptr);
  EXPECT_EQ(find_command(Words{"client|id"}), nullptr);  // a name for COMMAND INFO only
  EXPECT_EQ(find_command(Words{"client", "nosuch"}), nullptr);
  EXPECT_EQ(find_command(Words{"get", "key"})->id, CommandId::kGet);
  EXPECT_EQ(find_command(Words{"client"})->id, CommandId::kClient);
  EXPECT_EQ(find_command(Words{"command"})->id, CommandId::kCommand);
  EXPECT_EQ(find_command(Words{std::string(1000, 'x')}), nullptr);
}

TEST(CommandTable, FlagsFitWhereACommandRuns) {
  for (const Command& command : all_commands()) {
    EXPECT_FALSE(command.is(kWrite) && command.is(kReadonly)) << command.name;
    // LOLWUT says it reads, but there is nothing in it that it reads.
    if ((command.is(kWrite) || command.is(kReadonly)) && command.id != CommandId::kLolwut) {
      EXPECT_EQ(command.where, Where::kLeader) << command.name;
    }
    // WATCH is carried out by the session behind its read barrier.
    const bool data = command.where == Where::kLeader && command.id != CommandId::kWatch && !command.is_container;
    EXPECT_EQ(command.handler != nullptr, data) << command.name;
    EXPECT_EQ(command.find_keys != nullptr, command.is(kMovableKeys)) << command.name;
    EXPECT_EQ(command.categories & kFastCategory, command.is(kFast) ? kFastCategory : 0u) << command.name;
  }
}

TEST(CommandTable, SubcommandsBelongToTheirContainer) {
  std::size_t seen = 0;
  for (const Command& command : all_commands()) {
    for (const Command& child : subcommands(command)) {
      EXPECT_TRUE(child.name.starts_with(std::string(command.name) + "|")) << child.name;
      ++seen;
    }
    if (command.is_container) {
      EXPECT_FALSE(subcommands(command).empty()) << command.name;
    }
  }
  std::size_t with_bar = 0;
  for (const Command& command : all_commands()) with_bar += command.name.find('|') != std::string_view::npos ? 1 : 0;
  EXPECT_EQ(seen, with_bar);
}

// server.c, commandCheckExistence; each line was compared with a running redis-server.
TEST(CommandTable, ErrorsForWhatIsNotThere) {
  struct Case {
    Words arguments;
    std::string error;
  };
  const std::string long_name(200, 'x');
  const std::string a100(100, 'a');
  const std::string b20(20, 'b');
  const std::string c30(30, 'c');
  const Case cases[] = {
      {{"foo"}, "ERR unknown command 'foo', with args beginning with: "},
      {{"FOO", "a", "b"}, "ERR unknown command 'FOO', with args beginning with: 'a' 'b' "},
      {{long_name, "a"}, "ERR unknown command '" + long_name.substr(0, 128) + "', with args beginning with: 'a' "},
      {{"foo", a100, b20, c30, "d"},
       "ERR unknown command 'foo', with args beginning with: '" + a100 + "' '" + b20 + "' 'cc' "},
      {{"foo", std::string_view("a\0b", 3)}, "ERR unknown command 'foo', with args beginning with: 'a' "},
      {{"client", "nosuch"}, "ERR unknown subcommand 'nosuch'. Try CLIENT HELP."},
      {{"cluster", long_name}, "ERR unknown subcommand '" + long_name.substr(0, 128) + "'. Try CLUSTER HELP."},
      {{"client"}, "ERR wrong number of arguments for 'client' command"},
  };
  for (const Case& c : cases) {
    std::string error;
    Unknown::append_error(c.arguments, error);
    EXPECT_EQ(error, c.error);
  }
}

TEST(CommandTable, KeyPositions) {
  struct Case {
    Words arguments;
    std::vector<std::uint32_t> positions;
  };
  const Case cases[] = {
      {{"get", "k"}, {1}},
      {{"del", "a", "b", "c"}, {1, 2, 3}},
      {{"mset", "a", "1", "b", "2"}, {1, 3}},
      {{"mset", "a", "1", "b"}, {1, 3}},
      {{"rename", "a", "b"}, {1, 2}},
      {{"blpop", "a", "b", "0"}, {1, 2}},
      {{"sunionstore", "d", "a", "b"}, {1, 2, 3}},
      {{"object", "encoding", "k"}, {2}},
      {{"memory", "usage", "k"}, {2}},
      {{"lmpop", "2", "a", "b", "left"}, {2, 3}},
      {{"lmpop", "3", "a", "b"}, {}},
      {{"lmpop", "0", "a", "left"}, {}},
      {{"lmpop", "-1", "a", "left"}, {}},
      {{"lmpop", "9223372036854775807", "a", "left"}, {}},
      {{"lmpop", "x", "a", "left"}, {}},
      {{"blmpop", "0", "1", "a", "left"}, {3}},
      {{"sintercard", "2", "a", "b", "limit", "1"}, {2, 3}},
      {{"sort", "k"}, {1}},
      {{"sort", "k", "by", "store", "get", "store", "limit", "store", "store"}, {1}},
      {{"sort", "k", "store", "a", "STORE", "b"}, {1, 5}},
      {{"sort_ro", "k", "by", "x"}, {1}},
      {{"ping"}, {}},
      {{"flushall"}, {}},
      {{"watch", "a", "b"}, {1, 2}},
  };
  for (const Case& c : cases) {
    std::vector<std::uint32_t> positions;
    find_key_positions(*find_command(c.arguments), c.arguments, positions);
    EXPECT_EQ(positions, c.positions) << c.arguments[0];
  }
}

// The key range of a line says the same as its key specifications (server.c, populateCommandLegacyRangeSpec).
TEST(CommandDocumentation, IsCompleteAndAgreesWithTheTable) {
  for (const Command& command : all_commands()) {
    const DocsEntry entry = find_docs(command.id);
    ASSERT_NE(entry.docs, nullptr) << command.name;
    EXPECT_FALSE(entry.docs->summary.empty()) << command.name;
    EXPECT_FALSE(entry.docs->since.empty()) << command.name;
    const std::vector<KeySpec> specs = read_key_specs(entry.docs->key_specs);
    if (command.range.first != 0 || command.find_keys != nullptr) {
      EXPECT_FALSE(specs.empty()) << command.name;
    }
    if (specs.size() == 1 && specs[0].begin == KeySpec::Begin::kIndex && specs[0].find == KeySpec::Find::kRange) {
      const std::int64_t last = specs[0].find_numbers[0];
      EXPECT_EQ(command.range.first, specs[0].begin_number) << command.name;
      EXPECT_EQ(command.range.last, last >= 0 ? specs[0].begin_number + last : last) << command.name;
      EXPECT_EQ(command.range.step, specs[0].find_numbers[1]) << command.name;
    }
    ArgumentReader reader(entry.docs->arguments);
    Argument argument;
    std::set<std::string_view> names;
    while (reader.next(argument)) {
      EXPECT_TRUE(names.insert(argument.name).second) << command.name << " names two arguments " << argument.name;
      if (!argument.key_spec.empty()) {
        EXPECT_LT(argument.key_spec, std::to_string(specs.size())) << command.name;
      }
      EXPECT_EQ(argument.type == "oneof" || argument.type == "block", !argument.children.empty()) << command.name;
    }
  }
}

TEST(CommandDocumentation, NotationOfArguments) {
  ArgumentReader reader("a?*+:pattern@1=GET>6.2.0<7.0.0|shown b:oneof=TYPE{x:block{y:key z?:string} w:integer=W}");
  Argument argument;
  ASSERT_TRUE(reader.next(argument));
  EXPECT_EQ(argument.name, "a");
  EXPECT_TRUE(argument.optional && argument.multiple && argument.multiple_token);
  EXPECT_EQ(argument.type, "pattern");
  EXPECT_EQ(argument.key_spec, "1");
  EXPECT_EQ(argument.token, "GET");
  EXPECT_EQ(argument.since, "6.2.0");
  EXPECT_EQ(argument.deprecated_since, "7.0.0");
  EXPECT_EQ(argument.display, "shown");
  ASSERT_TRUE(reader.next(argument));
  EXPECT_EQ(argument.token, "TYPE");
  EXPECT_EQ(argument.children, "x:block{y:key z?:string} w:integer=W");
  EXPECT_EQ(count_arguments(argument.children), 2u);
  EXPECT_FALSE(reader.next(argument));
}

}  // namespace
}  // namespace redraft::commands
