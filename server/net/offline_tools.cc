#include "server/net/offline_tools.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/file_system.h"
#include "server/net/disk_threads.h"
#include "server/net/entropy.h"
#include "server/net/exit_status.h"
#include "server/replica/directory_report.h"

namespace redraft::net {
namespace {

using replica::DirectoryReport;

constexpr std::string_view kConfirmation = "--yes-abandon-the-lost-majority";

void print(std::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
}

int refuse(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return static_cast<int>(status_of_start(error));
}

int check(FileSystem& files, const std::string& path) {
  const Result<DirectoryReport> report = replica::report_directory(files, path);
  if (!report) return refuse(report.error());
  for (const std::string& line : report->lines) print(line);
  for (const std::string& line : report->damage) print("DAMAGED " + line);
  print(report->damage.empty() ? "Sound" : "Damaged");
  return static_cast<int>(report->damage.empty() ? ExitStatus::kClean : ExitStatus::kDirectoryCorrupt);
}

int dump(FileSystem& files, const std::string& path) {
  const Status dumped = replica::dump_directory(files, path, print);
  return dumped.ok() ? static_cast<int>(ExitStatus::kClean) : refuse(dumped.error());
}

std::string summary(const std::string& path, const DirectoryReport& report) {
  return path + ": node " + std::to_string(report.identity ? report.identity->node_id : 0) + ", last term " +
         std::to_string(report.last_term.value) + ", last index " + std::to_string(report.last_index.value) +
         ", committed for certain " + std::to_string(report.commit_index.value) +
         (report.damage.empty() ? "" : ", damaged") +
         (report.repair == replica::Repair::kNone ? "" : ", was in repair");
}

int recover(FileSystem& files, const std::vector<std::string>& paths, bool confirmed) {
  std::vector<DirectoryReport> reports;
  std::string decision = "A majority was given up for lost. Directories compared:\n";
  for (const std::string& path : paths) {
    Result<DirectoryReport> report = replica::report_directory(files, path);
    if (!report) return refuse(report.error());
    print(summary(path, *report));
    for (const std::string& line : report->damage) print("  DAMAGED " + line);
    decision += "  " + summary(path, *report) + "\n";
    reports.push_back(std::move(*report));
  }
  std::size_t best = 0;
  for (std::size_t i = 1; i < reports.size(); ++i) {
    // As a vote would judge them (paper 5.4.1).
    const auto rank = [](const DirectoryReport& report) { return std::tie(report.last_term, report.last_index); };
    if (rank(reports[best]) < rank(reports[i])) best = i;
  }
  if (best != 0) print("The first one is not the newest: " + paths[best] + " is. Name that one first.");
  if (!confirmed) {
    print("Nothing was changed. With " + std::string(kConfirmation) + " the node of " + paths[0] +
          " becomes a cluster of its own: entries that only lost nodes held are gone, and entries that were never "
          "acknowledged may appear. Start it, then let new nodes join from empty directories.");
    return static_cast<int>(ExitStatus::kClean);
  }
  if (best != 0) return static_cast<int>(ExitStatus::kConfiguration);
  std::array<std::uint8_t, 28> random{};
  random_bytes(std::span(reinterpret_cast<char*>(random.data()), random.size()));
  decision += "Kept: " + paths[0] + ", entries up to " + std::to_string(reports[0].last_index.value) +
              "; whether those above " + std::to_string(reports[0].commit_index.value) +
              " were acknowledged is not known. ";
  const Result<std::string> cluster = replica::found_anew(files, paths[0], decision, random);
  if (!cluster) return refuse(cluster.error());
  print(paths[0] + " is now the only node of cluster " + *cluster + "; the decision is in " + paths[0] +
        "/recovery.txt");
  return static_cast<int>(ExitStatus::kClean);
}

}  // namespace

std::optional<int> run_offline_tool(std::span<const std::string> arguments) {
  if (arguments.empty()) return std::nullopt;
  const std::string& tool = arguments.front();
  if (tool != "--check" && tool != "--dump-log" && tool != "--recover") return std::nullopt;
  std::vector<std::string> paths(arguments.begin() + 1, arguments.end());
  const bool confirmed = std::erase(paths, kConfirmation) != 0;
  const bool one = paths.size() == 1 && !confirmed;
  if (paths.empty() || (tool != "--recover" && !one)) {
    std::fprintf(stderr, "%s takes %s\n", tool.c_str(), tool == "--recover" ? "directories" : "one directory");
    return static_cast<int>(ExitStatus::kConfiguration);
  }
  const std::unique_ptr<FileSystem> files = posix_file_system();
  if (tool == "--check") return check(*files, paths[0]);
  if (tool == "--dump-log") return dump(*files, paths[0]);
  return recover(*files, paths, confirmed);
}

}  // namespace redraft::net
