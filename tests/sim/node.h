#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "server/replica/host.h"
#include "server/replica/replica.h"
#include "server/replica/snapshot_files.h"
#include "server/replica/storage.h"
#include "tests/base/fault_file_system.h"
#include "tests/sim/network.h"

namespace redraft::sim {

// Bugs planted in the harness, so that the tests are tested: each leaves out one thing that makes a promise durable.
enum class Bug : std::uint8_t {
  kNone,
  kAckBeforeSync,          // the leader counts its own disk before the sync
  kFollowerAckBeforeSync,  // a follower acknowledges entries before the sync
  kVoteBeforeSync,         // term and vote are promised before the sync
  kNoDirectorySync,        // directory syncs do nothing
  kNoDataSync,             // fdatasync does nothing
};
[[nodiscard]] std::optional<Bug> bug_by_name(std::string_view name);
[[nodiscard]] std::string_view name_of(Bug bug);

// A client's side of its sockets. `token` is the client's own name for one connection.
class ClientEnd {
 public:
  virtual ~ClientEnd() = default;
  virtual void on_bytes(std::uint64_t token, std::string_view bytes) = 0;
  virtual void on_closed(std::uint64_t token) = 0;  // reset or closed by the node
};

struct Limits {
  std::uint64_t disk_low_us = 100;
  std::uint64_t disk_high_us = 400;
  std::uint64_t command_cost_us = 0;  // of a read that ran and of an entry that was applied, at most
};

// One machine with its disk, clocks, and the process on it: the production Replica, Storage and SnapshotFiles behind a
// Host of virtual time. The process lives from `start` to `kill`, `cut_power` or its own end; the disk and the settings
// stay. Driven by the schedule, as the libuv server drives it: turns in which peers, disk, time and clients are served
// in that order.
class Node final : public replica::Host, public Endpoint {
 public:
  // What the world wants to know. All are called between calls of the replica.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void started(Node& node, const replica::Recovered& recovered) = 0;
    virtual void turn_over(Node& node) = 0;
    // The process ended by itself: `reason` tells why.
    virtual void ended(Node& node, const std::string& reason) = 0;
    // It cannot start, or came to know of damage.
    virtual void cannot_start(Node& node, const Error& error) = 0;
    virtual void frame_sent(Node& node, const replica::Frame& frame) = 0;
    virtual void entries_written(const std::vector<raft::Entry>& entries) = 0;  // submitted; whether durable is open
    // A client's connection got its name in the log (the node's member and a number), and one of its requests was a
    // read and ran.
    virtual void client_known(Node& node, std::uint64_t number, std::uint64_t log_connection) = 0;
    virtual void read_ran(Node& node, std::uint64_t number, std::uint64_t request, const replica::ReadPlace& place) = 0;
    virtual void lost_process(Node& node) = 0;  // about to go, by whatever: the last look at it
  };

  Node(std::uint64_t id, std::uint64_t seed, Bug bug, replica::Settings settings, Schedule& schedule, Network& network,
       Trace& trace, Watcher& watcher);
  ~Node() override;

  // The machine's number. Its process may be a member of another number, or of none yet: `member`, 0 then.
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] std::uint64_t member() const;
  [[nodiscard]] bool up() const { return replica_ != nullptr; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool leads() const;
  [[nodiscard]] replica::Replica& replica() { return *replica_; }
  [[nodiscard]] testing::FaultFileSystem& files() { return files_; }
  [[nodiscard]] replica::Settings& settings() { return settings_; }
  [[nodiscard]] std::uint64_t life() const { return life_; }

  // The process's life.
  void start();
  void kill();       // kill -9: the page cache stays
  void cut_power();  // what was not synced stays in part
  void pause();      // SIGSTOP
  void wipe();       // the directory is emptied; no process runs
  void resume();
  void terminate() {
    at_turn([this] { replica_->terminate(0); });
  }

  // Disk and clock faults.
  Limits limits;
  void stall_disk(bool stalled);
  void fail_disk_soon(testing::Operation operation, std::uint64_t nth) {
    files_.fail(operation, nth, testing::Fault::kIo);
  }
  void jump_wall_clock(std::int64_t by_ms) { wall_offset_ms_ += by_ms; }
  std::int64_t drift_ppm = 0;
  // What the process reads now: it counts suspended time.
  [[nodiscard]] std::uint64_t monotonic_us() const override { return read_clocks().monotonic_us; }

  // Clients. Calls come from the client's side of the network, at the time they arrive; the number is 0 when refused.
  std::uint64_t client_connects(ClientEnd& end, std::uint64_t token);
  void client_sends(std::uint64_t number, std::string bytes);
  void client_closes(std::uint64_t number);
  // For tests of one node: runs in the next turn, between peers and clients.
  void at_turn(std::function<void()> action);
  [[nodiscard]] replica::Session* session_of(std::uint64_t number);

  // How long bytes travel between a client and this node.
  std::uint64_t client_delay_low_us = 30;
  std::uint64_t client_delay_high_us = 200;

  std::uint64_t turns = 0;
  std::uint64_t disk_batches = 0;
  std::uint64_t disk_requests = 0;
  std::vector<std::string> log_lines;  // the newest ones, for a failure's message

  // replica::Host
  void output_ready(replica::Session& session) override;
  void close_client(replica::Session& session) override;
  void pause_reading(replica::Session& session) override;
  void resume_reading(replica::Session& session) override;
  void set_peers(std::span<const replica::PeerAddress> peers) override;
  bool send(replica::LinkId link, replica::Frame frame) override;
  [[nodiscard]] std::size_t unsent_bytes(replica::LinkId link) const override { return network_.unsent_bytes(link); }
  [[nodiscard]] std::string local_host(replica::LinkId) const override { return "10.0.1." + std::to_string(id_); }
  void close_link(replica::LinkId link) override { network_.close_link(id_, link); }
  void submit(replica::DiskRequest request) override;
  void submit(replica::BulkRequest request) override;
  void pump() override;
  void wake_at(std::uint64_t monotonic_us) override { wake_us_ = monotonic_us; }
  void read_ran(const replica::Session& session, std::uint64_t number, const replica::ReadPlace& place) override;
  void random_bytes(std::span<char> into) override;
  void log(replica::LogLevel level, const std::string& line) override;
  [[nodiscard]] replica::local::ProcessView process() const override { return {}; }
  [[nodiscard]] Status write_config_file(const std::string& path, const std::string& text) override;
  [[nodiscard]] std::optional<std::string> read_config_file(const std::string& path) override;
  void setting_changed(std::string_view) override {}
  void stop(int exit_status) override;

  // Endpoint
  void on_link_up(replica::LinkId link, std::uint64_t dialled_node, replica::Lane lane) override;
  void on_frame(replica::LinkId link, SharedBytes frame) override;
  void on_link_down(replica::LinkId link) override;
  void on_dial_failed(std::uint64_t node, replica::Lane lane, bool refused) override;

 private:
  struct Connection {
    std::uint64_t number = 0;
    ClientEnd* end = nullptr;
    std::uint64_t token = 0;
    replica::Session* session = nullptr;
    std::string arrived;  // not yet read from the socket
    bool reading = true;
    bool closing = false;
    bool hung_up = false;
    std::uint64_t last_arrival_us = 0;  // at the client
  };
  using Action = std::function<void()>;

  [[nodiscard]] replica::Time read_clocks() const;
  [[nodiscard]] std::uint64_t cost_of_commands_us(std::uint64_t applied_before);
  [[nodiscard]] std::uint64_t to_schedule_us(std::uint64_t monotonic_us) const;
  void end_process(bool power);
  void finish_half_done_work();
  void wake();
  void turn();
  void arm_timer();
  void serve_peers_and_disk();
  void serve_clients();
  void flush_clients();
  void to_client(Connection& connection, std::string bytes);
  void drop(Connection& connection, bool tell);
  void tell_log_name(const Connection& connection);
  void tell_log_names();
  // Guards an action against the end of the process that planned it.
  [[nodiscard]] Action while_alive(Action action);

  void start_disk();
  void finish_disk();
  void upkeep();
  void report_early(const replica::DiskRequest& request);
  void start_bulk();
  void finish_bulk();

  const std::uint64_t id_;
  Random random_;
  const Bug bug_;
  replica::Settings settings_;
  Schedule& schedule_;
  Network& network_;
  Trace& trace_;
  Watcher& watcher_;
  testing::FaultFileSystem files_;

  // Clocks: monotonic time runs from the machine's start.
  std::uint64_t machine_started_us_ = 0;
  std::uint64_t monotonic_base_us_ = 0;
  std::int64_t wall_offset_ms_ = 0;

  // The process.
  std::uint64_t life_ = 0;
  std::uint64_t boot_ = 0;
  std::uint64_t told_member_ = 0;  // the name under which connections were told
  std::unique_ptr<replica::Storage> storage_;
  std::unique_ptr<replica::SnapshotFiles> snapshot_files_;
  std::unique_ptr<replica::Replica> replica_;
  bool paused_ = false;
  bool in_turn_ = false;
  bool pumping_ = false;
  bool turn_planned_ = false;
  std::uint64_t busy_until_us_ = 0;
  std::uint64_t reads_ran_ = 0;  // in this turn
  std::uint64_t wake_us_ = 0;
  std::uint64_t armed_us_ = 0;
  std::uint64_t timer_epoch_ = 0;
  std::optional<int> stopping_;
  std::deque<Action> inbox_;  // peers, disk, links
  std::vector<Action> turn_actions_;

  std::vector<replica::DiskRequest> disk_queue_;
  std::vector<replica::DiskRequest> disk_executing_;
  std::map<std::uint64_t, bool> reported_early_;  // tickets, under a planted bug
  bool disk_busy_ = false;
  bool disk_stalled_ = false;
  bool upkeep_done_ = true;
  std::uint64_t log_bytes_ = 0;
  std::deque<replica::BulkRequest> bulk_queue_;
  bool bulk_busy_ = false;

  std::map<std::uint64_t, Connection> connections_;
  std::map<const replica::Session*, std::uint64_t> by_session_;  // looked up, never walked
  std::vector<std::uint64_t> to_flush_;
  std::vector<replica::Session*> gone_;
  std::uint64_t next_connection_ = 1;
};

}  // namespace redraft::sim
