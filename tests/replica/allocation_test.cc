// Architecture, section 1: "no allocation per command from socket to log".

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "server/replica/host.h"
#include "server/replica/local/node_view.h"
#include "server/replica/replica.h"
#include "server/replica/session.h"
#include "server/replica/settings.h"
#include "server/replica/snapshot_files.h"
#include "server/replica/statistics.h"
#include "server/replica/storage.h"
#include "tests/base/allocations.h"
#include "tests/base/fault_file_system.h"

namespace redraft::replica {
namespace {

// A node that is alone: no peers, a disk in memory that works when the test says so.
class LoneHost final : public Host {
 public:
  LoneHost() : replica_(settings_, *this, 1, now_) {
    auto storage = Storage::open(files_, "/node", {.node = 1, .seed = 7});
    ensure(storage.ok(), "a fresh directory opens");
    storage_ = std::move(*storage);
    auto recovered = storage_->recover([](std::uint64_t, std::uint64_t) {});
    ensure(recovered.ok(), "a fresh directory is read");
    replica_.start(std::move(*recovered));
  }

  Replica& replica() { return replica_; }
  // Turns of a millisecond until nothing is left to write.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      begin_turn();
      replica_.end_turn();
      work();
    }
  }
  void begin_turn() {
    now_.monotonic_us += 1000;
    now_.wall_ms += 1;
    replica_.advance(now_);
  }
  void work() {
    while (!requests_.empty()) {
      auto done = storage_->execute(std::exchange(requests_, {}));
      ensure(done.ok(), "the disk works");
      for (DiskDone& one : *done) replica_.disk_done(std::move(one));
    }
  }
  void drain(Session& session) {
    session.output().clear();
    session.output_sent = 0;
    session.output_reported = false;
  }

  void output_ready(Session&) override {}
  void close_client(Session&) override {}
  void pause_reading(Session&) override {}
  void resume_reading(Session&) override {}
  void set_peers(std::span<const PeerAddress>) override {}
  bool send(LinkId, Frame) override { return false; }
  std::size_t unsent_bytes(LinkId) const override { return 0; }
  void close_link(LinkId) override {}
  void submit(DiskRequest request) override { requests_.push_back(std::move(request)); }
  void submit(BulkRequest) override {}
  void pump() override {}
  void wake_at(std::uint64_t) override {}
  void random_bytes(std::span<char> into) override { std::ranges::fill(into, 'r'); }
  void log(LogLevel, const std::string&) override {}
  local::ProcessView process() const override { return {}; }
  Status write_config_file(const std::string&, const std::string&) override { return Done{}; }
  std::optional<std::string> read_config_file(const std::string&) override { return std::nullopt; }
  void setting_changed(std::string_view) override {}
  void stop(int) override {}

 private:
  testing::FaultFileSystem files_;
  Settings settings_;
  Time now_{.monotonic_us = 1'000'000, .wall_ms = 1'700'000'000'000};
  std::unique_ptr<Storage> storage_;
  std::vector<DiskRequest> requests_;
  Replica replica_;
};

std::string set_commands(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = "key:" + std::to_string(1000 + i % 1000);
    bytes += "*3\r\n$3\r\nSET\r\n$8\r\n" + key + "\r\n$5\r\nvalue\r\n";
  }
  return bytes;
}

// What one turn with these bytes allocates, from the socket's bytes to the disk request and its frames.
std::uint64_t allocations_of_turn(LoneHost& host, Session& session, const std::string& bytes) {
  host.begin_turn();
  const std::uint64_t before = allocation_count();
  for (std::size_t at = 0; at < bytes.size();) {
    const std::span<char> space = host.replica().input_space(session, 64 * 1024);
    const std::size_t size = std::min(space.size(), bytes.size() - at);
    std::copy_n(bytes.data() + at, size, space.data());
    host.replica().client_input(session, size);
    at += size;
  }
  host.replica().end_turn();
  const std::uint64_t counted = allocation_count() - before;
  host.work();
  host.settle();
  host.drain(session);
  return counted;
}

TEST(Allocation, NoneForACommandFromSocketToLog) {
  LoneHost host;
  host.settle();
  ClientAddress address;
  address.peer = "127.0.0.1:1";
  address.loopback = true;
  Session& session = host.replica().client_connected(address);
  const std::string few = set_commands(10);
  const std::string many = set_commands(1000);
  const std::uint64_t before = host.replica().statistics().batched_commands.total;
  for (int i = 0; i < 8; ++i) {  // buffers reach their size
    static_cast<void>(allocations_of_turn(host, session, many));
    static_cast<void>(allocations_of_turn(host, session, few));
  }
  EXPECT_EQ(host.replica().statistics().batched_commands.total - before, 8U * 1010U);
  const std::uint64_t of_few = allocations_of_turn(host, session, few);
  const std::uint64_t of_many = allocations_of_turn(host, session, many);
  // A batch has its own few: the entry's buffer, which grows by doubling, and what Raft hands around. A command has
  // none.
  EXPECT_LE(of_many, of_few + 24) << "for 990 commands more";
  EXPECT_GT(of_few, 0U) << "the count counts";
}

}  // namespace
}  // namespace redraft::replica
