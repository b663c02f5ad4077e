#include "server/commands/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace redraft::commands {
namespace {

struct Case {
  const char* pattern;
  const char* text;
  bool matches;
};

// redis.io/commands/keys, and the corners of redis/redis:src/util.c.
TEST(Glob, MatchesAsRedisDoes) {
  const Case cases[] = {
      {"h?llo", "hello", true},
      {"h?llo", "hllo", false},
      {"h*llo", "hllo", true},
      {"h*llo", "heeeello", true},
      {"h[ae]llo", "hello", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hallo", true},
      {"h[^e]llo", "hello", false},
      {"h[a-b]llo", "hbllo", true},
      {"h[b-a]llo", "hallo", true},
      {"h[a-b]llo", "hcllo", false},
      {"h\\*llo", "h*llo", true},
      {"h\\*llo", "hello", false},
      {"h[\\]]llo", "h]llo", true},
      {"a*", "a", true},
      {"a**b*", "aXb", true},
      {"*a*b*c", "xxaxxbxxc", true},
      {"*a*b*c", "xxaxxbxxcx", false},
      {"*ab", "aab", true},
      {"[a", "a", true},  // a class without its end
      {"[", "a", false},
      {"[^", "a", true},
      {"a\\", "a\\", true},
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", false},  // callers for whom a star means everything say so themselves
      {"?", "", false},
      {"abc", "ab", false},
      {"ab", "abc", false},
      {"[\x80-\xff]", "\xc3", true},
  };
  for (const Case& c : cases) EXPECT_EQ(glob_matches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
}

TEST(Glob, IgnoresCaseWhereAsked) {
  EXPECT_TRUE(glob_matches("FoO*[A-C]", "foobarb", true));
  EXPECT_FALSE(glob_matches("FoO*", "foo", false));
}

// CVE-2022-36021: backtracking at every star would take longer than the test may.
TEST(Glob, ManyStarsAreNotExponential) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(glob_matches(pattern, std::string(10000, 'a')));
}

}  // namespace
}  // namespace redraft::commands
