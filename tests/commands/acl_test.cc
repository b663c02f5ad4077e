#include "server/commands/acl.h"

#include <gtest/gtest.h>

namespace redraft::commands {
namespace {

using Words = std::vector<std::string_view>;

AclUser user_of(const Words& rules) {
  AclUser user;
  for (const std::string_view rule : rules) {
    const Status applied = user.apply(rule, false);
    EXPECT_TRUE(applied.ok()) << rule << ": " << (applied.ok() ? "" : applied.error().message);
  }
  return user;
}

bool may(const AclUser& user, const Words& request) {
  const Command* command = find_command(request);
  EXPECT_NE(command, nullptr) << request.front();
  return command != nullptr && check_acl(user, *command, request).ok();
}

std::string refusal(std::string_view rule) {
  AclUser user;
  const Status applied = user.apply(rule, false);
  return applied.ok() ? "accepted" : applied.error().message;
}

// redis.io/docs/management/security/acl, "ACL rules": one row for one sentence.
TEST(Acl, RulesPermitCommandsByNameCategoryAndSubcommand) {
  const AclUser user = user_of({"~*", "+@read", "-mget", "+config|get", "+set"});
  EXPECT_TRUE(may(user, {"get", "k"}));
  EXPECT_FALSE(may(user, {"mget", "k"}));
  EXPECT_TRUE(may(user, {"CONFIG", "GET", "port"}));
  EXPECT_FALSE(may(user, {"config", "set", "port", "1"}));
  EXPECT_TRUE(may(user, {"set", "k", "v"}));
  EXPECT_FALSE(may(user, {"del", "k"}));
  EXPECT_TRUE(may(user, {"auth", "x"})) << "before a login nobody has rights";
  EXPECT_TRUE(may(user_of({"+@all", "-@dangerous", "~*"}), {"get", "k"}));
  EXPECT_FALSE(may(user_of({"+@all", "-@dangerous", "~*"}), {"keys", "*"}));
  const AclUser one_database = user_of({"-@all", "+select|0"});
  EXPECT_TRUE(may(one_database, {"select", "0"}));
  EXPECT_FALSE(may(one_database, {"select", "1"}));
}

TEST(Acl, KeysMayBeForReadingOrWritingOnly) {
  const AclUser user = user_of({"+@all", "~both:*", "%R~in:*", "%W~out:*"});
  EXPECT_TRUE(may(user, {"get", "in:1"}));
  EXPECT_FALSE(may(user, {"set", "in:1", "v"}));
  EXPECT_TRUE(may(user, {"set", "out:1", "v"}));
  EXPECT_FALSE(may(user, {"get", "out:1"}));
  EXPECT_FALSE(may(user, {"set", "out:1", "v", "GET"})) << "it reads too";
  EXPECT_TRUE(may(user, {"copy", "in:1", "out:1"}));
  EXPECT_FALSE(may(user, {"copy", "out:1", "in:1"}));
  EXPECT_TRUE(may(user, {"mset", "both:1", "v", "out:1", "v"}));
  EXPECT_FALSE(may(user, {"mset", "both:1", "v", "in:1", "v"}));
  EXPECT_TRUE(may(user, {"ping"}));
}

TEST(Acl, ChannelsMatchAndPatternsAreCompared) {
  const AclUser user = user_of({"+@all", "~*", "&news:*"});
  EXPECT_TRUE(may(user, {"publish", "news:1", "m"}));
  EXPECT_FALSE(may(user, {"subscribe", "news:1", "other"}));
  EXPECT_FALSE(may(user, {"psubscribe", "news:1*"}));
  EXPECT_TRUE(may(user, {"psubscribe", "news:*"}));
  EXPECT_TRUE(may(user, {"unsubscribe", "other"}));
}

TEST(Acl, OneSelectorMustPermitAllOfACommand) {
  const AclUser user = user_of({"+get", "~a*", "(+set ~b*)"});
  EXPECT_TRUE(may(user, {"get", "a"}));
  EXPECT_TRUE(may(user, {"set", "b", "v"}));
  EXPECT_FALSE(may(user, {"get", "b"}));
  EXPECT_FALSE(may(user, {"set", "a", "v"}));
}

TEST(Acl, TheTextOfAUserMakesTheSameUser) {
  const AclUser user = user_of({"on", "~a", "%R~b", "&c", "+@read", "+get", "-get", "-@read", "+config|get", "+config",
                                "(+@all ~x &y -flushall)"});
  EXPECT_EQ(user.describe(),
            "on sanitize-payload ~a %R~b resetchannels &c -@all -get -@read +config (~x resetchannels &y +@all "
            "-flushall)")
      << "what a later rule undoes is left out";
  store::Store store(store::Options{});
  AclUsers users;
  const Words change{"setuser", "u", "on", "~a", "&c", "+@read", "-get", "(+set ~b)"};
  ASSERT_TRUE(users.change(change, store).ok());
  AclUsers others;
  others.adopt(store.users(), false);
  ASSERT_NE(others.find("u"), nullptr);
  EXPECT_EQ(others.find("u")->describe(), users.find("u")->describe());
  EXPECT_EQ(others.find(1)->id, 1u);
  EXPECT_TRUE(others.unrestricted(0));
  EXPECT_FALSE(others.unrestricted(1));
  const Words gone{"deluser", "u"};
  EXPECT_EQ(*users.change(gone, store), 1);
  ASSERT_TRUE(users.change(change, store).ok());
  EXPECT_EQ(users.find("u")->id, 2u) << "entries of the old user never count as the new one's";
}

TEST(Acl, ErrorsAreRedissWords) {
  EXPECT_EQ(refusal("+nosuch"), "Unknown command or category name in ACL");
  EXPECT_EQ(refusal("+@nosuch"), "Unknown command or category name in ACL");
  EXPECT_EQ(refusal("+config|get|x"), "Allowing first-arg of a subcommand is not supported");
  EXPECT_EQ(refusal("%X~k"), "Syntax error");
  EXPECT_EQ(refusal("word"), "Syntax error");
  EXPECT_EQ(refusal("#123"),
            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
  EXPECT_EQ(refusal("!" + std::string(64, 'a')), "The password you are trying to remove from the user does not exist");
  const Words open{"on", "(+get", "~x"};
  EXPECT_EQ(join_selectors(open).error().message, "ERR Unmatched parenthesis in acl selector starting at '(+get'.");
}

}  // namespace
}  // namespace redraft::commands
