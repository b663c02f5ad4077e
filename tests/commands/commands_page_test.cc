#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "server/commands/command.h"
#include "server/commands/docs.h"
#include "tests/commands/differences.h"

// docs/commands.md is made from the table: REDRAFT_REWRITE=1 writes it anew.

namespace redraft::commands {
namespace {

bool stands_for(const Difference& difference, std::string_view name) {
  std::string_view pattern = difference.command;
  if (!pattern.ends_with('*')) return pattern == name;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

std::string difference_of(std::string_view name) {
  std::string text;
  for (const Difference& difference : kDifferences) {
    if (stands_for(difference, name)) text += (text.empty() ? "" : " ") + std::string(difference.text);
  }
  return text;
}

std::string shown_name(std::string_view name) {
  std::string text;
  for (const char c : name) text.push_back(c == '|' ? ' ' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c));
  return text;
}

// Of the groups that `has` knows.
template <class Has>
std::string page(Has has) {
  std::map<std::string, std::vector<const Command*>> groups;
  std::size_t count = 0;
  for (const Command& command : all_commands()) {
    if (command.is_container || !has(find_docs(command.id).group)) continue;
    groups[std::string(find_docs(command.id).group)].push_back(&command);
    ++count;
  }
  std::string text =
      "# Commands\n\n"
      "Every command that redraft answers, by group: since which version Redis has it, where it runs, and where it\n"
      "differs from Redis 7.2. What is not said to differ answers as Redis does; the differential runner in\n"
      "`redis-compat/` compares the replies. *any node* commands are answered by the node one is connected to, "
      "*leader*\n"
      "ones by the leader behind the log or a read barrier.\n\n"
      "This page is made from the command table by a test (`REDRAFT_REWRITE=1 commands_test "
      "--gtest_filter='*Page*'`).\n"
      "There are " +
      std::to_string(count) + " commands and subcommands.\n";
  for (const auto& [group, commands] : groups) {
    text += "\n## " + group + "\n\n| command | since | runs on | difference |\n|---|---|---|---|\n";
    for (const Command* command : commands) {
      const std::string_view where = command->where == Where::kLeader ? "leader" : "any node";
      text += "| " + shown_name(command->name) + " | " + std::string(find_docs(command->id).docs->since) + " | " +
              std::string(where) + " | " + difference_of(command->name) + " |\n";
    }
  }
  return text;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// A group that the page does not have at all is one whose commands have just come; it joins when the page is made anew.
TEST(CommandsPage, IsMadeFromTheTable) {
  const std::string path = REDRAFT_COMMANDS_PAGE;
  if (std::getenv("REDRAFT_REWRITE") != nullptr) {
    std::ofstream(path, std::ios::binary) << page([](std::string_view) { return true; });
  }
  const std::string found = read(path);
  const auto has = [&](std::string_view group) {
    return found.find("\n## " + std::string(group) + "\n") != std::string::npos;
  };
  EXPECT_TRUE(found == page(has))
      << "docs/commands.md is not what the table says: run this test with REDRAFT_REWRITE=1 and read the diff";
}

}  // namespace
}  // namespace redraft::commands
