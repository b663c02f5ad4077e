#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "server/net/disk_threads.h"
#include "server/net/entropy.h"
#include "server/net/exit_status.h"
#include "server/net/import/importer.h"
#include "server/net/log.h"
#include "server/net/offline_tools.h"
#include "server/net/process.h"
#include "server/net/server.h"
#include "server/replica/audit.h"
#include "server/replica/settings.h"
#include "server/replica/storage.h"
#include "server/replica/version.h"

namespace {

using redraft::Error;
using redraft::Result;
using redraft::Status;
using redraft::net::ExitStatus;

constexpr const char* kUsage =
    "Usage: redraft-server [redraft.conf] [--name value ...]\n"
    "       redraft-server -                (read the configuration from standard input)\n"
    "       redraft-server -v | --version\n"
    "       redraft-server -h | --help\n"
    "       redraft-server --import dump.rdb HOST:PORT   (load a Redis's dump into a running cluster)\n"
    "       redraft-server --check DIR      (verify a stopped node's directory, changing nothing)\n"
    "       redraft-server --dump-log DIR\n"
    "       redraft-server --recover DIR... (when a majority is lost for good)\n"
    "\n"
    "Directives are redis.conf's. One node alone:\n"
    "       redraft-server --port 6379 --dir /var/lib/redraft\n"
    "One of three, each started with its own id, port and directory and the same list:\n"
    "       redraft-server --port 7001 --dir node-1 --node-id 1 \\\n"
    "         --initial-cluster 1=127.0.0.1:7001@17001,2=127.0.0.1:7002@17002,3=127.0.0.1:7003@17003\n"
    "One more for a cluster that runs, by the address of any of its nodes:\n"
    "       redraft-server --port 7004 --dir node-4 --join 127.0.0.1:7001\n";

int refuse(const Error& error, ExitStatus status) {
  spdlog::critical("{}", error.message);
  return static_cast<int>(status);
}

static_assert(static_cast<int>(ExitStatus::kRebuild) == redraft::replica::kRebuildStatus);

// Everything between a valid configuration and the end of the process.
int serve(redraft::replica::Settings& settings, const std::vector<std::string>& warnings) {
  redraft::net::ignore_signals();
  if (const Status log = redraft::net::start_log(settings.values().log_file, settings.values().log_level); !log.ok()) {
    std::fprintf(stderr, "%s\n", log.error().message.c_str());
    return static_cast<int>(ExitStatus::kConfiguration);
  }
  if (settings.values().daemonize) {
    if (const Status detached = redraft::net::daemonize(); !detached.ok()) {
      return refuse(detached.error(), ExitStatus::kConfiguration);
    }
  }
  spdlog::info("redraft {} (speaks Redis {}), pid {}, is starting", redraft::replica::kRedraftVersion,
               redraft::replica::kRedisVersion, getpid());
  for (const std::string& warning : warnings) spdlog::warn("{}", warning);
  auto pid_file = std::make_unique<redraft::net::PidFile>(settings.values().pid_file);

  const Result<std::uint32_t> clients = redraft::net::raise_descriptor_limit(settings.values().maxclients);
  if (!clients.ok()) return refuse(clients.error(), ExitStatus::kConfiguration);
  if (*clients != settings.values().maxclients) {
    if (const Status set = settings.set("maxclients", std::to_string(*clients)); !set.ok()) {
      return refuse(set.error(), ExitStatus::kConfiguration);
    }
  }

  const std::unique_ptr<redraft::FileSystem> files = redraft::posix_file_system();
  const redraft::replica::Storage::Options options{
      .node = settings.values().node_id,
      .joins = !settings.values().join.empty(),
      .segment_size = settings.values().log_segment_size,
      .seed = redraft::net::random_seed(),
      .databases = settings.values().databases,
      .has_peers = settings.values().initial_cluster.size() > 1 || !settings.values().join.empty(),
      .reserve_bytes = settings.values().disk_reserve,
      .lease_us = settings.values().lease_us()};
  auto storage = redraft::replica::Storage::open(*files, settings.values().dir, options);
  if (!storage.ok()) return refuse(storage.error(), redraft::net::status_of_start(storage.error()));

  auto server = std::make_unique<redraft::net::Server>(settings, *files, **storage);
  if (const Status listening = server->listen(); !listening.ok()) {
    return refuse(listening.error(), ExitStatus::kConfiguration);
  }
  const int status = server->run();
  spdlog::warn("redraft is now ready to exit, bye bye...");
  if (server->loading()) {
    // Nothing has been promised yet, and the loading thread may need minutes.
    pid_file.reset();
    _exit(status);
  }
  server.reset();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && (arguments[0] == "-v" || arguments[0] == "--version")) {
    const std::string line = "redraft server v=" + std::string(redraft::replica::kRedraftVersion) +
                             " redis=" + std::string(redraft::replica::kRedisVersion) + "\n";
    std::fputs(line.c_str(), stdout);
    return 0;
  }
  if (arguments.size() == 1 && (arguments[0] == "-h" || arguments[0] == "--help")) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (const std::optional<int> status = redraft::net::run_offline_tool(arguments)) return *status;
  if (const std::optional<int> status = redraft::net::run_import_tool(arguments)) return *status;
  std::vector<std::string> warnings;
  auto settings = redraft::replica::Settings::from_command_line(arguments, warnings);
  if (!settings.ok()) {
    std::fprintf(stderr, "%s\n", settings.error().message.c_str());
    return static_cast<int>(ExitStatus::kConfiguration);
  }
  const int status = serve(*settings, warnings);
  const bool can_start_again = std::ranges::find(arguments, "-") == arguments.end();
  if (status == static_cast<int>(ExitStatus::kRebuild) && can_start_again) {
    // Whoever watches this process sees it go on; everything in it begins anew.
    execv("/proc/self/exe", argv);
    std::perror("redraft-server cannot start itself again");
  }
  return status;
}
