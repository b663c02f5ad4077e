// The checkers of the simulation, on histories that are known to be good or bad.

#include "tests/sim/history.h"

#include <gtest/gtest.h>

namespace redraft::sim {
namespace {

TEST(OrderHistory, ChangesAndReadsInTheirOrderAreFine) {
  OrderHistory history;
  const auto first = history.begin_change(10);
  const auto second = history.begin_change(11);
  const auto read = history.begin_read(12);
  history.answered(second, 20, 1);
  history.answered(read, 21, 1);
  history.answered(first, 22, 2);
  EXPECT_EQ(history.check("counter"), std::nullopt);
}

TEST(OrderHistory, TheSamePlaceTwiceIsALostChange) {
  OrderHistory history;
  history.answered(history.begin_change(10), 20, 1);
  history.answered(history.begin_change(30), 40, 1);
  EXPECT_NE(history.check("counter"), std::nullopt);
}

TEST(OrderHistory, AReadThatBeganLaterSeesNoOlderValue) {
  OrderHistory history;
  history.answered(history.begin_change(10), 20, 1);
  history.answered(history.begin_change(21), 30, 2);
  history.answered(history.begin_read(25), 40, 1);  // began before the second was answered
  EXPECT_EQ(history.check("counter"), std::nullopt);
  history.answered(history.begin_read(31), 40, 1);
  EXPECT_NE(history.check("counter"), std::nullopt);
}

TEST(OrderHistory, AnUnansweredChangeMayCountAndARefusedOneMayNot) {
  OrderHistory history;
  const auto lost = history.begin_change(10);
  history.answered(history.begin_change(20), 30, 2);
  EXPECT_EQ(history.check("counter"), std::nullopt);
  history.refused(lost);
  EXPECT_NE(history.check("counter"), std::nullopt) << "pitfall B10: refused, and executed after all";
}

TEST(RegisterHistory, ReadsOfTheNewestWriteAreFine) {
  RegisterHistory history;
  history.read(0, 5, "");
  const auto a = history.begin_write(10, "a");
  history.wrote(a, 20);
  history.read(21, 22, "a");
  const auto b = history.begin_write(30, "b");
  history.read(31, 32, "a");
  history.read(33, 34, "b");
  history.wrote(b, 40);
  history.read(41, 42, "b");
  EXPECT_EQ(history.check("register"), std::nullopt);
}

TEST(RegisterHistory, AnOldValueDoesNotComeBack) {
  RegisterHistory history;
  history.wrote(history.begin_write(10, "a"), 20);
  history.wrote(history.begin_write(30, "b"), 40);
  history.read(50, 51, "a");
  EXPECT_NE(history.check("register"), std::nullopt);
}

TEST(RegisterHistory, AnAcknowledgedWriteIsSeenByTheNextRead) {
  RegisterHistory history;
  history.wrote(history.begin_write(10, "a"), 20);
  history.read(21, 22, "");
  EXPECT_NE(history.check("register"), std::nullopt);
}

TEST(RegisterHistory, ReadsThatSwapTwoConcurrentWritesAreNoRegister) {
  RegisterHistory history;
  history.begin_write(10, "a");
  history.begin_write(10, "b");
  history.read(20, 21, "a");
  history.read(22, 23, "b");
  EXPECT_EQ(history.check("register"), std::nullopt);
  history.read(24, 25, "a");
  EXPECT_NE(history.check("register"), std::nullopt);
}

TEST(RegisterHistory, AWriteInDoubtMayTakeEffectLateButNotBeforeItBegan) {
  RegisterHistory history;
  history.begin_write(10, "late");
  history.wrote(history.begin_write(20, "b"), 30);
  history.read(40, 41, "b");
  history.read(50, 51, "late");
  EXPECT_EQ(history.check("register"), std::nullopt);
  RegisterHistory early;
  early.read(5, 6, "x");
  early.begin_write(10, "x");
  EXPECT_NE(early.check("register"), std::nullopt);
}

TEST(RegisterHistory, AWriteBetweenTwoReadsOfAnotherValueIsNoRegister) {
  RegisterHistory history;
  history.wrote(history.begin_write(10, "a"), 20);
  history.read(25, 26, "a");
  history.wrote(history.begin_write(30, "b"), 40);
  history.read(50, 51, "a");
  EXPECT_NE(history.check("register"), std::nullopt);
}

TEST(ElementHistory, EachElementIsTakenOnceOrLeft) {
  ElementHistory history;
  for (const char* element : {"a", "b", "c"}) {
    history.adding(element);
    history.added(element);
  }
  history.taken("a");
  history.left("b");
  EXPECT_NE(history.check("queue"), std::nullopt) << "c is gone";
  history.taken_unknown();
  EXPECT_EQ(history.check("queue"), std::nullopt);
  history.taken("b");
  EXPECT_NE(history.check("queue"), std::nullopt);
}

}  // namespace
}  // namespace redraft::sim
