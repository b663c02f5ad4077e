#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "server/commands/random.h"
#include "server/commands/watch.h"
#include "tests/commands/script_runner.h"

// The same entries leave the same state and the same replies on a node that applied them all and on one that was
// restored from a snapshot on the way, even one taken while writes went on (pitfall G1; architecture, section 6).

namespace redraft::commands {
namespace {

// Scripts that could tell one node from another: order of tables keyed by tables, random picks, the collector.
constexpr std::array<std::string_view, 6> kScripts{
    "redis.pcall('sadd',KEYS[1],tostring({}),ARGV[1]) return redis.pcall('smembers',KEYS[1])",
    "local t = {} for i = 1, 50 do t[{}] = i end local o = {} for k, v in pairs(t) do o[#o+1] = v end "
    "redis.pcall('append',KEYS[1],table.concat(o,','))",
    "redis.pcall('set',KEYS[2],math.random(1000000)) return redis.pcall('get',KEYS[2])",
    "redis.pcall('rpush',KEYS[1],collectgarbage('count')) return redis.pcall('lrange',KEYS[1],0,-1)",
    "redis.pcall('set',KEYS[1],table.concat(redis.call('time'),'.')) return redis.pcall('spop',KEYS[2])",
    "for i, k in ipairs(redis.call('keys','*')) do redis.pcall('append',k,i) end return redis.call('randomkey')"};

// Requests over few keys, so that types collide, containers grow and shrink, and keys expire.
class Requests {
 public:
  explicit Requests(std::uint64_t seed) : random_(seed) {}

  std::string next() {
    switch (random_.below(79)) {
      case 0:
        return "SET " + key() + ' ' + value();
      case 1:
        return "SET " + key() + ' ' + number() + " PX " + number();
      case 2:
        return "INCRBY " + key() + ' ' + number();
      case 3:
        return "APPEND " + key() + ' ' + value();
      case 4:
        return "SETRANGE " + key() + ' ' + number() + ' ' + value();
      case 5:
        return "INCRBYFLOAT " + key() + " 0.1";
      case 6:
        return "GETEX " + key() + " PX " + number();
      case 7:
        return "MSETNX " + key() + ' ' + value() + ' ' + key() + ' ' + value();
      case 8:
        return "DEL " + key() + ' ' + key();
      case 9:
        return "RENAME " + key() + ' ' + key();
      case 10:
        return "COPY " + key() + ' ' + key() + " REPLACE";
      case 11:
        return "PEXPIRE " + key() + ' ' + number();
      case 12:
        return "PERSIST " + key();
      case 13:
      case 14:
      case 15:
        return "RPUSH " + key() + ' ' + values();
      case 16:
      case 17:
        return "LPUSH " + key() + ' ' + values();
      case 18:
        return "LPOP " + key() + ' ' + number();
      case 19:
        return "LMOVE " + key() + ' ' + key() + " LEFT RIGHT";
      case 20:
        return "LINSERT " + key() + " BEFORE " + value() + ' ' + value();
      case 21:
        return "LREM " + key() + " 0 " + value();
      case 22:
        return "LTRIM " + key() + " 1 -2";
      case 23:
        return "LSET " + key() + " 0 " + value();
      case 24:
        return "LMPOP 2 " + key() + ' ' + key() + " RIGHT COUNT 3";
      case 25:
      case 26:
      case 27:
      case 28:
        return "SADD " + key() + ' ' + values();
      case 29:
      case 30:
        return "SREM " + key() + ' ' + values();
      case 31:
        return "SPOP " + key();
      case 32:
        return "SPOP " + key() + ' ' + number();
      case 33:
        return "SRANDMEMBER " + key() + " -5";
      case 34:
        return "SRANDMEMBER " + key() + " 5";
      case 35:
        return "SMOVE " + key() + ' ' + key() + ' ' + value();
      case 36:
        return "SUNIONSTORE " + key() + ' ' + key() + ' ' + key();
      case 37:
        return "SINTERSTORE " + key() + ' ' + key() + ' ' + key();
      case 38:
        return "SDIFFSTORE " + key() + ' ' + key() + ' ' + key();
      case 39:
        return "SMEMBERS " + key();
      case 40:
        return "LRANGE " + key() + " 0 -1";
      case 41:
        return "SORT " + key() + " ALPHA STORE " + key();
      case 42:
        return "RANDOMKEY";
      case 43:
        return "KEYS *";
      case 44:
        return "SSCAN " + key() + " 0";
      case 45:
      case 46:
        return "HSET " + key('h') + pairs();
      case 47:
        return "HDEL " + key('h') + ' ' + values();
      case 48:
        return "HINCRBY " + key('h') + ' ' + value() + ' ' + number();
      case 49:
        return "HINCRBYFLOAT " + key('h') + ' ' + value() + " 0.1";
      case 50:
        return "HRANDFIELD " + key('h') + " 5 WITHVALUES";
      case 51:
        return "HGETALL " + key('h');
      case 52:
        return "HSCAN " + key('h') + " 0";
      case 53:
      case 54:
        return "ZADD " + key('z') + scores();
      case 55:
        return "ZADD " + key('z') + " GT CH" + scores();
      case 56:
        return "ZINCRBY " + key('z') + " 0.1 " + value();
      case 57:
        return "ZREM " + key('z') + ' ' + values();
      case 58:
        return "ZPOPMIN " + key('z') + ' ' + number();
      case 59:
        return "ZMPOP 2 " + key('z') + ' ' + key('z') + " MAX COUNT 3";
      case 60:
        return "ZRANDMEMBER " + key('z') + " -5 WITHSCORES";
      case 61:
        return "ZRANGE " + key('z') + " 0 -1 WITHSCORES";
      case 62:
        return "ZREMRANGEBYRANK " + key('z') + " 2 " + number();
      case 63:
        return "ZREMRANGEBYLEX " + key('z') + " [1 [" + value();
      case 64:
        return "ZUNIONSTORE " + key('z') + " 2 " + key('z') + ' ' + key('z') + " WEIGHTS 1 0.5";
      case 65:
        return "ZINTERSTORE " + key('z') + " 2 " + key('z') + ' ' + key('z');
      case 66:
        return "ZRANGESTORE " + key('z') + ' ' + key('z') + " 5 " + number() + " BYSCORE";
      case 67:
        return "ZSCAN " + key('z') + " 0";
      case 68:
        return "ZRANGE " + key('z') + " [1 [2 BYLEX";
      case 69:
        return "COPY " + key('z') + ' ' + key('z') + " REPLACE";
      case 70:
        return "RENAME " + key('h') + ' ' + key('h');
      case 71:
        return "PEXPIRE " + key('z') + ' ' + number() + "00";
      case 72:
      case 73:
        return "EVAL \"" + std::string(kScripts[random_.below(kScripts.size())]) + "\" 2 " + key() + ' ' + key() + ' ' +
               value();
      case 74:
        return "SCRIPT LOAD \"return redis.call('ttl','" + key() + "')\"";
      case 75:
        return random_.below(20) == 0 ? "SCRIPT FLUSH" : "SCRIPT EXISTS x";
      case 76:
        return "FUNCTION LOAD REPLACE \"#!lua name=lib\\nredis.register_function('f', function(k, a) return "
               "redis.pcall('append', k[1], '" +
               number() + "') end)\"";
      case 77:
        return "FCALL f 1 " + key();
      default:
        return "@clock +" + number();
    }
  }

 private:
  // Mostly a key that holds one type and grows.
  std::string key(char type) { return random_.below(6) == 0 ? key() : type + std::to_string(random_.below(3)); }
  std::string key() { return "k" + std::to_string(random_.below(12)); }
  std::string number() { return std::to_string(random_.below(40)); }
  std::string value() {
    const std::uint64_t kind = random_.below(20);
    if (kind == 0) return std::string(5000, 'x') + number();
    return kind < 10 ? std::to_string(random_.below(300)) : "member-" + std::to_string(random_.below(300));
  }
  std::string values() {
    std::string all = value();
    for (std::uint64_t more = random_.below(30); more > 0; --more) all += ' ' + value();
    return all;
  }

  std::string pairs() {
    std::string all;
    for (std::uint64_t more = random_.below(20) + 1; more > 0; --more) all += ' ' + value() + ' ' + value();
    return all;
  }
  std::string scores() {
    std::string all;
    for (std::uint64_t more = random_.below(30) + 1; more > 0; --more) all += ' ' + number() + ".5 " + value();
    return all;
  }

  Random random_;
};

std::unique_ptr<store::Store> restored(const std::string& snapshot) {
  store::Restorer restorer;
  const Status added = restorer.add(snapshot);
  EXPECT_TRUE(added.ok());
  Result<std::unique_ptr<store::Store>> store = restorer.finish();
  EXPECT_TRUE(store.ok());
  return store.ok() ? std::move(*store) : nullptr;
}

class Determinism : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Determinism, AReplayedAndARestoredNodeAgree_G1) {
  const store::Options options{.databases = 16, .hash_seed = GetParam()};
  store::Store replayed(options);
  ScriptRunner first(replayed);
  store::Store source(options);
  std::unique_ptr<store::Store> second_store;
  ScriptRunner second(source);
  Requests requests(GetParam());
  std::string snapshot;
  constexpr int kRequests = 4000;
  for (int i = 0; i < kRequests; ++i) {
    const std::string request = requests.next();
    ASSERT_EQ(first.run(request), second.run(request)) << "request " << i << ", seed " << GetParam();
    // Every few hundred entries the second node's state goes through a snapshot that is taken in slices.
    if (i % 500 == 250) {
      store::Store& live = second_store != nullptr ? *second_store : source;
      snapshot.clear();
      live.begin_walk();
      while (live.walk(snapshot)) {
      }
      live.end_walk();
      second_store = restored(snapshot);
      ASSERT_NE(second_store, nullptr);
      second.use(*second_store);
    }
    // Freeing what has expired happens when each node likes, and must not be seen.
    if (i % 7 == 0) static_cast<void>(replayed.expire_due(3));
  }
  EXPECT_EQ(replayed.digest(first), second_store->digest(second));
}

// A snapshot whose walk and the writes take turns is the state at the entry where it began.
TEST_P(Determinism, ASnapshotTakenDuringWritesIsOfOneEntry_G1) {
  store::Store live({.databases = 16, .hash_seed = GetParam()});
  ScriptRunner runner(live);
  Requests requests(GetParam());
  for (int i = 0; i < 1000; ++i) static_cast<void>(runner.run(requests.next()));
  const std::string digest = live.digest(runner);
  std::string snapshot;
  live.begin_walk();
  bool more = true;
  while (more) {
    for (int i = 0; i < 20; ++i) static_cast<void>(runner.run(requests.next()));
    more = live.walk(snapshot);
  }
  live.end_walk();
  const std::unique_ptr<store::Store> copy = restored(snapshot);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->digest(runner), digest);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Determinism, testing::Values(1u, 2u, 3u, 4u, 5u));

// Waiters and their order are in the snapshot too.
TEST(Determinism, WaitersSurviveASnapshot_G1) {
  store::Store before({.databases = 16, .hash_seed = 1});
  ScriptRunner runner(before);
  static_cast<void>(
      runner.run("XGROUP CREATE s g $ MKSTREAM\n"
                 "two> BLPOP p q 0\nthree> BLMOVE q d LEFT LEFT 0\n"
                 "four> XREADGROUP GROUP g c BLOCK 0 STREAMS s >\n"));
  std::string snapshot;
  before.begin_walk();
  while (before.walk(snapshot)) {
  }
  before.end_walk();
  const std::unique_ptr<store::Store> after = restored(snapshot);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->digest(runner), before.digest(runner));
  runner.use(*after);
  EXPECT_EQ(runner.run("RPUSH q a b\n"), "RPUSH q a b\n    => :2\n    two => *2 $1 q $1 a\n    three => $1 b\n");
  EXPECT_EQ(runner.run("DEL s\n"),
            "DEL s\n    => :1\n    four => -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP "
            "with GROUP option\n");
}

class Watching : public testing::Test {
 protected:
  // What WATCH key, then `script`, then EXEC would find.
  bool changed_by(const std::string& script) {
    const WatchedKey seen = watch_key(store_, 0, "k", store_.clock_ms(), store_.index());
    static_cast<void>(runner_.run(script));
    store_.begin_read(runner_.clock_ms());
    const bool changed = watched_key_changed(store_, seen, "k");
    needs_clock_ = store_.end_read();
    return changed;
  }
  void run(const std::string& script) { static_cast<void>(runner_.run(script)); }

  store::Store store_{{.databases = 16, .hash_seed = 1}};
  ScriptRunner runner_{store_};
  bool needs_clock_ = false;  // the last changed_by answered by a clock that no entry has yet
};

// redis-semantics, "Transactions": WATCH sees whatever changes a key.
TEST_F(Watching, SeesEveryKindOfChange) {
  for (const char* change :
       {"SET k w\n", "APPEND k x\n", "DEL k\n", "EXPIRE k 100\n", "RENAME k l\n", "MOVE k 1\n", "FLUSHDB\n",
        "FLUSHALL\n", "SWAPDB 0 1\n", "INCR k\n", "GETDEL k\n", "GETEX k EX 10\n", "SETRANGE k 0 7\n",
        "COPY other k REPLACE\n", "RENAME other k\n", "SET k 1 KEEPTTL\n", "PEXPIREAT k 1\n"}) {
    run("FLUSHALL\nSELECT 0\nSET k 1\nSET other 2\n");
    EXPECT_TRUE(changed_by(change)) << change;
  }
  for (const char* change : {"RPUSH k c\n", "LPOP k\n", "LSET k 0 z\n", "LINSERT k BEFORE a y\n", "LREM k 0 a\n",
                             "LTRIM k 0 0\n", "LMOVE k l LEFT LEFT\n", "RPOPLPUSH l2 k\n", "SORT l2 STORE k\n"}) {
    run("FLUSHALL\nRPUSH k a b\nRPUSH l2 1\n");
    EXPECT_TRUE(changed_by(change)) << change;
  }
  for (const char* change : {"SADD k c\n", "SREM k a\n", "SPOP k\n", "SPOP k 1\n", "SMOVE k s2 a\n", "SMOVE s2 k c\n",
                             "SINTERSTORE k s2 s2\n", "SDIFFSTORE k k k\n"}) {
    run("FLUSHALL\nSADD k a b\nSADD s2 c\n");
    EXPECT_TRUE(changed_by(change)) << change;
  }
  for (const char* change :
       {"HSET k f w\n", "HDEL k f\n", "HSETNX k g 1\n", "HINCRBY k f 1\n", "HINCRBYFLOAT k f 1\n"}) {
    run("FLUSHALL\nHSET k f 1\n");
    EXPECT_TRUE(changed_by(change)) << change;
  }
  for (const char* change :
       {"ZADD k 2 a\n", "ZINCRBY k 1 a\n", "ZREM k a\n", "ZPOPMIN k\n", "ZMPOP 1 k MAX\n", "BZPOPMIN k 0\n",
        "ZREMRANGEBYRANK k 0 0\n", "ZUNIONSTORE k 1 z2\n", "ZDIFFSTORE k 1 nothing\n", "ZRANGESTORE k z2 0 -1\n"}) {
    run("FLUSHALL\nZADD k 1 a 2 b\nZADD z2 1 c\n");
    EXPECT_TRUE(changed_by(change)) << change;
  }
}

TEST_F(Watching, IsNotDisturbedByReadsAndByWritesThatChangeNothing) {
  for (const char* nothing :
       {"GET k\n", "SET k x NX\n", "SETNX k x\n", "PERSIST k\n", "EXPIRE k 10 XX\n", "LPUSHX nothing a\n", "SET l x\n",
        "SELECT 1\nSET k x\nSELECT 0\n", "GETEX k\n", "DEL nothing\n", "SETRANGE k 0 \"\"\n", "RENAMENX l k\n"}) {
    run("FLUSHALL\nSET k 1\n");
    EXPECT_FALSE(changed_by(nothing)) << nothing;
  }
  run("FLUSHALL\nSADD k a\n");
  EXPECT_FALSE(changed_by("SADD k a\n"));
  EXPECT_FALSE(changed_by("SREM k z\n"));
  run("FLUSHALL\nZADD k 1 a\n");
  EXPECT_FALSE(
      changed_by("ZADD k 1 a\nZADD k NX 5 a\nZADD k XX 5 b\nZREM k b\nZREMRANGEBYSCORE k 7 9\nZRANGE k 0 -1\n"));
}

TEST_F(Watching, ADeadlineThatPassesIsAChangeAndOneThatHadPassedIsNot) {
  run("SET k 1 PX 100\n");
  EXPECT_TRUE(changed_by("@clock +100\n"));
  EXPECT_TRUE(needs_clock_) << "what an answer says must not un-happen";
  run("PING\n");  // any entry: the store learns the time
  EXPECT_FALSE(changed_by("@clock +100\n"));
  static_cast<void>(store_.expire_due(10));
  EXPECT_FALSE(changed_by("@clock +1\n"));
  EXPECT_TRUE(changed_by("SET k 2\n"));
}

// Pitfall G4: long commands let peers and timers be served about every 256 elements.
TEST(LongWork, Breathes_G4) {
  store::Store store({.databases = 16, .hash_seed = 1});
  ScriptRunner runner(store);
  std::string members;
  for (int i = 0; i < 3000; ++i) members += ' ' + std::to_string(i * 7) + 'x';
  static_cast<void>(runner.run("SADD s" + members + "\nRPUSH l" + members + '\n'));
  for (const char* request : {"SMEMBERS s", "SINTER s s", "SUNION s t", "SDIFF s t", "SUNIONSTORE d s t",
                              "SRANDMEMBER s -3000", "SRANDMEMBER s 2999", "LRANGE l 0 -1", "LPOS l nope",
                              "LREM l 0 nope", "SORT l ALPHA", "LPOP l 1000", "SPOP s 1000"}) {
    const std::uint64_t before = runner.breaths();
    static_cast<void>(runner.run(request));
    EXPECT_GE(runner.breaths() - before, 3u) << request;
  }
}

}  // namespace
}  // namespace redraft::commands
