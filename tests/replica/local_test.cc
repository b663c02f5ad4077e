// Node-local commands about connections, clients, settings and the process.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/commands/command_command.h"
#include "tests/replica/fake_node.h"

namespace redraft::replica::local {
namespace {

TEST(Local, EveryLocalLineOfTheTableHasItsHandler) {
  // COMMAND is answered by the table itself, transactions by the session.
  const std::set<std::string_view> elsewhere = {"multi", "exec", "discard", "unwatch"};
  for (const commands::Command& command : commands::all_commands()) {
    if (command.where != commands::Where::kLocal || command.is_container || command.handler != nullptr) continue;
    const bool by_others = elsewhere.contains(command.name) || commands::is_command_command(command);
    EXPECT_NE(find_local(command.id) != nullptr, by_others) << command.name;
  }
}

TEST(LocalConnection, PingEchoQuit) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kPing, {"ping"}), "+PONG\r\n");
  EXPECT_EQ(node.run(CommandId::kPing, {"ping", "a"}), "$1\r\na\r\n");
  EXPECT_EQ(node.run(CommandId::kPing, {"ping", "a", "b"}), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(node.run(CommandId::kEcho, {"echo", "x"}), "$1\r\nx\r\n");
  node.pubsub_value.subscribe(*node.sessions.front(), PubSub::Kind::kChannel, "c");
  EXPECT_EQ(node.run(CommandId::kPing, {"ping"}), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  EXPECT_EQ(node.run(CommandId::kQuit, {"quit"}), "+OK\r\n");
  EXPECT_EQ(node.done, "kill 5;");
}

TEST(LocalConnection, HelloSwitchesProtocolNamesAndAuthenticates) {
  FakeNode node;
  EXPECT_EQ(
      node.run(CommandId::kHello, {"hello", "3"}),
      "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.5\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:5\r\n"
      "$4\r\nmode\r\n$7\r\ncluster\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n");
  EXPECT_TRUE(node.sessions.front()->writer().resp3());
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "2"}).substr(0, 5), "*14\r\n");
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "x"}), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "4"}), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "3", "foo"}), "-ERR Syntax error in HELLO option 'foo'\r\n");
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "3", "setname", "a b"}),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_FALSE(node.sessions.front()->writer().resp3()) << "an error changes nothing";

  node.set_password("secret");
  node.sessions.front()->authenticated = false;
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "3"}).substr(0, 7), "-NOAUTH");
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "3", "auth", "default", "wrong"}).substr(0, 10), "-WRONGPASS");
  EXPECT_EQ(node.run(CommandId::kHello, {"hello", "3", "auth", "default", "secret", "setname", "n"}).front(), '%');
  EXPECT_TRUE(node.sessions.front()->authenticated);
  EXPECT_EQ(node.sessions.front()->name, "n");
}

TEST(LocalConnection, AuthAnswersAsRedisDoes) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kAuth, {"auth", "x"}).substr(0, 29), "-ERR AUTH <password> called w");
  EXPECT_EQ(node.run(CommandId::kAuth, {"auth", "default", "x"}), "+OK\r\n") << "without a password any is right";
  EXPECT_EQ(node.run(CommandId::kAuth, {"auth", "a", "b"}),
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  node.set_password("secret");
  for (const std::string_view wrong : {"", "s", "secre", "secret1", "secretsecret", "Secret"}) {
    EXPECT_EQ(node.run(CommandId::kAuth, {"auth", wrong}).substr(0, 10), "-WRONGPASS") << wrong;
  }
  EXPECT_EQ(node.run(CommandId::kAuth, {"auth", "secret"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kAuth, {"auth", "a", "b", "c"}), "-ERR syntax error\r\n");
}

TEST(LocalConnection, SelectAndReset) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kSelect, {"select", "15"}), "+OK\r\n");
  EXPECT_EQ(node.sessions.front()->db, 15u);
  EXPECT_EQ(node.run(CommandId::kSelect, {"select", "16"}), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(node.run(CommandId::kSelect, {"select", "x"}), "-ERR value is not an integer or out of range\r\n");
  node.sessions.front()->name = "n";
  EXPECT_EQ(node.run(CommandId::kReset, {"reset"}), "+RESET\r\n");
  EXPECT_EQ(node.sessions.front()->db, 0u);
  EXPECT_EQ(node.sessions.front()->name, "");
  EXPECT_EQ(node.done, "forget;");
}

TEST(LocalClient, ListShowsOneLinePerConnection) {
  FakeNode node;
  Session& session = *node.sessions.front();
  session.connected_ms = 40000;
  session.active_ms = 48000;
  session.last_command = "client|list";
  session.library_name = "lib";
  node.add_session(8).hold(Hold::kBlocked);
  const std::string list = node.text(CommandId::kClientList, {"client", "list"});
  EXPECT_EQ(std::ranges::count(list, '\n'), 2);
  EXPECT_EQ(list.find("id=5 addr=127.0.0.1:50005 laddr=127.0.0.1:7001 fd=9 name= age=10 idle=2 flags=N db=0 sub=0 "
                      "psub=0 ssub=0 multi=-1 qbuf=0 "),
            0u);
  EXPECT_NE(list.find(" cmd=client|list user=default redir=-1 resp=2 lib-name=lib lib-ver=\n"), std::string::npos);
  EXPECT_NE(list.find("id=8 "), std::string::npos);
  EXPECT_NE(list.find("flags=b"), std::string::npos);
  EXPECT_EQ(node.text(CommandId::kClientList, {"client", "list", "id", "8", "77"}).substr(0, 5), "id=8 ");
  EXPECT_EQ(node.run(CommandId::kClientList, {"client", "list", "id", "x"}), "-ERR Invalid client ID\r\n");
  EXPECT_EQ(node.run(CommandId::kClientList, {"client", "list", "type", "x"}), "-ERR Unknown client type 'x'\r\n");
  EXPECT_EQ(node.run(CommandId::kClientList, {"client", "list", "foo"}), "-ERR syntax error\r\n");
  EXPECT_EQ(node.run(CommandId::kClientList, {"client", "list", "type", "replica"}), "$0\r\n\r\n");
}

TEST(LocalClient, KillSelectsByEveryFilter) {
  FakeNode node;
  node.add_session(6);
  node.add_session(7);
  const auto kill = [&](std::vector<std::string_view> options) {
    node.done.clear();
    options.insert(options.begin(), {"client", "kill"});
    return node.run(CommandId::kClientKill, options);
  };
  EXPECT_EQ(kill({"127.0.0.1:50006"}), "+OK\r\n");
  EXPECT_EQ(node.done, "kill 6;");
  EXPECT_EQ(kill({"1.2.3.4:5"}), "-ERR No such client\r\n");
  EXPECT_EQ(kill({"id", "7"}), ":1\r\n");
  EXPECT_EQ(node.done, "kill 7;");
  EXPECT_EQ(kill({"type", "normal"}), ":2\r\n") << "not the caller";
  EXPECT_EQ(kill({"type", "normal", "skipme", "no"}), ":3\r\n");
  EXPECT_EQ(kill({"addr", "127.0.0.1:50006", "laddr", "127.0.0.1:7001", "user", "default"}), ":1\r\n");
  EXPECT_EQ(kill({"type", "pubsub"}), ":0\r\n");
  EXPECT_EQ(kill({"id", "0"}), "-ERR client-id should be greater than 0\r\n");
  EXPECT_EQ(kill({"user", "nope"}), "-ERR No such user 'nope'\r\n");
  EXPECT_EQ(kill({"id", "1", "x"}), "-ERR syntax error\r\n");
  EXPECT_EQ(kill({"skipme", "x"}), "-ERR syntax error\r\n");
}

TEST(LocalClient, UnblockPauseReplyAndNames) {
  FakeNode node;
  node.add_session(6).hold(Hold::kBlocked);
  EXPECT_EQ(node.run(CommandId::kClientUnblock, {"client", "unblock", "6", "error"}), ":1\r\n");
  EXPECT_EQ(node.run(CommandId::kClientUnblock, {"client", "unblock", "5"}), ":0\r\n");
  EXPECT_EQ(node.run(CommandId::kClientUnblock, {"client", "unblock", "99"}), ":0\r\n");
  EXPECT_EQ(node.done, "unblock 6 error;unblock 5;");
  EXPECT_EQ(node.run(CommandId::kClientUnblock, {"client", "unblock", "6", "foo"}),
            "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n");
  node.done.clear();
  EXPECT_EQ(node.run(CommandId::kClientPause, {"client", "pause", "100", "write"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kClientUnpause, {"client", "unpause"}), "+OK\r\n");
  EXPECT_EQ(node.done, "pause 1 until 50100;unpause;");
  EXPECT_EQ(node.run(CommandId::kClientPause, {"client", "pause", "-1"}), "-ERR timeout is negative\r\n");
  EXPECT_EQ(node.run(CommandId::kClientPause, {"client", "pause", "x"}),
            "-ERR timeout is not an integer or out of range\r\n");
  EXPECT_EQ(node.run(CommandId::kClientPause, {"client", "pause", "1", "x"}),
            "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
  EXPECT_EQ(node.run(CommandId::kClientReply, {"client", "reply", "off"}), "");
  EXPECT_EQ(node.run(CommandId::kClientReply, {"client", "reply", "skip"}), "");
  EXPECT_EQ(node.sessions.front()->reply_mode, Session::ReplyMode::kOff);
  node.sessions.front()->silent = true;
  EXPECT_EQ(node.run(CommandId::kClientReply, {"client", "reply", "on"}), "+OK\r\n");
  EXPECT_FALSE(node.sessions.front()->silent);
  EXPECT_EQ(node.run(CommandId::kClientGetname, {"client", "getname"}), "$-1\r\n");
  EXPECT_EQ(node.run(CommandId::kClientSetname, {"client", "setname", "me"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kClientGetname, {"client", "getname"}), "$2\r\nme\r\n");
  EXPECT_EQ(node.run(CommandId::kClientSetinfo, {"client", "setinfo", "lib-name", "a b"}),
            "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_EQ(node.run(CommandId::kClientSetinfo, {"client", "setinfo", "x", "y"}), "-ERR Unrecognized option 'x'\r\n");
  EXPECT_EQ(node.run(CommandId::kClientNoTouch, {"client", "no-touch", "on"}), "+OK\r\n");
  EXPECT_TRUE(node.sessions.front()->no_touch);
  EXPECT_EQ(node.run(CommandId::kClientGetredir, {"client", "getredir"}), ":-1\r\n");
}

TEST(LocalConfig, GetShowsReplicatedValuesAndSetIsAllOrNothing) {
  FakeNode node;
  node.replicated["maxmemory"] = "77";
  EXPECT_EQ(node.run(CommandId::kConfigGet, {"config", "get", "maxmemory", "timeout"}),
            "*4\r\n$9\r\nmaxmemory\r\n$2\r\n77\r\n$7\r\ntimeout\r\n$1\r\n0\r\n");
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "timeout", "9", "maxclients", "50"}), "+OK\r\n");
  EXPECT_EQ(node.settings_value.values().timeout_s, 9u);
  EXPECT_EQ(node.done, "changed timeout;changed maxclients;");
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "timeout", "1", "maxclients", "0"}),
            "-ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument must be between 1 and "
            "4294967295 inclusive\r\n");
  EXPECT_EQ(node.settings_value.values().timeout_s, 9u);
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "port", "1"}),
            "-ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config\r\n");
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "dir", "/"}),
            "-ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config\r\n");
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "timeout", "1", "timeout", "2"}),
            "-ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter\r\n");
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "nope", "1"}),
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nope'\r\n");
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "timeout"}), "-ERR syntax error\r\n");
  node.done.clear();
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "maxmemory", "1kb", "hash-max-ziplist-value", "3"}), "");
  EXPECT_EQ(node.done, "replicate maxmemory=1024;replicate hash-max-listpack-value=3;");
  EXPECT_EQ(node.run(CommandId::kConfigSet, {"config", "set", "maxmemory", "1"}, true),
            "-ERR Command not allowed inside a transaction\r\n");
}

TEST(LocalConfig, RewriteKeepsCommentsAndAddsWhatChanged) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kConfigRewrite, {"config", "rewrite"}),
            "-ERR The server is running without a config file\r\n");
  const std::string path = testing::TempDir() + "redraft_local_rewrite.conf";
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("timeout 5\n", file);
  std::fclose(file);
  std::vector<std::string> warnings;
  Result<Settings> settings = Settings::from_command_line(std::vector<std::string>{path}, warnings);
  std::remove(path.c_str());
  ASSERT_TRUE(settings.ok());
  node.settings_value = *std::move(settings);
  node.file = "# a comment\ntimeout 5\nmaxmemory 1gb\nTIMEOUT 6\nsave 900 1\nsave 300 10\n";
  ASSERT_TRUE(node.settings_value.set("timeout", "8").ok());
  ASSERT_TRUE(node.settings_value.set("save", "").ok());
  ASSERT_TRUE(node.settings_value.set("masteruser", "a b").ok());
  EXPECT_EQ(node.run(CommandId::kConfigRewrite, {"config", "rewrite"}), "+OK\r\n");
  EXPECT_EQ(node.written,
            "# a comment\ntimeout 8\nmaxmemory 1gb\nsave \"\"\n# Generated by CONFIG REWRITE\n"
            "masteruser \"a b\"\n");
}

TEST(LocalServer, RoleTimeSavesAndShutdown) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kTime, {"time"}), "*2\r\n$10\r\n1700000000\r\n$6\r\n123000\r\n");
  EXPECT_EQ(
      node.run(CommandId::kRole, {"role"}),
      "*3\r\n$6\r\nmaster\r\n:91\r\n*2\r\n*3\r\n$8\r\n10.0.0.2\r\n$4\r\n7002\r\n$2\r\n82\r\n*3\r\n$8\r\n10.0.0.3\r\n"
      "$4\r\n7003\r\n$2\r\n83\r\n");
  EXPECT_EQ(node.run(CommandId::kBgsave, {"bgsave"}), "+Background saving started\r\n");
  EXPECT_EQ(node.run(CommandId::kBgsave, {"bgsave", "x"}), "-ERR syntax error\r\n");
  EXPECT_EQ(node.run(CommandId::kSave, {"save"}), "");
  EXPECT_EQ(node.run(CommandId::kBgrewriteaof, {"bgrewriteaof"}), "+Background append only file rewriting started\r\n");
  EXPECT_EQ(node.done, "snapshot;save;snapshot;");
  node.statistics_value.save_in_progress = true;
  EXPECT_EQ(node.run(CommandId::kBgsave, {"bgsave"}), "-ERR Background save already in progress\r\n");
  node.done.clear();
  EXPECT_EQ(node.run(CommandId::kShutdown, {"shutdown", "nosave", "now"}), "");
  EXPECT_EQ(node.done, "shutdown now;");
  EXPECT_EQ(node.run(CommandId::kShutdown, {"shutdown", "nosave", "save"}), "-ERR syntax error\r\n");
  EXPECT_EQ(node.run(CommandId::kShutdown, {"shutdown", "abort", "now"}), "-ERR syntax error\r\n");
  EXPECT_EQ(node.run(CommandId::kShutdown, {"shutdown", "abort"}), "-ERR No shutdown in progress.\r\n");
  EXPECT_EQ(node.run(CommandId::kReplicaof, {"replicaof", "no", "one"}),
            "-ERR REPLICAOF not allowed in cluster mode.\r\n");
  EXPECT_EQ(node.run(CommandId::kPsync, {"psync", "?", "-1"}),
            "-ERR PSYNC is not allowed: nodes replicate by Raft, not by Redis's protocol\r\n");
  EXPECT_EQ(node.run(CommandId::kModuleList, {"module", "list"}), "*0\r\n");
}

TEST(LocalServer, WaitAnswersAtOnceOrLater) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kWait, {"wait", "1", "0"}), ":1\r\n");
  EXPECT_EQ(node.run(CommandId::kWait, {"wait", "-1", "0"}), ":1\r\n");
  EXPECT_EQ(node.run(CommandId::kWait, {"wait", "2", "50"}), "");
  EXPECT_EQ(node.done, "wait 0 2 50;");
  EXPECT_EQ(node.run(CommandId::kWait, {"wait", "2", "50"}, true), ":1\r\n") << "in EXEC the present count";
  EXPECT_EQ(node.run(CommandId::kWait, {"wait", "x", "0"}), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(node.run(CommandId::kWait, {"wait", "0", "-1"}), "-ERR timeout is negative\r\n");
  EXPECT_EQ(node.run(CommandId::kWaitaof, {"waitaof", "1", "1", "0"}), "*2\r\n:1\r\n:1\r\n");
  EXPECT_EQ(node.run(CommandId::kWaitaof, {"waitaof", "2", "1", "0"}),
            "-ERR value is out of range, value must between 0 and 1\r\n");
  node.done.clear();
  EXPECT_EQ(node.run(CommandId::kWaitaof, {"waitaof", "1", "2", "0"}), "");
  EXPECT_EQ(node.done, "wait 1 2 0 aof;");
  node.node.role = NodeRole::kFollower;
  EXPECT_EQ(node.run(CommandId::kWait, {"wait", "1", "0"}).substr(0, 46),
            "-ERR WAIT cannot be used with replica instance");
}

}  // namespace
}  // namespace redraft::replica::local
