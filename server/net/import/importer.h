#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/net/import/blocking_client.h"
#include "server/net/import/rdb_file.h"

namespace redraft::net {

// Loads an RDB file of Redis through the log of a running cluster: every key as RESTORE with REPLACE, every function
// library as FUNCTION LOAD REPLACE, many under way at once. Follows MOVED, and sends again whatever was not answered
// when a leader goes: each of these commands may run twice. Writes its progress to standard output, once a second.
class Importer {
 public:
  struct Options {
    std::string path;
    ServerAddress server;
    std::string user;
    std::string password;
  };
  explicit Importer(Options options) : options_(std::move(options)), address_(options_.server) {}

  // The exit status: 0 when everything of the file is there.
  [[nodiscard]] int run();

 private:
  struct Request {
    std::uint64_t db = 0;
    std::string bytes;
    std::string name;  // for messages
  };

  [[nodiscard]] Status load(RdbFile& file, std::uint64_t size);
  void add(const RdbItem& item);
  // Until no more than so many bytes are unanswered.
  [[nodiscard]] Status settle(std::size_t bytes_max);
  [[nodiscard]] Status connect();
  [[nodiscard]] Status send_new();
  [[nodiscard]] Status take_reply(const resp::Reply& reply);
  // Goes on with `address_`, after a moment if the last try was just now.
  void restart(const std::string& why);
  void show_progress(std::uint64_t done, std::uint64_t size, bool last);

  Options options_;
  ServerAddress address_;
  BlockingClient client_;
  std::deque<Request> requests_;  // unanswered, in order
  std::size_t sent_ = 0;          // of those, on this connection
  std::size_t bytes_ = 0;
  std::deque<bool> expected_;  // replies that come: of a request (true), or of SELECT or AUTH
  std::optional<std::uint64_t> db_;
  std::chrono::steady_clock::time_point last_answer_;
  std::chrono::steady_clock::time_point last_shown_;
  std::string trouble_;
  std::uint64_t keys_ = 0;
  std::uint64_t libraries_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t of_modules_ = 0;
};

// Runs the tool when the arguments ask for it: --import FILE HOST:PORT [--user NAME] [--pass PASSWORD]. The password
// may also be in the environment, as redis-cli's REDISCLI_AUTH.
[[nodiscard]] std::optional<int> run_import_tool(std::span<const std::string> arguments);

}  // namespace redraft::net
