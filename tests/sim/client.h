#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "resp/reply_reader.h"
#include "tests/sim/ledger.h"
#include "tests/sim/node.h"

namespace redraft::sim {

struct Answer {
  Fate fate = Fate::kUnknown;
  resp::Reply reply = {};
};

// A client as libraries are: one connection, follows MOVED, tries another node when there is no leader, and never sends
// again what may have been executed. Runs one request (a command or a pipeline) at a time.
class Client final : public ClientEnd {
 public:
  using Done = std::function<void(const std::vector<Answer>&)>;

  Client(std::uint64_t id, std::uint64_t seed, Schedule& schedule, Trace& trace, Ledger& ledger,
         std::vector<Node*> nodes);

  struct Options {
    std::uint64_t patience_us = 5'000'000;
    bool follow = true;            // send a single command again when it was certainly not executed
    std::uint64_t connection = 0;  // not 0: only on this very connection
  };
  void run(std::vector<Command> commands, const Options& options, Done done);
  void run(std::vector<Command> commands, Done done) {
    run(std::move(commands), {.patience_us = patience_us}, std::move(done));
  }
  // The connection that the last request used; another number after every reconnect. 0: none.
  [[nodiscard]] std::uint64_t connection() const { return connected_ ? token_ : 0; }
  [[nodiscard]] bool busy() const { return done_ != nullptr; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] Random& random() { return random_; }
  // Ends the connection, also in the middle of a request (pitfall H4).
  void hang_up();
  // Of the next connection.
  void aim_at(std::uint64_t node);
  // READONLY on every new connection: followers serve its reads at the leader's read index.
  bool follower_reads = false;
  // Workloads ask it for no writes; where nobody answers it gives up soon and asks the same node again.
  bool reads_only = false;
  std::uint64_t patience_us = 5'000'000;

  std::uint64_t requests = 0;
  std::uint64_t timeouts = 0;

  void on_bytes(std::uint64_t token, std::string_view bytes) override;
  void on_closed(std::uint64_t token) override;

 private:
  void connect();
  void transmit();
  void send(const Command& command, std::string& bytes);
  void to_node(std::string bytes);
  void take_replies();
  void answered();
  void try_again(std::uint64_t delay_us);
  void end_connection();
  void finish();
  [[nodiscard]] Fate judge(const resp::Reply& reply);

  const std::uint64_t id_;
  Random random_;
  Schedule& schedule_;
  Trace& trace_;
  Ledger& ledger_;
  std::vector<Node*> nodes_;  // index 0 is node 1

  // The connection.
  std::size_t target_;
  std::uint64_t token_ = 0;
  bool connecting_ = false;
  bool connected_ = false;
  std::uint64_t number_ = 0;  // the node's name for it
  std::uint64_t last_arrival_us_ = 0;
  std::string input_;
  std::size_t skip_replies_ = 0;
  std::uint64_t replies_ = 0;  // on this connection so far

  // The request.
  std::vector<Command> commands_;
  std::vector<Answer> answers_;
  std::size_t answered_ = 0;
  bool sent_ = false;
  Options options_;
  Done done_;
  std::uint64_t deadline_us_ = 0;
  std::uint64_t request_ = 0;
};

}  // namespace redraft::sim
