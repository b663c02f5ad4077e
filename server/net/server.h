#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "server/net/busy_clients.h"
#include "server/net/client_sink.h"
#include "server/net/clients.h"
#include "server/net/clock.h"
#include "server/net/disk_threads.h"
#include "server/net/handle.h"
#include "server/net/listener.h"
#include "server/net/loop_relay.h"
#include "server/net/peer_network.h"
#include "server/net/server_calls.h"
#include "server/net/wake_timer.h"
#include "server/net/worker.h"
#include "server/replica/replica.h"
#include "server/replica/snapshot_files.h"
#include "server/replica/storage.h"

namespace redraft::net {

// The libuv driver of one Replica. Two loops on one thread: the main loop has clients and signals, the peer loop has
// everything Raft needs (peer sockets, completions of the disk threads). The main loop sleeps on the peer loop's own
// descriptor. So a command that takes long can serve Raft alone by running the peer loop, and nothing of a client is
// touched meanwhile; docs/decisions/0001-long-work-pump.md says why.
//
// A turn, from the first callback after the main loop wakes to the last:
//
//     peer loop runs, if it has something or a deadline has come;  Replica::advance
//     client bytes go to the replica as they are read
//     Replica::end_turn
//     frames leave, one write per link;  disk requests go to their thread, all at once
//     replies leave, one write per client
//
// A follower's thread has little else to do and syncs small requests itself between two turns; LoopRelay sees to it
// that a slow disk does not hold up the loop.
class Server final : public replica::Host, private ClientSink {
 public:
  // All of them outlive the server, and `storage` is used on its threads from now on.
  Server(replica::Settings& settings, FileSystem& files, replica::Storage& storage);
  ~Server() override;

  // Opens every door that the settings name. Errors are sentences for the operator.
  [[nodiscard]] Status listen();
  // Loads, serves, and returns the exit status when the replica is done.
  [[nodiscard]] int run();
  // `run` came back before the data was loaded; the server's destructor would wait for that.
  [[nodiscard]] bool loading() const { return loader_.has_value(); }

  // replica::Host
  void output_ready(replica::Session& session) override { clients_.output_ready(session); }
  void close_client(replica::Session& session) override { clients_.close_client(session); }
  void pause_reading(replica::Session& session) override { clients_.pause_reading(session); }
  void resume_reading(replica::Session& session) override { clients_.resume_reading(session); }
  void set_peers(std::span<const replica::PeerAddress> peers) override;
  bool send(replica::LinkId link, replica::Frame frame) override { return peers_.send(link, std::move(frame)); }
  std::size_t unsent_bytes(replica::LinkId link) const override { return peers_.unsent_bytes(link); }
  void close_link(replica::LinkId link) override { peers_.close_link(link); }
  std::string local_host(replica::LinkId link) const override { return peers_.local_host(link); }
  bool call(replica::ServerCall call) override;
  void submit(replica::DiskRequest request) override { disk_requests_.push_back(std::move(request)); }
  void submit(replica::BulkRequest request) override { bulk_requests_.push_back(std::move(request)); }
  void pump() override;
  void serve_busy_clients() override;
  void wake_at(std::uint64_t monotonic_us) override { wake_us_ = monotonic_us; }
  std::uint64_t monotonic_us() const override { return read_clocks().monotonic_us; }
  std::uint64_t measure_ns() const override { return read_measure_ns(); }
  void random_bytes(std::span<char> into) override;
  void log(replica::LogLevel level, const std::string& line) override;
  replica::local::ProcessView process() const override;
  Status write_config_file(const std::string& path, const std::string& text) override;
  std::optional<std::string> read_config_file(const std::string& path) override;
  void setting_changed(std::string_view name) override;
  void stop(int exit_status) override;

 private:
  struct Progress {
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_total = 0;
  };
  // A sync by the loop's thread: wanted at the end of this turn, or under way, perhaps on a thread that lost the loop.
  enum class OwnSync : std::uint8_t { kNone, kWanted, kUnderWay };
  using Loaded = std::unique_ptr<replica::Recovered>;
  using LoadResult = std::variant<Progress, Loaded>;
  struct Load {};
  using Loader = Worker<Load, LoadResult>;
  using Log = Worker<replica::DiskRequest, replica::DiskDone>;
  using Bulk = Worker<replica::BulkRequest, replica::BulkDone>;

  // ClientSink
  void begin_turn() override;
  replica::Session& client_connected(replica::ClientAddress address) override;
  std::span<char> input_space(replica::Session& session, std::size_t suggested) override;
  void client_input(replica::Session& session, std::size_t size) override;
  void client_closed(replica::Session& session) override;
  bool admit_admin(const replica::ClientAddress& address) const override;
  void count_written(std::size_t bytes) override;
  void count_rejected() override;
  void count_output_limit() override;
  void count_evicted() override;
  std::uint64_t clients_memory_max() override { return replica_->clients_memory_max(); }

  void end_turn();
  void peers_ready();
  void open_turn(bool peers_ready);
  void poll_peers();
  void deliver();
  void deliver(PeerEvent event);
  void send_out();
  [[nodiscard]] LoopRelay::Turn turn();
  [[nodiscard]] bool syncs_itself() const;
  [[nodiscard]] LoopRelay::Turn sync_itself();
  void own_sync_done(std::vector<replica::DiskDone> done);
  void post_disk_requests();
  void each_second();
  void watch_signal(int signal_number);
  void signalled(int signal_number);
  [[nodiscard]] Status listen_to_peers();
  [[nodiscard]] Status expect_newcomers();
  [[nodiscard]] std::uint64_t next_deadline_us() const;

  replica::Settings& settings_;
  FileSystem& files_;
  replica::Storage& storage_;

  // The order is the order of dependence: what is below uses what is above and goes first.
  Loop main_loop_;
  Loop peer_loop_;
  PeerNetwork peers_;
  LogWork log_work_;                       // of the log's thread
  replica::SnapshotFiles snapshot_files_;  // of the snapshots' thread
  std::optional<Loader> loader_;
  Log log_thread_;
  Bulk bulk_thread_;
  LoopRelay relay_;
  Clients clients_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  BusyClients busy_clients_{clients_, listeners_};
  ServerCalls calls_;
  WakeTimer timer_;
  UniqueHandle<uv_poll_t> peer_poll_;
  UniqueHandle<uv_check_t> turn_end_;
  UniqueHandle<uv_idle_t> again_;  // active: the next turn comes at once
  std::vector<UniqueHandle<uv_signal_t>> signals_;

  replica::Time now_;
  bool in_turn_ = false;
  bool put_off_ = false;  // the last turn's end waits for the sync that it asked for
  bool pumping_ = false;
  std::uint64_t polled_us_ = 0;  // when the peer loop ran last
  std::uint64_t wake_us_ = 0;
  std::uint64_t next_second_us_ = 0;
  std::vector<replica::DiskRequest> disk_requests_;  // of this turn; or later, while a sync of the loop's own is late
  std::size_t disk_outstanding_ = 0;                 // requests at the log's thread
  OwnSync own_sync_ = OwnSync::kNone;
  std::size_t own_requests_ = 0;  // how many are under way
  std::vector<replica::BulkRequest> bulk_requests_;
  std::deque<replica::DiskDone> disk_done_;  // taken and not yet delivered: a pump may continue what a turn began
  std::deque<replica::BulkDone> bulk_done_;

  std::mutex late_mutex_;                // guards late_, between the threads that relay the loop
  std::vector<replica::DiskDone> late_;  // of a sync that outlasted its thread's hold of the loop
  UniqueHandle<uv_async_t> late_signal_;

  std::optional<int> stopping_;         // exit status
  std::uint64_t stop_deadline_us_ = 0;  // output that is not written by then is lost
  std::uint64_t farewell_us_ = 0;       // until then, requests are still answered
  bool terminating_ = false;
  bool finished_ = false;

  std::unique_ptr<replica::Replica> replica_;
};

}  // namespace redraft::net
