#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/commands/script_runner.h"

// Scripts of requests and replies. Those of strings, keys, lists, sets and sort were recorded from redis-server 7.0.15,
// line by line; where 7.2 or our own documents differ, the line before says why. REDRAFT_REWRITE=1 writes what was
// answered back into the scripts: read the diff.

namespace redraft::commands {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Script : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] static std::string path() { return std::string(REDRAFT_SCRIPTS) + "/" + GetParam() + ".txt"; }
};

TEST_P(Script, IsAnsweredAsWritten) {
  const std::string expected = read(path());
  ASSERT_FALSE(expected.empty()) << path();
  store::Store store(store::Options{.databases = 16, .hash_seed = 1});
  ScriptRunner runner(store);
  const std::string actual = runner.run(expected);
  if (std::getenv("REDRAFT_REWRITE") != nullptr) {
    std::ofstream(path(), std::ios::binary) << actual;
    return;
  }
  std::istringstream wanted(expected);
  std::istringstream given(actual);
  std::string wanted_line;
  std::string given_line;
  std::string request;
  int differences = 0;
  while (std::getline(wanted, wanted_line)) {
    std::getline(given, given_line);
    if (wanted_line != given_line && ++differences <= 20) {
      ADD_FAILURE() << GetParam() << ": " << request << "\n  expected " << wanted_line << "\n  got      " << given_line;
    }
    if (!wanted_line.starts_with("    ")) request = wanted_line;
  }
  EXPECT_EQ(actual.size(), expected.size());
}

INSTANTIATE_TEST_SUITE_P(Families, Script,
                         testing::Values("bitmaps", "scripting", "hyperloglog", "serialization", "strings", "keys",
                                         "lists", "sets", "hashes", "sorted_sets", "geo", "sort", "blocking",
                                         "blocking_sorted_sets", "resp3", "events", "streams", "redis72", "time"),
                         [](const auto& script) { return std::string(script.param); });

}  // namespace
}  // namespace redraft::commands
