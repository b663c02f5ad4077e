#include "server/replica/local/local.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "server/commands/script_host.h"
#include "server/replica/local/acl_log.h"
#include "server/replica/local/latency_monitor.h"
#include "server/replica/local/node_names.h"
#include "server/replica/local/password_hash.h"
#include "server/replica/local/slow_log.h"
#include "server/replica/pubsub.h"
#include "server/replica/tracking.h"

namespace redraft::replica::local {
namespace {

using commands::CommandId;

// A node without Raft, store or network: node-local commands see no more of one than this.
class FakeNode final : public Actions {
 public:
  FakeNode() {
    node.cluster_id = "cluster";
    node.node = 1;
    node.boot = 3;
    node.cluster_enabled = true;
    node.wall_us = 1700000000123000;
    node.monotonic_ms = 50000;
    node.started_monotonic_ms = 20000;
    node.role = NodeRole::kLeader;
    node.term = 7;
    node.leader = node.last_leader = 1;
    node.commit_index = 90;
    node.applied_index = 89;
    node.last_index = 91;
    node.snapshot_index = 40;
    for (std::uint64_t id = 1; id <= 3; ++id) {
      MemberView member;
      member.node = id;
      member.host = "10.0.0." + std::to_string(id);
      member.port = static_cast<std::uint16_t>(7000 + id);
      member.peer_port = static_cast<std::uint16_t>(17000 + id);
      member.self = id == 1;
      member.match_index = 80 + id;
      node.members.push_back(member);
    }
    add_session(5);
  }

  Session& add_session(std::uint64_t id) {
    sessions.push_back(std::make_unique<Session>(
        id, ClientAddress{"127.0.0.1:" + std::to_string(50000 + id), "127.0.0.1:7001", 9, false, true}));
    sessions.back()->authenticated = true;
    return *sessions.back();
  }

  // Runs a command on the first session and returns its reply.
  std::string run(CommandId id, std::vector<std::string_view> arguments, bool in_transaction = false) {
    Session& session = *sessions.front();
    session.output().clear();
    const commands::Command command{.name = arguments[0], .id = id};
    LocalContext context{*this, session, arguments, session.writer(), command, in_transaction};
    find_local(id)(context);
    return session.output();
  }
  // The payload of a bulk or verbatim reply.
  std::string text(CommandId id, std::vector<std::string_view> arguments) {
    const std::string reply = run(id, std::move(arguments));
    const std::size_t begin = reply.find("\r\n") + 2;
    return reply.size() < begin + 2 ? reply : reply.substr(begin, reply.size() - begin - 2);
  }

  NodeView view() const override { return node; }
  Settings& settings() override { return settings_value; }
  Statistics& statistics() override { return statistics_value; }
  SlowLog& slow_log() override { return slow_log_value; }
  LatencyMonitor& latency() override { return latency_value; }
  std::optional<std::string> cluster_setting(std::string_view name) const override {
    const auto found = replicated.find(name);
    return found == replicated.end() ? std::nullopt : std::optional(found->second);
  }
  void each_session(const std::function<void(Session&)>& visit) override {
    for (const auto& session : sessions) visit(*session);
  }
  Session* find_session(std::uint64_t id) override {
    for (const auto& session : sessions) {
      if (session->id() == id) return session.get();
    }
    return nullptr;
  }
  PubSub& pubsub() override { return pubsub_value; }
  Tracking& tracking() override { return tracking_value; }
  std::uint64_t publish(std::string_view channel, std::string_view message, bool sharded) override {
    return pubsub_value.publish(channel, message, sharded);
  }
  void start_monitor(Session& session) override { session.monitor = true; }
  const commands::AclUsers& users() const override { return users_value; }
  AclLog& acl_log() override { return acl_log_value; }
  void log_in(Session& session, std::string_view user) override {
    session.user = user;
    session.authenticated = true;
    session.parser.set_authenticated(true);
  }
  void random_bytes(std::span<char> into) override { std::ranges::fill(into, '\x5a'); }
  void change_users(Session& session, std::span<const std::string_view> change) override {
    const Result<std::int64_t> changed = users_value.change(change, store);
    changed ? session.writer().ok() : session.writer().error(changed.error().message);
  }
  void set_password(std::string_view password) {
    const std::string rule = "#" + password_hash(password);
    const std::vector<std::string_view> change{"setuser", "default", "resetpass", rule};
    EXPECT_TRUE(users_value.change(change, store).ok());
  }
  void kill(Session& session) override { done += "kill " + std::to_string(session.id()) + ";"; }
  bool unblock(Session& session, bool with_error) override {
    done += "unblock " + std::to_string(session.id()) + (with_error ? " error;" : ";");
    return session.held(Hold::kBlocked);
  }
  void pause(PauseMode mode, std::uint64_t until) override {
    done += "pause " + std::to_string(static_cast<int>(mode)) + " until " + std::to_string(until) + ";";
  }
  void unpause() override { done += "unpause;"; }
  void forget_connection_state(Session&) override { done += "forget;"; }
  void set_cluster_settings(Session&, std::span<const std::pair<std::string, std::string>> settings) override {
    for (const auto& [name, value] : settings) done += "replicate " + name + "=" + value + ";";
  }
  void wait(Session&, const WaitRequest& request) override {
    done += "wait " + std::to_string(request.local) + " " + std::to_string(request.replicas) + " " +
            std::to_string(request.timeout_ms) + (request.aof ? " aof;" : ";");
  }
  std::uint64_t durable_replicas(const Session&) const override { return 1; }
  bool durable_here(const Session&) const override { return true; }
  void meet(Session&, const std::string& host, std::uint16_t port, std::uint16_t peer_port) override {
    done += "meet " + host + ":" + std::to_string(port) + "@" + std::to_string(peer_port) + ";";
  }
  void change_members(Session&, MemberChange change, std::span<const std::uint64_t> nodes, bool force) override {
    done += std::string("change ") + std::to_string(static_cast<int>(change)) + (force ? " force" : "");
    for (const std::uint64_t one : nodes) done += " " + std::to_string(one);
    done += ";";
  }
  void snapshot_and_answer(Session&) override { done += "save;"; }
  void sleep(Session&, std::uint64_t microseconds) override { done += "sleep " + std::to_string(microseconds) + ";"; }
  Status start_audit() override { return Done{}; }
  Status start_snapshot() override {
    done += "snapshot;";
    return Done{};
  }
  Status transfer_leadership(std::uint64_t to) override {
    done += "transfer " + std::to_string(to) + ";";
    return Done{};
  }
  Status shutdown(Session&, const ShutdownOptions& options) override {
    done += std::string("shutdown") + (options.now ? " now" : "") + (options.force ? " force" : "") + ";";
    return Done{};
  }
  bool abort_shutdown() override { return false; }
  Status write_config_file(const std::string& path, const std::string& content) override {
    done += "write " + path + ";";
    written = content;
    return Done{};
  }
  std::optional<std::string> read_config_file(const std::string&) override { return file; }
  void setting_changed(std::string_view name) override { done += "changed " + std::string(name) + ";"; }
  std::uint64_t count_keys_in_slot(std::uint32_t slot) override { return slot; }
  std::vector<std::string> keys_in_slot(std::uint32_t, std::uint64_t count) override {
    return std::vector<std::string>(static_cast<std::size_t>(count), "k");
  }
  std::string digest() override { return std::string(40, 'd'); }
  std::string value_digest(std::uint32_t, std::string_view) override { return std::string(40, 'v'); }
  void populate(Session&, std::uint64_t count, std::string_view prefix, std::uint64_t size) override {
    populated = std::string(prefix) + " " + std::to_string(count) + " " + std::to_string(size);
  }
  std::string populated;
  std::optional<std::string> debug_object(std::uint32_t, std::string_view key) override {
    return key == "k" ? std::optional<std::string>("Value at:0x0 refcount:1") : std::nullopt;
  }
  void set_active_expire(bool on) override { done += on ? "expire on;" : "expire off;"; }
  [[nodiscard]] commands::ScriptHost* script_host() override { return &script_host_; }
  [[nodiscard]] LibraryCounts library_counts() const override { return {}; }
  commands::ScriptHost script_host_;

  NodeView node;
  Settings settings_value;
  Statistics statistics_value;
  SlowLog slow_log_value;
  LatencyMonitor latency_value;
  std::map<std::string, std::string, std::less<>> replicated;
  std::vector<std::unique_ptr<Session>> sessions;
  store::Store store{store::Options{}};
  commands::AclUsers users_value;
  AclLog acl_log_value;
  Sessions none;
  Pushes pushes{none, [](Session&) {}};
  PubSub pubsub_value{pushes};
  Tracking tracking_value{none, pushes, [] {}};
  std::string done;
  std::string written;
  std::string file;
};

Settings settings_of(std::string_view text) {
  std::vector<std::string> warnings;
  Result<Settings> settings = Settings::from_text(text, warnings);
  EXPECT_TRUE(settings.ok());
  return settings.ok() ? *std::move(settings) : Settings();
}

TEST(Local, EveryLocalLineOfTheTableHasItsHandler) {
  // Answered elsewhere: by the table itself, by the session (transactions), by families that come later.
  const auto elsewhere = [](std::string_view name) {
    for (const std::string_view prefix :
         {"command", "function", "script", "multi", "exec", "discard", "unwatch", "migrate"}) {
      if (name.starts_with(prefix)) return true;
    }
    return false;
  };
  for (const commands::Command& command : commands::all_commands()) {
    if (command.where != commands::Where::kLocal || command.is_container || command.handler != nullptr) continue;
    EXPECT_TRUE(find_local(command.id) != nullptr || elsewhere(command.name)) << command.name;
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

TEST(LocalConnection, AuthIsRediss) {
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
  ASSERT_TRUE(node.settings_value.set("cluster-announce-ip", "a b").ok());
  EXPECT_EQ(node.run(CommandId::kConfigRewrite, {"config", "rewrite"}), "+OK\r\n");
  EXPECT_EQ(node.written,
            "# a comment\ntimeout 8\nmaxmemory 1gb\nsave \"\"\n# Generated by CONFIG REWRITE\n"
            "cluster-announce-ip \"a b\"\n");
}

TEST(LocalInfo, SectionsAndFields) {
  FakeNode node;
  const std::string standard = node.text(CommandId::kInfo, {"info"});
  for (const std::string_view needed :
       {"# Server\r\nredis_version:7.2.5\r\nredraft_version:", "redis_mode:cluster\r\n", "uptime_in_seconds:30\r\n",
        "tcp_port:6379\r\n", "connected_clients:1\r\n", "maxmemory_policy:noeviction\r\n", "aof_enabled:1\r\n",
        "role:master\r\nconnected_slaves:2\r\nslave0:ip=10.0.0.2,port=7002,state=online,offset=82,lag=0\r\n",
        "master_repl_offset:91\r\n", "cluster_enabled:1\r\n", "\r\n\r\n# Keyspace\r\n", "raft_role:leader\r\n",
        "raft_term:7\r\n", "raft_leader_id:1\r\nraft_leader_addr:10.0.0.1:7001\r\n",
        "raft_commit_index:90\r\nraft_applied_index:89\r\nraft_last_index:91\r\nraft_snapshot_index:40\r\n",
        "raft_nodes:3\r\n", "raft_commands_per_batch:0.00\r\n", "raft_read_rounds_per_sec:0\r\n"}) {
    EXPECT_NE(standard.find(needed), std::string::npos) << needed;
  }
  EXPECT_EQ(standard.find("# Commandstats"), std::string::npos);
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "everything"}).find("# Commandstats"), std::string::npos);
  EXPECT_EQ(node.text(CommandId::kInfo, {"info", "CLUSTER"}), "# Cluster\r\ncluster_enabled:1\r\n");
  EXPECT_EQ(node.text(CommandId::kInfo, {"info", "keyspace", "cluster"}),
            "# Cluster\r\ncluster_enabled:1\r\n\r\n# Keyspace\r\n");
  EXPECT_EQ(node.run(CommandId::kInfo, {"info", "nosuch"}), "$0\r\n\r\n");
  node.node.databases.push_back({3, 5, 2, 0});
  EXPECT_EQ(node.text(CommandId::kInfo, {"info", "keyspace"}), "# Keyspace\r\ndb3:keys=5,expires=2,avg_ttl=0\r\n");

  node.node.role = NodeRole::kFollower;
  node.node.leader = node.node.last_leader = 2;
  node.node.leader_contact_ms = 1500;
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "replication"})
                .find("role:slave\r\nmaster_host:10.0.0.2\r\nmaster_port:7002\r\nmaster_link_status:up\r\n"
                      "master_last_io_seconds_ago:1\r\n"),
            std::string::npos);
  node.node.leader = 0;
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "replication"}).find("master_link_status:down"), std::string::npos);
  node.node.loading = true;
  node.node.loading_bytes_total = 200;
  node.node.loading_bytes_read = 50;
  EXPECT_NE(node.text(CommandId::kInfo, {"info", "persistence"}).find("loading_loaded_perc:25.00"), std::string::npos);
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

TEST(LocalCluster, NodesIsTheSameOnAllNodesButForMyself) {
  FakeNode node;
  const std::string one = node.text(CommandId::kClusterNodes, {"cluster", "nodes"});
  EXPECT_EQ(one.substr(40), " 10.0.0.1:7001@17001 myself,master - 0 0 7 connected 0-16383\n" + node_name(node.node, 2) +
                                " 10.0.0.2:7002@17002 slave " + node_name(node.node, 1) + " 0 0 7 connected\n" +
                                node_name(node.node, 3) + " 10.0.0.3:7003@17003 slave " + node_name(node.node, 1) +
                                " 0 0 7 connected\n");
  EXPECT_EQ(one.substr(0, 40).find_first_not_of("0123456789abcdef"), std::string::npos);
  const auto without_myself = [](std::string text) {
    const std::size_t at = text.find("myself,");
    return at == std::string::npos ? text : text.erase(at, 7);
  };
  node.node.node = 2;
  node.node.boot = 9;  // the names do not change with a restart
  node.node.role = NodeRole::kFollower;
  for (MemberView& member : node.node.members) member.self = member.node == 2;
  const std::string two = node.text(CommandId::kClusterNodes, {"cluster", "nodes"});
  EXPECT_NE(one, two);
  EXPECT_EQ(without_myself(one), without_myself(two));
}

TEST(LocalCluster, SlotsKeepTheLastViewAndInfoSaysFail) {
  FakeNode node;
  const std::string slots = node.run(CommandId::kClusterSlots, {"cluster", "slots"});
  EXPECT_EQ(slots.find("*1\r\n*5\r\n:0\r\n:16383\r\n*4\r\n$8\r\n10.0.0.1\r\n:7001\r\n$40\r\n"), 0u);
  EXPECT_NE(node.text(CommandId::kClusterInfo, {"cluster", "info"}).find("cluster_state:ok\r\n"), std::string::npos);
  node.node.members[2].link_up = false;
  EXPECT_EQ(node.run(CommandId::kClusterSlots, {"cluster", "slots"}).substr(0, 8), "*1\r\n*4\r\n");
  EXPECT_NE(node.text(CommandId::kClusterNodes, {"cluster", "nodes"}).find("slave,fail? "), std::string::npos);
  node.node.members[2].link_up = true;
  node.node.role = NodeRole::kCandidate;
  node.node.leader = 0;
  EXPECT_EQ(node.run(CommandId::kClusterSlots, {"cluster", "slots"}), slots);
  EXPECT_NE(node.text(CommandId::kClusterInfo, {"cluster", "info"}).find("cluster_state:fail\r\n"), std::string::npos);
  node.node.last_leader = 0;
  EXPECT_EQ(node.run(CommandId::kClusterSlots, {"cluster", "slots"}), "*0\r\n");
}

TEST(LocalCluster, KeysFailoverAndRefusals) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kClusterKeyslot, {"cluster", "keyslot", "a{b}"}), ":3300\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterCountkeysinslot, {"cluster", "countkeysinslot", "7"}), ":7\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterCountkeysinslot, {"cluster", "countkeysinslot", "16384"}),
            "-ERR Invalid slot\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterGetkeysinslot, {"cluster", "getkeysinslot", "7", "2"}),
            "*2\r\n$1\r\nk\r\n$1\r\nk\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterGetkeysinslot, {"cluster", "getkeysinslot", "7", "-1"}),
            "-ERR Invalid slot or number of keys\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterFailover, {"cluster", "failover"}),
            "-ERR You should send CLUSTER FAILOVER to a replica\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterReplicas, {"cluster", "replicas", "foo"}), "-ERR Unknown node foo\r\n");
  const std::string leader = node_name(node.node, 1);
  EXPECT_EQ(node.run(CommandId::kClusterReplicas, {"cluster", "replicas", leader}).substr(0, 4), "*2\r\n");
  EXPECT_EQ(node.run(CommandId::kClusterSetslot, {"cluster", "setslot", "1", "stable"}).substr(0, 22),
            "-ERR Slots cannot be m");
  EXPECT_EQ(node.run(CommandId::kClusterReplicate, {"cluster", "replicate", leader}).substr(0, 27),
            "-ERR Cluster members are de");
  EXPECT_EQ(node.run(CommandId::kClusterMeet, {"cluster", "meet", "h", "1"}), "");
  EXPECT_EQ(node.run(CommandId::kClusterMeet, {"cluster", "meet", "h", "60000"}).substr(0, 26),
            "-ERR Invalid node address ");
  EXPECT_EQ(node.run(CommandId::kClusterForget, {"cluster", "forget", leader, "2", "force"}), "");
  EXPECT_EQ(node.run(CommandId::kClusterPromote, {"cluster", "promote", "2"}), "");
  EXPECT_EQ(node.run(CommandId::kClusterDemote, {"cluster", "demote", "7"}), "-ERR Unknown node 7\r\n");
  EXPECT_EQ(node.done, "meet h:1@10001;change 0 force 1 2;change 1 2;");
  node.done.clear();
  node.node.node = 2;
  node.node.role = NodeRole::kFollower;
  EXPECT_EQ(node.run(CommandId::kClusterFailover, {"cluster", "failover", "takeover"}), "+OK\r\n");
  EXPECT_EQ(node.done, "transfer 2;");
  node.node.cluster_enabled = false;
  for (const CommandId id :
       {CommandId::kClusterNodes, CommandId::kClusterSlots, CommandId::kClusterInfo, CommandId::kClusterSetslot,
        CommandId::kReadonly, CommandId::kAsking, CommandId::kClusterHelp}) {
    EXPECT_EQ(node.run(id, {"cluster", "x", "y"}), "-ERR This instance has cluster support disabled\r\n");
  }
}

TEST(LocalSentinel, AnyMasterNameFindsTheLeader) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kSentinelGetMasterAddrByName, {"sentinel", "get-master-addr-by-name", "x"}),
            "*2\r\n$8\r\n10.0.0.1\r\n$4\r\n7001\r\n");
  EXPECT_EQ(
      node.run(CommandId::kSentinelMasters, {"sentinel", "masters"}).find("*1\r\n*40\r\n$4\r\nname\r\n$8\r\nmymaster"),
      0u);
  EXPECT_EQ(node.run(CommandId::kSentinelReplicas, {"sentinel", "replicas", "x"}).substr(0, 4), "*2\r\n");
  EXPECT_EQ(node.run(CommandId::kSentinelSentinels, {"sentinel", "sentinels", "x"}).substr(0, 4), "*2\r\n");
  EXPECT_EQ(node.run(CommandId::kSentinelCkquorum, {"sentinel", "ckquorum", "x"}).substr(0, 22),
            "+OK 3 usable Sentinels");
  node.node.members[1].link_up = node.node.members[2].link_up = false;
  EXPECT_EQ(node.run(CommandId::kSentinelCkquorum, {"sentinel", "ckquorum", "x"}).substr(0, 9), "-NOQUORUM");
  node.node.leader = 0;
  EXPECT_EQ(node.run(CommandId::kSentinelGetMasterAddrByName, {"sentinel", "get-master-addr-by-name", "x"}), "*-1\r\n");
}

TEST(LocalDebug, StandsBehindEnableDebugCommand) {
  FakeNode node;
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "digest"}).substr(0, 31), "-ERR DEBUG command not allowed.");
  node.settings_value = settings_of("enable-debug-command local\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "digest"}), "+" + std::string(40, 'd') + "\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "sleep", "0.5"}), "");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "set-active-expire", "0"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "jmap"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "reload"}), "");
  EXPECT_EQ(node.done, "sleep 500000;expire off;save;");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "object", "x"}), "-ERR no such key\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "7"}), "");
  EXPECT_EQ(node.populated, "key 7 0");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "7", "pre", "90"}), "");
  EXPECT_EQ(node.populated, "pre 7 90");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "-7"}),
            "-ERR value is out of range, must be positive\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "populate", "100000001"}), "-ERR value is out of range\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "protocol", "map"}), "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n");
  EXPECT_EQ(node.run(CommandId::kDebug, {"debug", "segfault"}),
            "-ERR unknown subcommand or wrong number of arguments for 'segfault'. Try DEBUG HELP.\r\n");
}

TEST(LocalSlowLog, KeepsTheNewestAndShortensArguments) {
  FakeNode node;
  const std::string big(200, 'x');
  std::vector<std::string_view> many(40, "a");
  many[1] = big;
  node.slow_log_value.add(100, 5, many, "p:1", "n", 2);
  const SlowLog::Entry& entry = node.slow_log_value.entries().front();
  EXPECT_EQ(entry.arguments.size(), 32u);
  EXPECT_EQ(entry.arguments[1], std::string(128, 'x') + "... (72 more bytes)");
  EXPECT_EQ(entry.arguments[31], "... (9 more arguments)");
  for (int i = 0; i < 3; ++i) {
    node.slow_log_value.add(101, 6, std::vector<std::string_view>{"get", "k"}, "p:2", "", 2);
  }
  EXPECT_EQ(node.run(CommandId::kSlowlogLen, {"slowlog", "len"}), ":2\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogGet, {"slowlog", "get", "1"}),
            "*1\r\n*6\r\n:3\r\n:101\r\n:6\r\n*2\r\n$3\r\nget\r\n$1\r\nk\r\n$3\r\np:2\r\n$0\r\n\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogGet, {"slowlog", "get", "-2"}),
            "-ERR count should be greater than or equal to -1\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogReset, {"slowlog", "reset"}), "+OK\r\n");
  EXPECT_EQ(node.run(CommandId::kSlowlogLen, {"slowlog", "len"}), ":0\r\n");
}

TEST(LocalLatency, EventsAndHistograms) {
  FakeNode node;
  node.latency_value.add("fsync", 10, 5);
  node.latency_value.add("fsync", 10, 9);
  node.latency_value.add("fsync", 11, 3);
  EXPECT_EQ(node.run(CommandId::kLatencyLatest, {"latency", "latest"}),
            "*1\r\n*4\r\n$5\r\nfsync\r\n:11\r\n:3\r\n:9\r\n");
  EXPECT_EQ(node.run(CommandId::kLatencyHistory, {"latency", "history", "fsync"}),
            "*2\r\n*2\r\n:10\r\n:9\r\n*2\r\n:11\r\n:3\r\n");
  EXPECT_EQ(node.run(CommandId::kLatencyGraph, {"latency", "graph", "x"}),
            "-ERR No samples available for event 'x'\r\n");
  EXPECT_EQ(node.run(CommandId::kLatencyReset, {"latency", "reset", "fsync", "x"}), ":1\r\n");

  Histogram histogram;
  for (std::uint64_t value = 1; value <= 1000; ++value) histogram.add(value);
  EXPECT_EQ(histogram.percentile(0), 1u);
  for (const std::uint64_t percent : {10u, 50u, 90u, 99u, 100u}) {
    EXPECT_GE(histogram.percentile(static_cast<double>(percent)), percent * 10);
    EXPECT_LE(histogram.percentile(static_cast<double>(percent)), percent * 10 + percent * 10 / 15 + 1);
  }
  const auto buckets = histogram.cumulative();
  EXPECT_EQ(buckets.front().first, 1u);
  EXPECT_EQ(buckets.back().second, 1000u);
  EXPECT_TRUE(std::ranges::is_sorted(buckets));
  Histogram extreme;
  extreme.add(0);
  extreme.add(~std::uint64_t{0});
  EXPECT_EQ(extreme.count(), 2u);
  EXPECT_EQ(extreme.cumulative().back().second, 2u);
}

TEST(LocalMemory, AnswersWithoutAStore) {
  FakeNode node;
  EXPECT_EQ(node.text(CommandId::kMemoryDoctor, {"memory", "doctor"}).substr(0, 6), "Hi Sam");
  EXPECT_EQ(node.run(CommandId::kMemoryPurge, {"memory", "purge"}), "+OK\r\n");
  EXPECT_NE(node.run(CommandId::kMemoryStats, {"memory", "stats"}).find("keys.count"), std::string::npos);
}

}  // namespace
}  // namespace redraft::replica::local
