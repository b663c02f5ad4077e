// hiredis against a running cluster: sync, pipelined, and async over its libuv adapter. The ports come from the
// environment: REDRAFT_LEADER, REDRAFT_FOLLOWER (hiredis-tests/test_hiredis.py starts the nodes).
#include <gtest/gtest.h>
#include <hiredis/adapters/libuv.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace redraft {
namespace {

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;
using Reply = std::unique_ptr<redisReply, FreeReply>;

int port_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? 0 : std::atoi(value);
}

Context connect(const char* name) {
  Context context(redisConnectWithTimeout("127.0.0.1", port_of(name), timeval{5, 0}));
  if (context == nullptr || context->err != 0) {
    return nullptr;
  }
  redisSetTimeout(context.get(), timeval{10, 0});
  return context;
}

Reply as_reply(void* reply) {
  return Reply(static_cast<redisReply*>(reply));
}

std::string text(const Reply& reply) {
  return reply == nullptr ? "(none)" : std::string(reply->str, static_cast<std::size_t>(reply->len));
}

class Sync : public ::testing::Test {
 protected:
  void SetUp() override {
    context_ = connect("REDRAFT_LEADER");
    ASSERT_NE(context_, nullptr);
    ASSERT_EQ(text(as_reply(redisCommand(context_.get(), "FLUSHALL"))), "OK");
  }
  Context context_;
};

TEST_F(Sync, EachReplyTypeArrives) {
  redisContext* c = context_.get();
  EXPECT_EQ(as_reply(redisCommand(c, "SET k v"))->type, REDIS_REPLY_STATUS);
  Reply bulk = as_reply(redisCommand(c, "GET k"));
  EXPECT_EQ(bulk->type, REDIS_REPLY_STRING);
  EXPECT_EQ(text(bulk), "v");
  EXPECT_EQ(as_reply(redisCommand(c, "GET missing"))->type, REDIS_REPLY_NIL);
  Reply number = as_reply(redisCommand(c, "INCRBY n 42"));
  EXPECT_EQ(number->type, REDIS_REPLY_INTEGER);
  EXPECT_EQ(number->integer, 42);
  Reply error = as_reply(redisCommand(c, "LPUSH k x"));
  EXPECT_EQ(error->type, REDIS_REPLY_ERROR);
  EXPECT_EQ(text(error), "WRONGTYPE Operation against a key holding the wrong kind of value");
  EXPECT_EQ(as_reply(redisCommand(c, "RPUSH l a b c"))->integer, 3);
  Reply list = as_reply(redisCommand(c, "LRANGE l 0 -1"));
  ASSERT_EQ(list->elements, 3U);
  EXPECT_STREQ(list->element[2]->str, "c");
}

TEST_F(Sync, BinaryKeysAndValues) {
  const std::string key("k\0\r\n", 4);
  const std::string value = std::string("\0\xff\r\n$5\r\n", 8) + std::string(300000, 'x');
  Reply set = as_reply(redisCommand(context_.get(), "SET %b %b", key.data(), key.size(), value.data(), value.size()));
  EXPECT_EQ(text(set), "OK");
  EXPECT_EQ(text(as_reply(redisCommand(context_.get(), "GET %b", key.data(), key.size()))), value);
}

TEST_F(Sync, Transaction) {
  redisContext* c = context_.get();
  EXPECT_EQ(text(as_reply(redisCommand(c, "MULTI"))), "OK");
  EXPECT_EQ(text(as_reply(redisCommand(c, "INCR n"))), "QUEUED");
  EXPECT_EQ(text(as_reply(redisCommand(c, "GET n"))), "QUEUED");
  Reply replies = as_reply(redisCommand(c, "EXEC"));
  ASSERT_EQ(replies->elements, 2U);
  EXPECT_EQ(replies->element[0]->integer, 1);
  EXPECT_STREQ(replies->element[1]->str, "1");
}

TEST_F(Sync, PipelineOfWritesAndReadsAnswersInOrder) {
  redisContext* c = context_.get();
  constexpr int kRounds = 5000;
  for (int i = 0; i < kRounds; ++i) {
    redisAppendCommand(c, "INCR n");
    redisAppendCommand(c, "GET n");
    redisAppendCommand(c, "PING %d", i);
  }
  for (int i = 0; i < kRounds; ++i) {
    std::vector<Reply> replies;
    for (int k = 0; k < 3; ++k) {
      void* reply = nullptr;
      ASSERT_EQ(redisGetReply(c, &reply), REDIS_OK) << c->errstr;
      replies.push_back(as_reply(reply));
    }
    ASSERT_EQ(replies[0]->integer, i + 1);
    ASSERT_EQ(text(replies[1]), std::to_string(i + 1));
    ASSERT_EQ(text(replies[2]), std::to_string(i));
  }
}

TEST_F(Sync, FollowerRedirectsAndServesReadsAfterReadonly) {
  Context follower = connect("REDRAFT_FOLLOWER");
  ASSERT_NE(follower, nullptr);
  const std::string moved = "MOVED 7629 127.0.0.1:" + std::to_string(port_of("REDRAFT_LEADER"));
  EXPECT_EQ(text(as_reply(redisCommand(follower.get(), "SET k v"))), moved);
  EXPECT_EQ(text(as_reply(redisCommand(context_.get(), "SET k written"))), "OK");
  EXPECT_EQ(text(as_reply(redisCommand(follower.get(), "READONLY"))), "OK");
  EXPECT_EQ(text(as_reply(redisCommand(follower.get(), "GET k"))), "written");
}

// ---- async ----

struct Loop {
  Loop() { uv_loop_init(&loop); }
  ~Loop() {
    uv_run(&loop, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop), 0);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  uv_loop_t loop{};
};

struct Progress {
  long long expected = 1;
  int total = 0;
  bool in_order = true;
  int disconnected_status = -1;
};

TEST(Async, ManyCommandsInFlightAnswerInOrder) {
  Loop loop;
  redisAsyncContext* c = redisAsyncConnect("127.0.0.1", port_of("REDRAFT_LEADER"));
  ASSERT_NE(c, nullptr);
  ASSERT_EQ(c->err, 0) << c->errstr;
  ASSERT_EQ(redisLibuvAttach(c, &loop.loop), REDIS_OK);
  Progress progress;
  progress.total = 20000;
  c->data = &progress;
  redisAsyncSetDisconnectCallback(c, [](const redisAsyncContext* context, int status) {
    static_cast<Progress*>(context->data)->disconnected_status = status;
  });
  redisAsyncCommand(c, nullptr, nullptr, "DEL async");
  for (int i = 0; i < progress.total; ++i) {
    redisAsyncCommand(
        c,
        [](redisAsyncContext* context, void* reply, void* data) {
          Progress& seen = *static_cast<Progress*>(data);
          const redisReply* number = static_cast<redisReply*>(reply);
          seen.in_order = seen.in_order && number != nullptr && number->integer == seen.expected;
          if (seen.expected++ == seen.total) {
            redisAsyncDisconnect(context);
          }
        },
        &progress, "INCR async");
  }
  uv_run(&loop.loop, UV_RUN_DEFAULT);
  EXPECT_TRUE(progress.in_order);
  EXPECT_EQ(progress.expected, progress.total + 1);
  EXPECT_EQ(progress.disconnected_status, REDIS_OK);
}

struct Blocked {
  redisAsyncContext* waiter = nullptr;
  redisAsyncContext* pusher = nullptr;
  std::string element;
};

TEST(Async, BlockingPopIsServedByAnotherConnection) {
  Loop loop;
  Blocked blocked;
  for (redisAsyncContext** context : {&blocked.waiter, &blocked.pusher}) {
    *context = redisAsyncConnect("127.0.0.1", port_of("REDRAFT_LEADER"));
    ASSERT_EQ(redisLibuvAttach(*context, &loop.loop), REDIS_OK);
  }
  redisAsyncCommand(blocked.waiter, nullptr, nullptr, "DEL async:queue");
  redisAsyncCommand(
      blocked.waiter,
      [](redisAsyncContext* context, void* reply, void* data) {
        const redisReply* pair = static_cast<redisReply*>(reply);
        if (pair != nullptr && pair->elements == 2) {
          static_cast<Blocked*>(data)->element = pair->element[1]->str;
        }
        redisAsyncDisconnect(context);
      },
      &blocked, "BLPOP async:queue 10");
  redisAsyncCommand(
      blocked.pusher, [](redisAsyncContext* context, void*, void*) { redisAsyncDisconnect(context); }, nullptr,
      "RPUSH async:queue job");
  uv_run(&loop.loop, UV_RUN_DEFAULT);
  EXPECT_EQ(blocked.element, "job");
}

}  // namespace
}  // namespace redraft
