#include "server/commands/command_command.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "resp/reply_reader.h"
#include "server/commands/table.h"

namespace redraft::commands {
namespace {

using Protocol = resp::Writer::Protocol;

std::string answer(std::vector<std::string_view> arguments, Protocol protocol = Protocol::kResp3) {
  std::string out;
  resp::Writer reply(out, protocol);
  const Command* command = find_command(arguments);
  EXPECT_TRUE(command != nullptr && is_command_command(*command) && arity_fits(*command, arguments.size()));
  answer_command_command(*command, arguments, reply);
  return out;
}

resp::Reply tree(const std::string& bytes) {
  resp::ReplyRead read = resp::read_reply(bytes);
  EXPECT_EQ(read.outcome, resp::ReplyRead::Outcome::kReply) << read.error;
  EXPECT_EQ(read.consumed, bytes.size());
  return read.reply;
}

// The same bytes as a redis-server gives.
TEST(CommandCommand, InfoOfACommand) {
  EXPECT_EQ(answer({"COMMAND", "INFO", "get", "nosuch"}, Protocol::kResp2),
            "*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n+@string\r\n"
            "+@fast\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype"
            "\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\n"
            "range\r\n$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n"
            "$-1\r\n");
  EXPECT_EQ(answer({"COMMAND", "INFO", "CLIENT|KILL"}),
            "*1\r\n*10\r\n$11\r\nclient|kill\r\n:-3\r\n~4\r\n+admin\r\n+noscript\r\n+loading\r\n+stale\r\n:0\r\n:0\r\n"
            ":0\r\n~4\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n+@connection\r\n~0\r\n~0\r\n~0\r\n");
}

TEST(CommandCommand, AllCommands) {
  const std::string all = answer({"command"});
  EXPECT_EQ(answer({"command", "info"}), all);
  const resp::Reply reply = tree(all);
  EXPECT_EQ(answer({"command", "count"}), ":" + std::to_string(reply.elements.size()) + "\r\n");
  EXPECT_EQ(tree(answer({"command", "docs"})).elements.size(), 2 * reply.elements.size());
  EXPECT_EQ(tree(answer({"command"}, Protocol::kResp2)).elements.size(), reply.elements.size());
  EXPECT_EQ(tree(answer({"command", "list"})).elements.size(), all_commands().size());
}

TEST(CommandCommand, DocsOfACommand) {
  EXPECT_EQ(resp::to_string(tree(answer({"command", "docs", "nosuch", "rpop", "SUBSTR"}))), R"(map 4
  bulk "rpop"
  map 12
    bulk "summary"
    bulk "Takes elements from the tail of a list."
    bulk "since"
    bulk "1.0.0"
    bulk "group"
    bulk "list"
    bulk "complexity"
    bulk "O(N), N: elements returned"
    bulk "history"
    set 1
      array 2
        bulk "6.2.0"
        bulk "`count`."
    bulk "arguments"
    array 2
      map 8
        bulk "name"
        bulk "key"
        bulk "type"
        bulk "key"
        bulk "display_text"
        bulk "key"
        bulk "key_spec_index"
        integer "0"
      map 10
        bulk "name"
        bulk "count"
        bulk "type"
        bulk "integer"
        bulk "display_text"
        bulk "count"
        bulk "since"
        bulk "6.2.0"
        bulk "flags"
        set 1
          simple "optional"
  bulk "substr"
  map 16
    bulk "summary"
    bulk "A part of a string."
    bulk "since"
    bulk "1.0.0"
    bulk "group"
    bulk "string"
    bulk "complexity"
    bulk "O(N), N: bytes returned"
    bulk "doc_flags"
    set 1
      simple "deprecated"
    bulk "deprecated_since"
    bulk "2.0.0"
    bulk "replaced_by"
    bulk "`GETRANGE`"
    bulk "arguments"
    array 3
      map 8
        bulk "name"
        bulk "key"
        bulk "type"
        bulk "key"
        bulk "display_text"
        bulk "key"
        bulk "key_spec_index"
        integer "0"
      map 6
        bulk "name"
        bulk "start"
        bulk "type"
        bulk "integer"
        bulk "display_text"
        bulk "start"
      map 6
        bulk "name"
        bulk "end"
        bulk "type"
        bulk "integer"
        bulk "display_text"
        bulk "end"
)");
  EXPECT_EQ(answer({"command", "docs", "nosuch"}), "%0\r\n");
  EXPECT_EQ(answer({"command", "docs", "nosuch"}, Protocol::kResp2), "*0\r\n");
}

TEST(CommandCommand, ListWithFilters) {
  EXPECT_EQ(answer({"command", "list", "filterby", "pattern", "GETR*"}), "*1\r\n$8\r\ngetrange\r\n");
  EXPECT_EQ(answer({"command", "list", "FILTERBY", "ACLCAT", "TRANSACTION"}),
            "*5\r\n$7\r\ndiscard\r\n$4\r\nexec\r\n$5\r\nmulti\r\n$7\r\nunwatch\r\n$5\r\nwatch\r\n");
  EXPECT_EQ(answer({"command", "list", "filterby", "aclcat", "nosuch"}), "*0\r\n");
  EXPECT_EQ(answer({"command", "list", "filterby", "module", "json"}), "*0\r\n");
  for (const std::vector<std::string_view>& arguments :
       std::vector<std::vector<std::string_view>>{{"command", "list", "x"},
                                                  {"command", "list", "filterby", "aclcat"},
                                                  {"command", "list", "filterby", "x", "y"},
                                                  {"command", "list", "filterby", "pattern", "x", "y"}}) {
    EXPECT_EQ(answer(arguments), "-ERR syntax error\r\n");
  }
}

// Each row was compared with a redis-server.
TEST(CommandCommand, KeysOfACommandLine) {
  struct Case {
    std::vector<std::string_view> line;
    std::string keys;
    std::string with_flags;
  };
  const std::string invalid = "-ERR Invalid arguments specified for command\r\n";
  const std::string no_command = "-ERR Invalid command specified\r\n";
  const std::string no_keys = "-ERR The command has no key arguments\r\n";
  const std::string wrong_count = "-ERR Invalid number of arguments specified for command\r\n";
  const Case cases[] = {
      {{"get", "k"}, "*1\r\n$1\r\nk\r\n", "*1\r\n*2\r\n$1\r\nk\r\n~2\r\n+RO\r\n+access\r\n"},
      {{"set", "k", "v"}, "*1\r\n$1\r\nk\r\n", "*1\r\n*2\r\n$1\r\nk\r\n~2\r\n+OW\r\n+update\r\n"},
      {{"set", "k", "v", "GET"}, "*1\r\n$1\r\nk\r\n", "*1\r\n*2\r\n$1\r\nk\r\n~3\r\n+RW\r\n+access\r\n+update\r\n"},
      {{"sort", "a", "store", "b"},
       "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
       "*2\r\n*2\r\n$1\r\na\r\n~2\r\n+RO\r\n+access\r\n*2\r\n$1\r\nb\r\n~2\r\n+OW\r\n+update\r\n"},
      {{"mset", "a", "1", "b"},
       "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
       "*2\r\n*2\r\n$1\r\na\r\n~2\r\n+OW\r\n+update\r\n*2\r\n$1\r\nb\r\n~2\r\n+OW\r\n+update\r\n"},
      {{"sintercard", "0", "a"}, invalid, invalid},
      {{"sintercard", "3", "a"}, invalid, invalid},
      {{"sintercard", "9223372036854775807", "a"}, invalid, invalid},
      {{"nosuch", "a"}, no_command, no_command},
      {{"client", "nosuch"}, no_command, no_command},
      {{"ping", "a"}, no_keys, no_keys},
      {{"object"}, no_keys, no_keys},
      {{"get", "a", "b"}, wrong_count, wrong_count},
      {{"memory", "usage"}, wrong_count, wrong_count},
  };
  for (const Case& c : cases) {
    std::vector<std::string_view> arguments = {"command", "getkeys"};
    arguments.insert(arguments.end(), c.line.begin(), c.line.end());
    EXPECT_EQ(answer(arguments), c.keys) << c.line[0];
    arguments[1] = "getkeysandflags";
    EXPECT_EQ(answer(arguments), c.with_flags) << c.line[0];
  }
}

TEST(CommandCommand, Help) {
  const resp::Reply reply = tree(answer({"command", "help"}));
  ASSERT_EQ(reply.elements.size(), 21u);
  EXPECT_EQ(reply.elements[0].text, "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  EXPECT_EQ(reply.elements[20].text, "    Prints this help.");
}

}  // namespace
}  // namespace redraft::commands
