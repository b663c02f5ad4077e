// When the open batch closes (server/replica/pipeline.h), by arithmetic alone.

#include "server/replica/pipeline.h"

#include <gtest/gtest.h>

namespace redraft {
namespace {

using replica::Batch;
using replica::CommandHeader;
using replica::Pipeline;

class PipelineTest : public testing::Test {
 protected:
  void arrive(int commands) {
    static constexpr std::string_view kArguments[] = {"INCR", "n"};
    for (int i = 0; i < commands; ++i) pipeline_.add(nullptr, CommandHeader{}, kArguments);
  }
  // Closes the open batch as the next entry of the log.
  void close(std::uint64_t now_us) {
    Batch batch = pipeline_.close({}, now_us);
    batch.index = ++last_;
    pipeline_.proposed(std::move(batch));
  }
  // Everything in the log is committed and applied.
  void commit(std::uint64_t now_us) {
    pipeline_.committed(last_, now_us);
    while (!pipeline_.in_flight().empty()) pipeline_.recycle(pipeline_.take_oldest());
  }
  // Until that is what a commit usually takes; nothing waits afterwards.
  void settle(std::uint64_t commit_us) {
    for (int i = 0; i < 200; ++i) {
      arrive(1);
      close(now_us_);
      commit(now_us_ += commit_us);
    }
  }

  Pipeline pipeline_;
  raft::LogIndex last_;
  std::uint64_t now_us_ = 1'000'000;
};

TEST_F(PipelineTest, ALoneCommandLeavesAtOnce) {
  EXPECT_FALSE(pipeline_.should_close(now_us_));
  arrive(1);
  EXPECT_TRUE(pipeline_.should_close(now_us_));
  settle(400);
  arrive(1);
  EXPECT_TRUE(pipeline_.should_close(now_us_)) << "as many as were answered last";
}

TEST_F(PipelineTest, ABatchWaitsForTheOneBeforeOrAMillisecond) {
  settle(400);
  arrive(1);
  close(now_us_);
  arrive(5);
  EXPECT_FALSE(pipeline_.should_close(now_us_ + 999));
  EXPECT_TRUE(pipeline_.should_close(now_us_ + 1000));
  EXPECT_EQ(pipeline_.close_at_us(), now_us_ + 1000);
}

TEST_F(PipelineTest, ABatchWaitsForThoseThatWereJustAnswered) {
  settle(400);
  arrive(20);
  close(now_us_);
  arrive(5);
  commit(now_us_ += 400);
  EXPECT_FALSE(pipeline_.should_close(now_us_)) << "20 and 5 are under way";
  arrive(19);
  EXPECT_FALSE(pipeline_.should_close(now_us_ + 100));
  arrive(1);
  EXPECT_TRUE(pipeline_.should_close(now_us_ + 100));
}

TEST_F(PipelineTest, ItsPatienceIsHalfOfWhatACommitTakes) {
  settle(400);
  arrive(20);
  close(now_us_);
  arrive(5);
  commit(now_us_ += 400);
  EXPECT_FALSE(pipeline_.should_close(now_us_ + 199));
  EXPECT_TRUE(pipeline_.should_close(now_us_ + 200));
  EXPECT_EQ(pipeline_.close_at_us(), now_us_ + 200);
}

TEST_F(PipelineTest, ItsPatienceIsAMillisecondWhereTheOthersAreFar) {
  settle(20'000);
  arrive(20);
  close(now_us_);
  arrive(5);
  EXPECT_TRUE(pipeline_.should_close(now_us_ + 1000));
  commit(now_us_ += 20'000);
  EXPECT_FALSE(pipeline_.should_close(now_us_ + 999));
  EXPECT_TRUE(pipeline_.should_close(now_us_ + 1000));
}

TEST_F(PipelineTest, AnEntryThatIsWantedForItsClockDoesNotWaitForCommands) {
  settle(400);
  arrive(20);
  close(now_us_);
  commit(now_us_ += 400);
  pipeline_.want_entry(nullptr);
  EXPECT_TRUE(pipeline_.should_close(now_us_));
}

TEST_F(PipelineTest, AFullBatchWaitsForNothing) {
  settle(400);
  arrive(1);
  close(now_us_);
  const std::string value(replica::kPayloadMax - 100, 'v');
  const std::string_view arguments[] = {"SET", "k", value};
  pipeline_.add(nullptr, CommandHeader{}, arguments);
  EXPECT_FALSE(pipeline_.should_close(now_us_));
  arrive(8);
  EXPECT_TRUE(pipeline_.should_close(now_us_));
}

}  // namespace
}  // namespace redraft
