#include "server/commands/migrate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "resp/reply_reader.h"
#include "server/store/store.h"

namespace redraft::commands {
namespace {

constexpr std::uint64_t kClock_ms = 1'700'000'000'000;

class Nothing final : public Surroundings, public store::Breather {
 public:
  resp::Writer* waiting_client(const Origin&) override { return nullptr; }
  void notify(Event, std::string_view, std::string_view, std::uint32_t) override {}
  void breathe() override {}
};

class Migrating : public testing::Test {
 protected:
  Migrating() { next_entry(kClock_ms); }

  void next_entry(std::uint64_t clock_ms) { store_.begin_entry(++index_, clock_ms); }

  std::string run(Handler handler, const std::vector<std::string>& words, Migration* migration = nullptr) {
    std::string output;
    resp::Writer writer(output, resp::Writer::Protocol::kResp2);
    Random random(1);
    const std::vector<std::string_view> arguments(words.begin(), words.end());
    Context context{store_, nothing_, nothing_, writer, random};
    context.arguments = arguments;
    context.clock_ms = store_.clock_ms();
    context.index = index_;
    context.migration = migration;
    handler(context);
    return context.blocked ? "(sends)" : output;
  }
  void set(std::string_view key, std::string_view value, std::uint64_t deadline_ms = 0) {
    store_.set_string(0, key, value, deadline_ms);
    store_.touch(0, key);
  }
  // Every key is taken by the target.
  MigrationReplies all_taken() {
    errors_.assign(migration_.replies_ahead + migration_.keys.size(), "");
    return judge_replies(migration_, errors_);
  }
  std::string drop(const MigrationReplies& replies) { return run(&drop_migrated, words_to_drop(replies)); }

  store::Store store_{store::Options{.databases = 1, .hash_seed = 7}};
  Nothing nothing_;
  std::uint64_t index_ = 0;
  Migration migration_;
  std::vector<std::string> errors_;
};

std::vector<std::string> sent(std::string_view request) {
  std::vector<std::string> commands;
  while (!request.empty()) {
    const resp::ReplyRead read = resp::read_reply(request);
    if (read.outcome != resp::ReplyRead::Outcome::kReply) return {"not RESP"};
    std::string words;
    for (const resp::Reply& word : read.reply.elements) words += (words.empty() ? "" : " ") + word.text;
    commands.push_back(words);
    request.remove_prefix(read.consumed);
  }
  return commands;
}

TEST_F(Migrating, TellsTheTargetWhatToRestore) {
  set("a", "1");
  set("b", "2", kClock_ms + 5000);
  ASSERT_EQ(run(&migrate, {"migrate", "h", "7", "", "3", "50", "REPLACE", "AUTH2", "u", "p", "KEYS", "a", "no", "b"},
                &migration_),
            "(sends)");
  EXPECT_EQ(migration_.host, "h");
  EXPECT_EQ(migration_.port, 7);
  EXPECT_EQ(migration_.timeout_ms, 50U);
  EXPECT_EQ(migration_.replies_ahead, 2U);
  const std::vector<std::string> commands = sent(migration_.request);
  ASSERT_EQ(commands.size(), 4U);
  EXPECT_EQ(commands[0], "AUTH u p");
  EXPECT_EQ(commands[1], "SELECT 3");
  EXPECT_TRUE(commands[2].starts_with("RESTORE a 0 ") && commands[2].ends_with(" REPLACE")) << commands[2];
  EXPECT_TRUE(commands[3].starts_with("RESTORE b 5000 ")) << commands[3];
  // Version 10, which Redis 7.0 takes too.
  EXPECT_NE(commands[3].find(std::string_view("\x0a\x00", 2)), std::string::npos);
}

TEST_F(Migrating, NamesNoPortThatIsNone) {
  set("a", "1");
  for (const char* port : {"0", "-1", "65536", "port"}) {
    ASSERT_EQ(run(&migrate, {"migrate", "h", port, "a", "0", "0"}, &migration_), "(sends)");
    EXPECT_EQ(migration_.port, 0) << port;
    EXPECT_EQ(migration_.timeout_ms, 1000U);
  }
}

TEST_F(Migrating, CountsOnlyWhatTheTargetTook) {
  set("a", "1");
  set("b", "2");
  ASSERT_EQ(run(&migrate, {"migrate", "h", "7", "", "0", "50", "KEYS", "a", "b"}, &migration_), "(sends)");
  const auto taken = [&](std::vector<std::string> errors) {
    errors_ = std::move(errors);
    std::string keys;
    const MigrationReplies judged = judge_replies(migration_, errors_);
    for (const Migration::Moving* moving : judged.taken) keys += moving->key;
    return keys + "|" + judged.error;
  };
  EXPECT_EQ(taken({"", "", ""}), "ab|");
  EXPECT_EQ(taken({"", "", "BUSYKEY x"}), "a|ERR Target instance replied with error: BUSYKEY x");
  EXPECT_EQ(taken({"", "one", "two"}), "|ERR Target instance replied with error: one");
  EXPECT_EQ(taken({"ERR db", "", ""}), "|ERR Target instance replied with error: ERR db");
  EXPECT_EQ(taken({"", ""}), "a|");
  EXPECT_EQ(taken({}), "|");
}

TEST_F(Migrating, DropsWhatNobodyHasWritten) {
  set("a", "1");
  set("b", "2");
  set("c", "3");
  ASSERT_EQ(run(&migrate, {"migrate", "h", "7", "", "0", "50", "KEYS", "a", "b", "c", "a"}, &migration_), "(sends)");
  next_entry(kClock_ms + 1);
  set("b", "written");
  store_.remove(0, "c");
  store_.touch(0, "c");
  next_entry(kClock_ms + 2);
  EXPECT_EQ(drop(all_taken()), "-ERR written while the target took a copy, and not deleted here: 'b' 'c'\r\n");
  EXPECT_FALSE(store_.exists(0, "a"));
  EXPECT_TRUE(store_.exists(0, "b"));
}

// WATCH's table may take one key's write for another's; a value that is the same all the same was not written.
TEST_F(Migrating, DropsWhatLooksWrittenAndIsAsItWas) {
  set("a", "1", kClock_ms + 10);
  set("b", "2", kClock_ms + 10);
  ASSERT_EQ(run(&migrate, {"migrate", "h", "7", "", "0", "50", "KEYS", "a", "b"}, &migration_), "(sends)");
  next_entry(kClock_ms + 1);
  store_.touch(0, "a");
  set("b", "2", kClock_ms + 20);
  next_entry(kClock_ms + 2);
  EXPECT_EQ(drop(all_taken()), "-ERR written while the target took a copy, and not deleted here: 'b'\r\n");
  EXPECT_FALSE(store_.exists(0, "a"));
}

TEST_F(Migrating, TakesAnExpiredKeyForMoved) {
  set("a", "1", kClock_ms + 10);
  ASSERT_EQ(run(&migrate, {"migrate", "h", "7", "a", "0", "50"}, &migration_), "(sends)");
  next_entry(kClock_ms + 11);
  EXPECT_EQ(drop(all_taken()), "+OK\r\n");
}

// What goes touches WATCH's table, which has fewer places than there are keys here.
TEST_F(Migrating, IsNotConfusedByWhatItDropsItself) {
  std::vector<std::string> words{"migrate", "h", "7", "", "0", "50", "KEYS"};
  for (int i = 0; i < 20000; ++i) {
    words.push_back("key:" + std::to_string(i));
    set(words.back(), "v");
  }
  ASSERT_EQ(run(&migrate, words, &migration_), "(sends)");
  next_entry(kClock_ms + 1);
  EXPECT_EQ(drop(all_taken()), "+OK\r\n");
  EXPECT_EQ(store_.counts(0).keys, 0U);
}

}  // namespace
}  // namespace redraft::commands
