// What clients are told unasked, one story per test: published messages on every node, keyspace events, invalidations,
// MONITOR (redis-semantics, "Pub/sub, keyspace events, tracking").

#include "tests/replica/story.h"

namespace redraft::sim {
namespace {

class EventsTest : public ReplicaTest {
 protected:
  std::uint64_t other_follower() {
    for (std::uint64_t node = 1;; ++node) {
      if (node != leader().id() && node != follower()) return node;
    }
  }
  // So long that whatever was to come has come.
  std::string rest(Talker& talker, std::uint64_t for_us = 300'000) {
    world_->run_for(for_us);
    return talker.heard().empty() ? std::string() : talker.hear(0);
  }
};

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::string message(const std::string& channel, const std::string& text) {
  return "*3\r\n" + bulk("message") + bulk(channel) + bulk(text);
}

std::string push(const std::string& channel, const std::string& text) {
  return ">3\r\n" + bulk("message") + bulk(channel) + bulk(text);
}

TEST_F(EventsTest, PublishReachesSubscribersOnAllNodesAndCountsThoseOfItsOwn) {
  begin(3);
  Talker here(*world_, leader().id());
  Talker there(*world_, follower());
  Talker third(*world_, other_follower());
  EXPECT_EQ(here.ask({"SUBSCRIBE", "news"}), "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
  EXPECT_EQ(there.ask({"PSUBSCRIBE", "n*"}), "*3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:1\r\n");
  EXPECT_EQ(third.ask({"SSUBSCRIBE", "news"}), "*3\r\n$10\r\nssubscribe\r\n$4\r\nnews\r\n:1\r\n");
  Talker publisher(*world_, leader().id());
  EXPECT_EQ(publisher.ask({"PUBLISH", "news", "one"}), ":1\r\n");
  EXPECT_EQ(here.hear(1), message("news", "one"));
  EXPECT_EQ(there.hear(1), "*4\r\n" + bulk("pmessage") + bulk("n*") + bulk("news") + bulk("one"));
  Talker on_follower(*world_, follower());
  EXPECT_EQ(on_follower.ask({"PUBLISH", "news", "two"}), ":1\r\n") << "accepted on every node";
  EXPECT_EQ(here.hear(1), message("news", "two"));
  EXPECT_EQ(on_follower.ask({"SPUBLISH", "news", "three"}), ":0\r\n");
  EXPECT_EQ(third.hear(1), "*3\r\n" + bulk("smessage") + bulk("news") + bulk("three"));
  EXPECT_EQ(rest(here), "");
}

TEST_F(EventsTest, AMessageLargerThanAPeerFrameArrivesWhole) {
  begin(3);
  Talker there(*world_, follower());
  there.ask({"SUBSCRIBE", "big"});
  Talker publisher(*world_, leader().id());
  const std::string text(3'000'000, 'x');
  EXPECT_EQ(publisher.ask({"PUBLISH", "big", text}), ":0\r\n");
  EXPECT_EQ(there.hear(1), message("big", text));
}

TEST_F(EventsTest, PublishComesAfterItsConnectionsEarlierWrites) {
  begin(3);
  Talker subscriber(*world_, follower());
  subscriber.ask({"SUBSCRIBE", "done"});
  Talker publisher(*world_, leader().id());
  publisher.say({{"SET", "k", "v"}, {"PUBLISH", "done", "k"}});
  EXPECT_EQ(subscriber.hear(1), message("done", "k"));
  Talker reader(*world_, leader().id());
  EXPECT_EQ(reader.ask({"GET", "k"}), bulk("v"));
}

TEST_F(EventsTest, PublishInATransactionIsDeliveredAtApplyOnEveryNode) {
  begin(3);
  Talker here(*world_, leader().id());
  Talker there(*world_, follower());
  here.ask({"SUBSCRIBE", "c"});
  there.ask({"SUBSCRIBE", "c"});
  Talker client(*world_, leader().id());
  client.say({{"MULTI"}, {"SET", "k", "1"}, {"PUBLISH", "c", "m"}, {"EXEC"}});
  EXPECT_EQ(client.hear(4), "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n");
  EXPECT_EQ(here.hear(1), message("c", "m"));
  EXPECT_EQ(there.hear(1), message("c", "m"));
}

// Pitfall G5: what is replayed after a restart is not published again.
TEST_F(EventsTest, G5ReplayPublishesNothing) {
  begin(1);
  Talker client(*world_, 1);
  client.say({{"MULTI"}, {"SET", "k", "1"}, {"PUBLISH", "c", "m"}, {"EXEC"}});
  client.hear(4);
  client.ask({"SET", "short", "1", "PX", "100"});
  world_->run_for(300'000);
  world_->node(1).kill();
  world_->node(1).start();
  Talker subscriber(*world_, 1);
  subscriber.ask({"CONFIG", "SET", "notify-keyspace-events", "KEA"});
  subscriber.ask({"PSUBSCRIBE", "*"});
  await_leader();
  EXPECT_EQ(rest(subscriber, 1'000'000), "");
}

TEST_F(EventsTest, SubscribedModeOfResp2) {
  begin(1);
  Talker client(*world_, 1);
  EXPECT_EQ(client.ask({"SUBSCRIBE", "a"}), "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(client.ask({"GET", "k"}),
            "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
            "this context\r\n");
  EXPECT_EQ(client.ask({"PING"}), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  EXPECT_EQ(client.ask({"UNSUBSCRIBE"}), "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n");
  EXPECT_EQ(client.ask({"UNSUBSCRIBE"}), "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(client.ask({"GET", "k"}), "$-1\r\n");
  client.ask({"SUBSCRIBE", "a"});
  EXPECT_EQ(client.ask({"RESET"}), "+RESET\r\n");
  EXPECT_EQ(client.ask({"PUBLISH", "a", "m"}), ":0\r\n");
}

// A push waits for the end of the command that causes it, and overtakes nothing.
TEST_F(EventsTest, APushComesAfterTheReplyOfItsOwnConnectionsCommand) {
  begin(1);
  Talker client(*world_, 1);
  client.ask({"HELLO", "3"});
  client.ask({"CONFIG", "SET", "notify-keyspace-events", "E$g"});
  client.say({Command{"SUBSCRIBE", "__keyevent@0__:set", "__keyevent@0__:del"}});
  client.hear(2);
  client.say({{"SET", "k", "v"}, {"GET", "k"}, {"PUBLISH", "__keyevent@0__:set", "own"}, {"PING"}});
  EXPECT_EQ(client.hear(6), "+OK\r\n" + push("__keyevent@0__:set", "k") + bulk("v") + ":1\r\n" +
                                push("__keyevent@0__:set", "own") + "+PONG\r\n");
  client.say({{"MULTI"}, {"SET", "k", "w"}, {"DEL", "k"}, {"EXEC"}});
  EXPECT_EQ(client.hear(6), "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n" + push("__keyevent@0__:set", "k") +
                                push("__keyevent@0__:del", "k"));
}

TEST_F(EventsTest, EachNodeRaisesKeyspaceEventsForItsOwnSetting) {
  begin(3);
  Talker here(*world_, leader().id());
  Talker there(*world_, follower());
  there.ask({"CONFIG", "SET", "notify-keyspace-events", "KEA"});
  here.ask({"PSUBSCRIBE", "__key*"});
  there.ask({"PSUBSCRIBE", "__key*"});
  Talker client(*world_, leader().id());
  client.say({{"SELECT", "2"}, {"LPUSH", "l", "a"}, {"GET", "nothing"}});
  client.hear(3);
  const std::string event = bulk("pmessage") + bulk("__key*");
  EXPECT_EQ(there.hear(2), "*4\r\n" + event + bulk("__keyspace@2__:l") + bulk("lpush") + "*4\r\n" + event +
                               bulk("__keyevent@2__:lpush") + bulk("l"));
  EXPECT_EQ(rest(here), "");
}

TEST_F(EventsTest, ExpiredComesOnceOnEachNodeAndSoon) {
  begin(3);
  std::vector<std::unique_ptr<Talker>> all;
  for (std::uint64_t node = 1; node <= 3; ++node) {
    all.push_back(std::make_unique<Talker>(*world_, node));
    all.back()->ask({"CONFIG", "SET", "notify-keyspace-events", "Ex"});
    all.back()->ask({"SUBSCRIBE", "__keyevent@0__:expired"});
  }
  Talker client(*world_, leader().id());
  client.ask({"SET", "k", "v", "PX", "500"});
  world_->run_for(490'000);
  for (auto& talker : all) EXPECT_EQ(talker->heard(), "");
  world_->run_for(110'000);
  for (auto& talker : all) EXPECT_EQ(talker->heard(), message("__keyevent@0__:expired", "k"));
  EXPECT_EQ(client.ask({"GET", "k"}), "$-1\r\n");
  for (auto& talker : all) EXPECT_EQ(rest(*talker), message("__keyevent@0__:expired", "k")) << "once";
}

TEST_F(EventsTest, MissedKeysAreToldWhereTheyWereMissed) {
  begin(1);
  Talker subscriber(*world_, 1);
  subscriber.ask({"CONFIG", "SET", "notify-keyspace-events", "Em"});
  subscriber.ask({"SUBSCRIBE", "__keyevent@0__:keymiss"});
  Talker client(*world_, 1);
  client.ask({"GET", "none"});
  EXPECT_EQ(subscriber.hear(1), message("__keyevent@0__:keymiss", "none"));
}

// Who may have missed something is told by losing the connection: the numbers of messages show it when the link is
// back.
TEST_F(EventsTest, SubscribersThatMissedAMessageAreClosed) {
  begin(3);
  const std::uint64_t away = follower();
  Talker there(*world_, away);
  Talker third(*world_, other_follower());
  there.ask({"SUBSCRIBE", "c"});
  third.ask({"SUBSCRIBE", "c"});
  Talker publisher(*world_, leader().id());
  publisher.ask({"PUBLISH", "c", "1"});
  there.hear(1);
  world_->network().cut(leader().id(), away);
  world_->network().cut(away, leader().id());
  publisher.ask({"PUBLISH", "c", "2"});
  EXPECT_EQ(third.hear(2), message("c", "1") + message("c", "2"));
  world_->run_for(10'000'000);  // the links give up
  EXPECT_EQ(there.heard(), "");
  world_->network().heal_all();
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return there.closed(); }));
  EXPECT_FALSE(third.closed());
}

TEST_F(EventsTest, ANodeThatLosesTouchClosesItsSubscribers) {
  begin(3);
  const std::uint64_t old = leader().id();
  Talker subscriber(*world_, old);
  Talker plain(*world_, old);
  subscriber.ask({"SUBSCRIBE", "c"});
  plain.ask({"PING"});
  isolate(old, 3);
  ASSERT_TRUE(world_->run_until(10'000'000, [&] { return subscriber.closed(); }));
  EXPECT_FALSE(plain.closed());
  world_->network().heal_all();
  await_leader();
}

// ---- Client-side caching

std::string invalidate(const std::string& key) {
  return ">2\r\n" + bulk("invalidate") + "*1\r\n" + bulk(key);
}

TEST_F(EventsTest, TrackedKeysAreInvalidatedOnce) {
  begin(3);
  Talker cache(*world_, leader().id());
  Talker writer(*world_, leader().id());
  cache.ask({"HELLO", "3"});
  EXPECT_EQ(cache.ask({"CLIENT", "TRACKING", "ON"}), "+OK\r\n");
  cache.ask({"GET", "k"});
  writer.ask({"SET", "other", "1"});
  writer.ask({"SET", "k", "1"});
  EXPECT_EQ(cache.hear(1), invalidate("k"));
  writer.ask({"SET", "k", "2"});
  EXPECT_EQ(rest(cache), "") << "it was not read again";
  cache.ask({"MGET", "a", "b"});
  writer.say({{"MSET", "a", "1", "b", "2"}, {"PEXPIRE", "a", "200"}});
  writer.hear(2);
  EXPECT_EQ(cache.hear(2), invalidate("a") + invalidate("b"));
  cache.ask({"GET", "a"});
  EXPECT_EQ(cache.hear(1), invalidate("a")) << "expiry";
  cache.ask({"GET", "b"});
  writer.ask({"FLUSHALL"});
  EXPECT_EQ(cache.hear(1), ">2\r\n" + bulk("invalidate") + "_\r\n");
  EXPECT_EQ(rest(cache), "");
}

TEST_F(EventsTest, TrackingModes) {
  begin(1);
  Talker cache(*world_, 1);
  Talker writer(*world_, 1);
  cache.ask({"HELLO", "3"});
  cache.ask({"CLIENT", "TRACKING", "ON", "OPTIN", "NOLOOP"});
  cache.say({{"GET", "a"}, {"CLIENT", "CACHING", "YES"}, {"GET", "b"}, {"GET", "c"}});
  cache.hear(4);
  writer.ask({"MSET", "a", "1", "b", "1", "c", "1"});
  EXPECT_EQ(rest(cache), invalidate("b"));
  cache.say({{"CLIENT", "CACHING", "YES"}, {"MULTI"}, {"GET", "a"}, {"GET", "b"}, {"EXEC"}, {"SET", "a", "own"}});
  cache.hear(6);
  writer.ask({"SET", "b", "2"});
  EXPECT_EQ(rest(cache), invalidate("b"));
  cache.ask({"CLIENT", "TRACKING", "OFF"});
  cache.ask({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "x:", "PREFIX", "y:"});
  writer.say({{"SET", "x:1", "1"}, {"SET", "z", "1"}, {"SET", "x:1", "2"}, {"SET", "y:1", "1"}});
  writer.hear(4);
  const std::string told = rest(cache);
  EXPECT_NE(told.find(invalidate("x:1")), std::string::npos) << told;
  EXPECT_NE(told.find(invalidate("y:1")), std::string::npos) << told;
  EXPECT_EQ(told.find("$1\r\nz"), std::string::npos) << told;
  EXPECT_EQ(
      cache.ask({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "x"}),
      "-ERR Prefix 'x' overlaps with an existing prefix 'x:'. Prefixes for a single client must not overlap.\r\n");
}

TEST_F(EventsTest, InvalidationsOfResp2GoToAnotherClient) {
  begin(1);
  Talker listener(*world_, 1);
  Talker cache(*world_, 1);
  Talker writer(*world_, 1);
  const std::string id = listener.ask({"CLIENT", "ID"});
  listener.ask({"SUBSCRIBE", "__redis__:invalidate"});
  cache.ask({"CLIENT", "TRACKING", "ON", "REDIRECT", id.substr(1, id.size() - 3)});
  cache.ask({"GET", "k"});
  writer.ask({"SET", "k", "v"});
  EXPECT_EQ(listener.hear(1), "*3\r\n" + bulk("message") + bulk("__redis__:invalidate") + "*1\r\n" + bulk("k"));
  listener.hang_up();
  world_->run_for(50'000);
  cache.say({{"HELLO", "3"}, {"GET", "k"}});
  cache.hear(2);
  writer.ask({"SET", "k", "w"});
  EXPECT_EQ(cache.hear(1), ">2\r\n" + bulk("tracking-redir-broken") + id);
}

TEST_F(EventsTest, ANodeThatStopsLeadingTellsItsClientsToForget) {
  begin(3);
  const std::uint64_t old = leader().id();
  Talker cache(*world_, old);
  cache.ask({"HELLO", "3"});
  cache.ask({"CLIENT", "TRACKING", "ON"});
  cache.ask({"GET", "k"});
  isolate(old, 3);
  EXPECT_EQ(cache.hear(1), ">2\r\n" + bulk("invalidate") + "_\r\n");
  world_->network().heal_all();
  await_leader();
}

TEST_F(EventsTest, LatencyKnowsTheLogsStages) {
  begin(3);
  Talker client(*world_, leader().id());
  client.ask({"SET", "k", "v"});
  const std::string told = client.ask({"LATENCY", "HISTOGRAM", "log-sync", "log-commit", "log-apply"});
  for (const std::string stage : {"log-sync", "log-commit", "log-apply"}) {
    EXPECT_NE(told.find(bulk(stage)), std::string::npos) << told;
  }
}

TEST_F(EventsTest, MonitorShowsReadsWhereTheyRunAndWritesWhereTheyAreApplied) {
  begin(3);
  Talker here(*world_, leader().id());
  Talker there(*world_, follower());
  EXPECT_EQ(here.ask({"MONITOR"}), "+OK\r\n");
  EXPECT_EQ(there.ask({"MONITOR"}), "+OK\r\n");
  Talker client(*world_, leader().id());
  client.say({{"SET", "k", "v\n"}, {"GET", "k"}, {"CONFIG", "GET", "port"}, {"AUTH", "default", "x"}});
  client.hear(4);
  world_->run_for(200'000);
  EXPECT_NE(here.heard().find("] \"SET\" \"k\" \"v\\n\"\r\n"), std::string::npos) << here.heard();
  EXPECT_NE(here.heard().find("] \"GET\" \"k\"\r\n"), std::string::npos) << here.heard();
  EXPECT_NE(here.heard().find("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"), std::string::npos) << here.heard();
  EXPECT_EQ(here.heard().find("CONFIG"), std::string::npos) << "administrative";
  EXPECT_NE(there.heard().find("node:" + std::to_string(leader().id()) + "] \"SET\" \"k\""), std::string::npos)
      << there.heard();
  EXPECT_EQ(there.heard().find("GET"), std::string::npos) << there.heard();
  static_cast<void>(here.hear(0));
  EXPECT_EQ(here.ask({"GET", "k"}), "-ERR Replica can't interact with the keyspace\r\n");
}

// A read that meets a key just past its deadline waits for an entry and runs again; it is shown when it is answered.
TEST_F(EventsTest, MonitorShowsAReadThatRanTwiceOnce) {
  begin(3);
  Talker watcher(*world_, leader().id());
  EXPECT_EQ(watcher.ask({"MONITOR"}), "+OK\r\n");
  Talker client(*world_, leader().id());
  constexpr int kTimes = 30;
  for (int i = 0; i < kTimes; ++i) {
    client.ask({"SET", "k", "v", "PX", "50"});
    world_->run_for(35'000 + static_cast<std::uint64_t>(i) * 1000);
    client.ask({"EVAL", "return redis.call('get',KEYS[1])", "1", "k"});
    client.say({{"MULTI"}, {"STRLEN", "k"}, {"EXEC"}});
    client.hear(3);
  }
  world_->run_for(200'000);
  const auto shown = [text = watcher.heard()](std::string_view what) {
    int count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(shown("] \"EVAL\""), kTimes);
  EXPECT_EQ(shown(" lua] \"get\" \"k\""), kTimes);
  EXPECT_EQ(shown("] \"STRLEN\" \"k\""), kTimes);
  EXPECT_EQ(shown("] \"EXEC\""), kTimes);
}

}  // namespace
}  // namespace redraft::sim
