#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace redraft::replica {

// Counters of one node since its start or CONFIG RESETSTAT: what INFO shows. Node-local, never looked at by apply.
struct Statistics {
  // A count and its rate over the last sixteen samples of 100 ms, as Redis's instantaneous metrics.
  struct Rate {
    std::uint64_t total = 0;
    std::uint64_t last_total = 0;
    std::array<std::uint64_t, 16> per_second{};
    std::size_t next = 0;
    void sample(std::uint64_t elapsed_us) {
      per_second[next] = elapsed_us == 0 ? 0 : (total - last_total) * 1000000 / elapsed_us;
      last_total = total;
      next = (next + 1) % per_second.size();
    }
    [[nodiscard]] std::uint64_t now() const {
      std::uint64_t sum = 0;
      for (const std::uint64_t value : per_second) sum += value;
      return sum / per_second.size();
    }
  };
  struct PerCommand {
    std::uint64_t calls = 0;
    std::uint64_t nanoseconds = 0;
    std::uint64_t microseconds = 0;  // the same, as shown
    std::uint64_t rejected = 0;
    std::uint64_t failed = 0;
  };

  std::uint64_t connections_received = 0;
  std::uint64_t connections_rejected = 0;
  Rate commands;  // processed for clients of this node
  Rate bytes_in;
  Rate bytes_out;
  Rate batches;  // entries with commands, proposed here
  Rate batched_commands;
  Rate read_rounds;
  Rate syncs;
  std::uint64_t expired_keys = 0;
  std::uint64_t keyspace_hits = 0;
  std::uint64_t keyspace_misses = 0;
  std::uint64_t evicted_keys = 0;
  std::uint64_t error_replies = 0;
  std::uint64_t changes_since_save = 0;
  std::uint64_t last_save_s = 0;  // Unix time
  bool last_save_ok = true;
  bool save_in_progress = false;
  std::uint64_t peak_memory = 0;
  std::uint64_t output_limit_disconnections = 0;
  std::uint64_t evicted_clients = 0;
  std::vector<PerCommand> per_command;          // by command id
  std::map<std::string, std::uint64_t> errors;  // by first word: ERR, WRONGTYPE...
};

}  // namespace redraft::replica
