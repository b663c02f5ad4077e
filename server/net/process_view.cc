#include "server/net/process_view.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

// Of jemalloc, which only the release executable links.
extern "C" int mallctl(const char* name, void* old_value, std::size_t* old_size, void* new_value, std::size_t new_size)
    __attribute__((weak));

namespace redraft::net {
namespace {

std::string executable_path() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<std::size_t>(size));
}

std::string system_name() {
  utsname name{};
  if (uname(&name) != 0) return {};
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

std::uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  std::array<char, 128> line{};
  const std::size_t size = std::fread(line.data(), 1, line.size() - 1, file);
  std::fclose(file);
  unsigned long long total = 0;
  unsigned long long resident = 0;
  if (size == 0 || std::sscanf(line.data(), "%llu %llu", &total, &resident) != 2) return 0;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t allocated_bytes() {
  if (mallctl == nullptr) return 0;
  std::uint64_t epoch = 1;  // jemalloc's statistics are those of the last epoch
  std::size_t size = sizeof(epoch);
  mallctl("epoch", &epoch, &size, &epoch, size);
  std::size_t allocated = 0;
  size = sizeof(allocated);
  return mallctl("stats.allocated", &allocated, &size, nullptr, 0) == 0 ? allocated : 0;
}

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000 + static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

replica::local::ProcessView read_process_view() {
  replica::local::ProcessView view;
  view.process_id = static_cast<std::uint64_t>(getpid());
  view.executable = executable_path();
  view.system_name = system_name();
  view.compiler_version = __VERSION__;
  view.resident_bytes = resident_bytes();
  view.allocator_allocated_bytes = allocated_bytes();
  struct sysinfo system {};
  if (sysinfo(&system) == 0) view.system_memory_bytes = std::uint64_t{system.totalram} * system.mem_unit;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    view.user_cpu_us = microseconds(usage.ru_utime);
    view.system_cpu_us = microseconds(usage.ru_stime);
  }
  return view;
}

}  // namespace redraft::net
