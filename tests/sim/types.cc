#include <array>

#include "server/scripting/sha1.h"
#include "tests/sim/workloads.h"

// Every type of value, and scripts and functions on them, under keys of their own: judged by the replay with the
// production code itself on one undisturbed node (reference.h).

namespace redraft::sim {
namespace {

constexpr std::array<std::string_view, 4> kScripts{
    "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    "return {redis.call('SADD', KEYS[1], ARGV[1]), redis.call('SPOP', KEYS[1])}",
    "local p = redis.pcall('XPENDING', KEYS[1], 'g', '-', '+', 1) if p.err or #p == 0 then return ARGV[1] end "
    "return redis.call('XACK', KEYS[1], 'g', p[1][1])",
    "for i = 1, 5 do redis.call('RPUSH', KEYS[1], ARGV[1] .. i) end return redis.call('LLEN', KEYS[1])",
};
constexpr std::array<std::string_view, 4> kScriptKeys{"types:n", "types:s", "types:x", "types:l"};

constexpr std::string_view kLibrary =
    "#!lua name=sim\n"
    "redis.register_function('sim_add', function(keys, args) return redis.call('ZINCRBY', keys[1], args[1], args[2]) "
    "end)\n";

// N a small number, F a score with a fraction, M one of a few members, B a bit's place, T a time in milliseconds.
constexpr std::array kForms{
    "HSETNX types:h M N",
    "HINCRBY types:h M N",
    "HINCRBYFLOAT types:hf M F",
    "HDEL types:h M",
    "HKEYS types:h",
    "HVALS types:h",
    "HMGET types:h M M",
    "ZADD types:z GT F M",
    "ZADD types:z NX F M F M",
    "ZADD types:z XX CH F M",
    "ZINCRBY types:z F M",
    "ZREM types:z M",
    "ZRANK types:z M",
    "ZREVRANGE types:z 0 -1 WITHSCORES",
    "ZRANGEBYSCORE types:z (N +inf",
    "ZPOPMAX types:z",
    "ZUNIONSTORE types:z2 2 types:z types:z2 AGGREGATE MAX",
    "ZREMRANGEBYRANK types:z2 0 N",
    "XADD types:x * f N",
    "XADD types:x MAXLEN 20 * f N g M",
    "XGROUP CREATE types:x g 0 MKSTREAM",
    "XREADGROUP GROUP g M COUNT 2 STREAMS types:x >",
    "XREADGROUP GROUP g M STREAMS types:x 0",
    "XAUTOCLAIM types:x g M 10 0",
    "XPENDING types:x g",
    "XPENDING types:x g - + 10",
    "XINFO GROUPS types:x",
    "XTRIM types:x MAXLEN 10",
    "XRANGE types:x - +",
    "SETBIT types:b B 1",
    "GETBIT types:b B",
    "BITCOUNT types:b",
    "BITFIELD types:b INCRBY u5 B N",
    "BITOP XOR types:b2 types:b types:b2",
    "BITPOS types:b2 1",
    "PFADD types:p M N",
    "PFCOUNT types:p types:p2",
    "PFMERGE types:p2 types:p",
    "GEOADD types:g F F M",
    "GEOPOS types:g M",
    "GEODIST types:g M M",
    "GEOSEARCH types:g FROMLONLAT 5 5 BYRADIUS 900 km ASC",
    "SADD types:s M N",
    "SADD types:s2 M N",
    "SREM types:s M",
    "SPOP types:s 2",
    "SMEMBERS types:s",
    "SMOVE types:s types:s2 M",
    "SDIFFSTORE types:s3 types:s types:s2",
    "SUNION types:s types:s3",
    "RPUSH types:l M N",
    "LINSERT types:l BEFORE M N",
    "LREM types:l 1 M",
    "LTRIM types:l -30 -1",
    "LMOVE types:l types:l2 LEFT RIGHT",
    "LRANGE types:l 0 -1",
    "SORT types:l ALPHA STORE types:l2",
    "INCRBYFLOAT types:f F",
    "SETRANGE types:t N M",
    "GETDEL types:t",
    "SET types:t M PX T",
    "GETEX types:t PX T",
    "PTTL types:t",
    "PEXPIRE types:s3 T",
    "PEXPIRE types:z2 T NX",
    "COPY types:s types:s3 REPLACE",
    "COPY types:x types:x2",
    "RENAMENX types:x2 types:x",
    "FCALL sim_add 1 types:z F M",
};

std::string word(Random& random, std::string_view form) {
  if (form == "N" || form == "(N")
    return std::string(form.substr(0, form.size() - 1)) + std::to_string(random.below(9));
  if (form == "F") return std::to_string(random.below(40)) + (random.chance(1, 2) ? ".25" : ".5");
  if (form == "M") return std::string(1, static_cast<char>('a' + random.below(12)));
  if (form == "B") return std::to_string(random.below(2'000));
  if (form == "T") return std::to_string(random.skewed(1, 5'000));
  return std::string(form);
}

Command command_of(Random& random, std::string_view form) {
  Command command;
  while (!form.empty()) {
    const std::size_t space = std::min(form.find(' '), form.size());
    command.push_back(word(random, form.substr(0, space)));
    form.remove_prefix(std::min(space + 1, form.size()));
  }
  return command;
}

// By its text or by its name; who names one that is not loaded is told so.
Command script(Random& random) {
  const std::size_t which = random.below(kScripts.size());
  const scripting::Sha1Hex sha = scripting::sha1_hex(kScripts[which]);
  const bool by_name = random.chance(1, 2);
  return {by_name ? "EVALSHA" : "EVAL", by_name ? std::string(sha.begin(), sha.end()) : std::string(kScripts[which]),
          "1", std::string(kScriptKeys[which]), word(random, which == 0 ? "N" : "M")};
}

}  // namespace

std::vector<Command> Types::set_up() {
  return {{"FUNCTION", "LOAD", "REPLACE", std::string(kLibrary)}};
}

void Types::step(Client& client, std::function<void()> done) {
  Random& random = client.random();
  Command command = random.chance(1, 6) ? script(random) : command_of(random, kForms[random.below(kForms.size())]);
  client.run({std::move(command)}, [this, done](const std::vector<Answer>& answers) {
    answered_ += answers[0].fate == Fate::kDone ? 1 : 0;
    done();
  });
}

std::vector<Command> Types::final_reads() {
  return {{"SMEMBERS", "types:s"},
          {"HKEYS", "types:h"},
          {"XRANGE", "types:x", "-", "+"},
          {"LRANGE", "types:l", "0", "-1"},
          {"ZREVRANGE", "types:z", "0", "-1", "WITHSCORES"}};
}

}  // namespace redraft::sim
