#include "server/net/process.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "server/net/peer_network.h"

namespace redraft::net {
namespace {

// Listeners, log segments, snapshots, loops and links to peers. Redis reserves 32 (CONFIG_MIN_RESERVED_FDS).
constexpr rlim_t kReservedDescriptors = 64 + PeerNetwork::kInboundMax;

Error system_error(const std::string& what) {
  return Error{ErrorCode::kIo, what + ": " + std::strerror(errno)};
}

}  // namespace

Status daemonize() {
  const pid_t child = fork();
  if (child < 0) return system_error("fork");
  if (child > 0) _exit(0);
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return system_error("/dev/null");
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
  if (null > STDERR_FILENO) close(null);
  return Done{};
}

PidFile::PidFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::FILE* file = std::fopen(path_.c_str(), "w");
  if (file == nullptr) {
    spdlog::warn("Failed to write PID file: {}", std::strerror(errno));
    path_.clear();
    return;
  }
  std::fprintf(file, "%d\n", static_cast<int>(getpid()));
  std::fclose(file);
}

PidFile::~PidFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

Result<std::uint32_t> raise_descriptor_limit(std::uint32_t maxclients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    spdlog::warn(
        "Unable to obtain the current NOFILE limit ({}), assuming 1024 and setting the max clients "
        "configuration accordingly.",
        std::strerror(errno));
    return maxclients;
  }
  const rlim_t wanted = maxclients + kReservedDescriptors;
  const rlim_t before = limit.rlim_cur;
  if (before >= wanted) return maxclients;
  limit.rlim_cur = wanted;
  limit.rlim_max = std::max(limit.rlim_max, wanted);  // a privileged process may raise the hard limit too
  int failure = setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : errno;
  if (failure != 0) {
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) failure = errno;
  }
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) {
    spdlog::info("Increased maximum number of open files to {} (it was originally set to {}).", wanted, before);
    return maxclients;
  }
  if (limit.rlim_cur <= kReservedDescriptors) {
    return Error{ErrorCode::kInvalid, "Your current 'ulimit -n' of " + std::to_string(before) +
                                          " is not enough for the server to start. Please increase your open file "
                                          "limit to at least " +
                                          std::to_string(wanted) + ". Exiting."};
  }
  const auto fits = static_cast<std::uint32_t>(limit.rlim_cur - kReservedDescriptors);
  spdlog::warn("You requested maxclients of {} requiring at least {} max file descriptors.", maxclients, wanted);
  spdlog::warn("Server can't set maximum open files to {} because of OS error: {}.", wanted, std::strerror(failure));
  spdlog::warn(
      "Current maximum open files is {}. maxclients has been reduced to {} to compensate for low ulimit. If "
      "you need higher maxclients increase 'ulimit -n'.",
      limit.rlim_cur, fits);
  return fits;
}

void ignore_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
}

}  // namespace redraft::net
