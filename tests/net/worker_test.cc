#include "server/net/worker.h"

#include <gtest/gtest.h>

#include <numeric>

#include "server/net/clock.h"
#include "server/net/wake_timer.h"

namespace redraft::net {
namespace {

using Numbers = Worker<int, int>;

// Run in the tsan preset, this is the proof that the queue shares nothing else.
TEST(Worker, GivesEveryResultInOrder) {
  Loop loop;
  std::size_t calls = 0;  // of the thread
  Numbers worker(loop.get(), "test", [&calls](std::vector<int>&& inputs, Numbers::Results& results) {
    ++calls;
    for (int& number : inputs) number *= 2;
    results.post(std::move(inputs));
    return Numbers::Again{};
  });
  std::vector<int> got;
  std::vector<int> batch;
  for (int i = 0; i < 1000; ++i) {
    batch.push_back(i);
    if (i % 7 != 0) continue;
    worker.post(batch);
    EXPECT_TRUE(batch.empty());
    uv_run(loop.get(), UV_RUN_NOWAIT);
    if (!worker.ready()) continue;
    for (const int number : worker.take()) got.push_back(number);
  }
  worker.post(batch);
  while (got.size() < 1000) {
    uv_run(loop.get(), UV_RUN_ONCE);
    for (const int number : worker.take()) got.push_back(number);
  }
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(got[static_cast<std::size_t>(i)], 2 * i);
}

TEST(Worker, GathersWhatComesWhileItIsBusy) {
  Loop loop;
  std::mutex gate;
  std::vector<std::size_t> sizes;
  {
    Numbers worker(loop.get(), "test", [&](std::vector<int>&& inputs, Numbers::Results&) {
      const std::lock_guard wait(gate);
      sizes.push_back(inputs.size());
      return Numbers::Again{};
    });
    const std::lock_guard hold(gate);
    for (int i = 0; i < 100; ++i) {
      std::vector<int> one{i};
      worker.post(one);
    }
    // The gate opens first, then the worker's destructor lets the thread finish.
    EXPECT_TRUE(sizes.empty());
  }
  EXPECT_LE(sizes.size(), 100U);
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 100U);
}

TEST(Worker, RunsAgainWithoutInputsWhenItAskedTo) {
  Loop loop;
  Numbers worker(loop.get(), "test", [idle = 0](std::vector<int>&& inputs, Numbers::Results& results) mutable {
    if (!inputs.empty()) return Numbers::Again{std::chrono::microseconds(1)};
    results.post({++idle});
    return idle < 3 ? Numbers::Again{std::chrono::microseconds(1)} : Numbers::Again{};
  });
  std::vector<int> start{0};
  worker.post(start);
  std::vector<int> got;
  while (got.size() < 3) {
    uv_run(loop.get(), UV_RUN_ONCE);
    for (const int number : worker.take()) got.push_back(number);
  }
  EXPECT_EQ(got, (std::vector<int>{1, 2, 3}));
}

TEST(Worker, FinishesWhatWasPostedBeforeItGoes) {
  Loop loop;
  int done = 0;
  {
    Numbers worker(loop.get(), "test", [&done](std::vector<int>&& inputs, Numbers::Results& results) {
      done += static_cast<int>(inputs.size());
      results.post(std::move(inputs));  // nobody takes them
      return Numbers::Again{};
    });
    std::vector<int> batch{1, 2, 3};
    worker.post(batch);
  }
  EXPECT_EQ(done, 3);
}

TEST(Handle, OwnersMayGoWhileCallbacksAreDue) {
  Loop loop;
  int calls = 0;
  {
    const auto timer =
        make_handle<uv_timer_t>(&calls, [&](uv_timer_t* handle) { return uv_timer_init(loop.get(), handle); });
    uv_timer_start(
        timer.get(), [](uv_timer_t* handle) { ++*static_cast<int*>(handle->data); }, 0, 0);
    const auto check =
        make_handle<uv_check_t>(&calls, [&](uv_check_t* handle) { return uv_check_init(loop.get(), handle); });
    uv_run(loop.get(), UV_RUN_NOWAIT);
    uv_timer_start(
        timer.get(), [](uv_timer_t* handle) { ++*static_cast<int*>(handle->data); }, 0, 0);
  }
  EXPECT_EQ(calls, 1);
  uv_run(loop.get(), UV_RUN_NOWAIT);
  EXPECT_EQ(calls, 1);
}

TEST(WakeTimer, FiresForTheEarliestDeadlineAndAgainAfterIt) {
  Loop loop;
  int fired = 0;
  std::uint64_t deadline = 0;
  WakeTimer* armed = nullptr;
  WakeTimer timer(loop.get(), [&] {
    ++fired;
    EXPECT_GE(read_clocks().monotonic_us + 1, deadline);
    deadline += 1000;
    armed->arm(deadline);
  });
  armed = &timer;
  deadline = read_clocks().monotonic_us + 1000;
  timer.arm(deadline + 60'000'000);
  timer.arm(deadline);  // earlier: the kernel is told
  while (fired < 3) uv_run(loop.get(), UV_RUN_ONCE);
}

TEST(WakeTimer, ADeadlineInThePastFiresAtOnce) {
  Loop loop;
  int fired = 0;
  WakeTimer timer(loop.get(), [&] { ++fired; });
  timer.arm(0);
  while (fired == 0) uv_run(loop.get(), UV_RUN_ONCE);
}

}  // namespace
}  // namespace redraft::net
