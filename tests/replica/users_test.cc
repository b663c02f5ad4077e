// Users are cluster state: one story per test about who may do what, on which node, and since when.

#include "tests/replica/story.h"

namespace redraft::sim {
namespace {

class UsersTest : public ReplicaTest {};

TEST_F(UsersTest, AUserMadeOnAnyNodeLogsInOnAllOfThem) {
  begin(3);
  Talker admin(*world_, follower());
  EXPECT_EQ(admin.ask({"ACL", "SETUSER", "alice", "on", ">secret", "~a:*", "+get", "+set"}), "+OK\r\n");
  for (std::uint64_t node = 1; node <= 3; ++node) {
    Talker client(*world_, node);
    world_->run_for(100'000);
    EXPECT_EQ(client.ask({"AUTH", "alice", "wrong"}),
              "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    EXPECT_EQ(client.ask({"AUTH", "alice", "secret"}), "+OK\r\n");
    EXPECT_EQ(client.ask({"ACL", "WHOAMI"}),
              "-NOPERM User alice has no permissions to run the 'acl|whoami' command\r\n");
    if (node != leader().id()) continue;
    EXPECT_EQ(client.ask({"SET", "a:1", "v"}), "+OK\r\n");
    EXPECT_EQ(client.ask({"GET", "b"}), "-NOPERM No permissions to access a key\r\n");
    EXPECT_EQ(client.ask({"DEL", "a:1"}), "-NOPERM User alice has no permissions to run the 'del' command\r\n");
  }
  Talker reader(*world_, leader().id());
  const std::string list = reader.ask({"ACL", "LIST"});
  EXPECT_NE(list.find("user alice on sanitize-payload "
                      "#2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ~a:* resetchannels -@all "
                      "+get +set"),
            std::string::npos)
      << list;
}

TEST_F(UsersTest, ADeletedUserLosesItsConnectionsOnEveryNode) {
  begin(3);
  Talker admin(*world_, leader().id());
  admin.ask({"ACL", "SETUSER", "bob", "on", "nopass", "~*", "&*", "+@all"});
  Talker there(*world_, follower());
  world_->run_for(100'000);
  EXPECT_EQ(there.ask({"AUTH", "bob", "x"}), "+OK\r\n");
  EXPECT_EQ(admin.ask({"ACL", "DELUSER", "bob", "nobody"}), ":1\r\n");
  ASSERT_TRUE(world_->run_until(5'000'000, [&] { return there.closed(); }));
  EXPECT_EQ(admin.ask({"ACL", "DELUSER", "default"}), "-ERR The 'default' user cannot be removed\r\n");
}

// A command that was proposed before the change that forbids it and is applied after it does not run.
TEST_F(UsersTest, RightsAreCheckedAgainAtApply) {
  begin(3);
  Talker admin(*world_, leader().id());
  admin.ask({"ACL", "SETUSER", "carol", "on", "nopass", "~*", "+@all"});
  Talker carol(*world_, leader().id());
  Talker again(*world_, leader().id());
  carol.ask({"AUTH", "carol", "x"});
  again.ask({"AUTH", "carol", "x"});
  carol.say({{"MULTI"}, {"SET", "k", "1"}, {"INCR", "n"}});
  carol.hear(3);
  admin.say({Command{"ACL", "SETUSER", "carol", "-set"}});
  again.say({Command{"SET", "k", "2"}});
  EXPECT_EQ(again.hear(1), "-NOPERM User carol has no permissions to run the 'set' command\r\n");
  carol.say({Command{"EXEC"}});
  EXPECT_EQ(carol.hear(1),
            "*2\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. "
            "This command is no longer allowed for the following reason: no permission to execute the command or "
            "subcommand\r\n:1\r\n");
  EXPECT_TRUE(world_->run_until(10'000'000, [this] { return world_->at_rest(); }));
  EXPECT_EQ(world_->observer.same_state(world_->node_list()), std::nullopt);
}

TEST_F(UsersTest, WhatIsDeniedInsideAnEntryGetsALineWhereItsClientIs) {
  begin(3);
  Talker admin(*world_, leader().id());
  admin.ask({"ACL", "SETUSER", "eve", "on", "nopass", "~mine", "+@all"});
  Talker eve(*world_, leader().id());
  eve.ask({"AUTH", "eve", "x"});
  eve.ask({"EVAL", "redis.call('set', 'mine', 1) return redis.pcall('set', 'yours', 1)", "0"});
  const std::string lines = admin.ask({"ACL", "LOG"});
  EXPECT_NE(lines.find("$3\r\nlua\r\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("$5\r\nyours\r\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("$3\r\neve\r\n"), std::string::npos) << lines;
  eve.ask({"EVAL_RO", "return redis.pcall('get', 'hers')", "0"});
  EXPECT_NE(admin.ask({"ACL", "LOG"}).find("$4\r\nhers\r\n"), std::string::npos);
  Talker elsewhere(*world_, follower());
  EXPECT_EQ(elsewhere.ask({"ACL", "LOG"}), "*0\r\n");
}

TEST_F(UsersTest, UsersSurviveFailoverRestartAndSnapshot) {
  Plan plan = plan_of(3);
  plan.snapshot_entries = 20;
  plan.tail_entries = 5;
  begin(plan);
  Node& away = world_->node(follower());
  away.kill();
  Talker admin(*world_, leader().id());
  admin.ask({"ACL", "SETUSER", "dave", "on", ">p", "%R~r*", "&c*", "+@read", "(~w* +set)"});
  for (int i = 0; i < 100; ++i) admin.ask({"SET", "k", std::to_string(i)});
  const std::string list = admin.ask({"ACL", "LIST"});
  away.start();
  EXPECT_TRUE(world_->run_until(20'000'000, [this] { return world_->at_rest(); }));
  EXPECT_EQ(world_->observer.same_state(world_->node_list()), std::nullopt);
  for (std::uint64_t node = 1; node <= 3; ++node) {
    Talker client(*world_, node);
    EXPECT_EQ(client.ask({"ACL", "LIST"}), list) << node;
    EXPECT_EQ(client.ask({"AUTH", "dave", "p"}), "+OK\r\n") << node;
  }
}

TEST_F(UsersTest, RequirepassIsTheDefaultUsersPassword) {
  begin(3);
  Talker admin(*world_, leader().id());
  EXPECT_EQ(admin.ask({"CONFIG", "SET", "requirepass", "secret"}), "+OK\r\n");
  world_->run_for(100'000);
  Talker stranger(*world_, follower());
  EXPECT_EQ(stranger.ask({"PING"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(stranger.ask({"AUTH", "secret"}), "+OK\r\n");
  EXPECT_EQ(stranger.ask({"PING"}), "+PONG\r\n");
  EXPECT_EQ(admin.ask({"CONFIG", "SET", "requirepass", ""}), "+OK\r\n");
  world_->run_for(100'000);
  Talker again(*world_, follower());
  EXPECT_EQ(again.ask({"AUTH", "x"}),
            "-ERR AUTH <password> called without any password configured for the default user. Are you sure your "
            "configuration is correct?\r\n");
  EXPECT_EQ(again.ask({"PING"}), "+PONG\r\n");
}

TEST_F(UsersTest, SubscribersLoseTheirConnectionWithTheirChannels) {
  begin(1);
  Talker admin(*world_, 1);
  admin.ask({"ACL", "SETUSER", "eve", "on", "nopass", "+@all", "&c*"});
  Talker eve(*world_, 1);
  eve.ask({"AUTH", "eve", "x"});
  EXPECT_EQ(eve.ask({"SUBSCRIBE", "d"}), "-NOPERM No permissions to access a channel\r\n");
  EXPECT_EQ(eve.ask({"PSUBSCRIBE", "c?"}), "-NOPERM No permissions to access a channel\r\n");
  eve.ask({"SUBSCRIBE", "c1"});
  admin.ask({"ACL", "SETUSER", "eve", "resetchannels"});
  ASSERT_TRUE(world_->run_until(1'000'000, [&] { return eve.closed(); }));
  const std::string log = admin.ask({"ACL", "LOG"});
  EXPECT_NE(log.find("channel"), std::string::npos) << log;
  EXPECT_EQ(admin.ask({"ACL", "LOG", "RESET"}), "+OK\r\n");
  EXPECT_EQ(admin.ask({"ACL", "LOG"}), "*0\r\n");
}

}  // namespace
}  // namespace redraft::sim
