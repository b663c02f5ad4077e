#include "tests/sim/runner.h"

#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <thread>

namespace redraft::sim {
namespace {

// A seed that needs so long hangs.
constexpr int kHangs_s = 300;

// What a child writes when it is done: numbers, then the sentence.
struct Report {
  std::uint64_t trace = 0;
  std::uint64_t simulated_us = 0;
  std::uint64_t events = 0;
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t entries = 0;
  std::uint64_t leaders = 0;
  std::uint64_t crashes = 0;
  std::uint64_t faults = 0;
  std::uint64_t refusals = 0;
  std::uint64_t changes = 0;
  std::uint64_t wiped = 0;
  std::uint64_t settled = 0;
  std::uint64_t copies = 0;
  FaultCounts kinds{};
  char broken = 0;
};

struct Child {
  std::uint64_t seed = 0;
  int report = -1;
  int errors = -1;
  std::string reported;
  std::string said;  // on standard error: why it aborted
};

Plan plan_of(const RunOptions& options, std::uint64_t seed) {
  Plan plan = Plan::draw(seed, options.aim);
  plan.bug = options.bug;
  plan.print_trace = options.print_trace;
  return plan;
}

void write_all(int file, const void* bytes, std::size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = write(file, from, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    from += written;
    size -= static_cast<std::size_t>(written);
  }
}

[[noreturn]] void run_child(const RunOptions& options, std::uint64_t seed, int report_to) {
  const rlimit hangs{kHangs_s, kHangs_s};  // of the processor's time, however little of it this process is given
  setrlimit(RLIMIT_CPU, &hangs);
  // Nothing goes back to the system before the end: pages that come and go were an eighth of a seed's time.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 16 << 20);
  ensure(planted::activate(options.planted), "only a build with REDRAFT_PLANTED has planted bugs");
  if (options.print_trace) std::fprintf(stderr, "%s\n", plan_of(options, seed).describe().c_str());
  Outcome outcome = simulate(plan_of(options, seed));
  if (options.twice && !outcome.broken) {
    const Outcome again = simulate(plan_of(options, seed));
    if (again.trace != outcome.trace) outcome.broken = "two runs of this seed differ";
  }
  Report report;
  report.trace = outcome.trace;
  report.simulated_us = outcome.simulated_us;
  report.events = outcome.events;
  report.requests = outcome.requests;
  report.answered = outcome.answered;
  report.entries = outcome.entries;
  report.leaders = outcome.leaders;
  report.crashes = outcome.crashes;
  report.faults = outcome.faults;
  report.refusals = outcome.refusals;
  report.changes = outcome.changes;
  report.wiped = outcome.wiped;
  report.kinds = outcome.kinds;
  report.copies = outcome.copies;
  report.settled = outcome.settled;
  report.broken = outcome.broken ? 1 : 0;
  write_all(report_to, &report, sizeof report);
  if (outcome.broken) write_all(report_to, outcome.broken->data(), outcome.broken->size());
  _exit(0);
}

Child launch(const RunOptions& options, std::uint64_t seed) {
  int report[2];
  int errors[2];
  ensure(pipe(report) == 0 && pipe(errors) == 0, "the system has pipes");
  std::fflush(nullptr);
  const pid_t pid = fork();
  ensure(pid >= 0, "the system has processes");
  if (pid == 0) {
    close(report[0]);
    close(errors[0]);
    if (!options.print_trace) dup2(errors[1], STDERR_FILENO);
    run_child(options, seed, report[1]);
  }
  close(report[1]);
  close(errors[1]);
  Child child;
  child.seed = seed;
  child.report = report[0];
  child.errors = errors[0];
  return child;
}

// False at the end of the file.
bool take_some(int file, std::string& into) {
  char buffer[4096];
  const ssize_t got = read(file, buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  into.append(buffer, static_cast<std::size_t>(got));
  return true;
}

void wait_for_output(std::vector<Child>& children) {
  std::vector<pollfd> files;
  for (const Child& child : children) {
    files.push_back({child.report, POLLIN, 0});
    files.push_back({child.errors, POLLIN, 0});
  }
  poll(files.data(), files.size(), -1);
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto take = [](const pollfd& ready, int& file, std::string& into) {
      if (ready.revents == 0 || take_some(file, into)) return;
      close(file);
      file = -1;
    };
    take(files[2 * i], children[i].report, children[i].reported);
    take(files[2 * i + 1], children[i].errors, children[i].said);
  }
}

Outcome outcome_of(const Child& child) {
  Outcome outcome;
  Report report;
  if (child.reported.size() < sizeof report) {
    const std::string last = child.said.substr(child.said.size() > 2000 ? child.said.size() - 2000 : 0);
    outcome.broken = last.empty() ? "the process died or hung" : last;
    return outcome;
  }
  std::memcpy(&report, child.reported.data(), sizeof report);
  outcome.trace = report.trace;
  outcome.simulated_us = report.simulated_us;
  outcome.events = report.events;
  outcome.requests = report.requests;
  outcome.answered = report.answered;
  outcome.entries = report.entries;
  outcome.leaders = report.leaders;
  outcome.crashes = report.crashes;
  outcome.faults = report.faults;
  outcome.refusals = report.refusals;
  outcome.changes = report.changes;
  outcome.wiped = report.wiped;
  outcome.kinds = report.kinds;
  outcome.copies = report.copies;
  outcome.settled = report.settled;
  if (report.broken != 0) outcome.broken = child.reported.substr(sizeof report);
  return outcome;
}

void add(RunSummary& summary, const Child& child) {
  const Outcome outcome = outcome_of(child);
  ++summary.seeds;
  summary.total.simulated_us += outcome.simulated_us;
  summary.total.events += outcome.events;
  summary.total.requests += outcome.requests;
  summary.total.answered += outcome.answered;
  summary.total.entries += outcome.entries;
  summary.total.leaders += outcome.leaders;
  summary.total.crashes += outcome.crashes;
  summary.total.faults += outcome.faults;
  summary.total.refusals += outcome.refusals;
  summary.total.changes += outcome.changes;
  summary.total.wiped += outcome.wiped;
  summary.total.copies += outcome.copies;
  for (std::size_t kind = 0; kind < kFaultNames.size(); ++kind) summary.total.kinds[kind] += outcome.kinds[kind];
  summary.total.settled += outcome.settled;
  // Order does not matter, so that the sum is the same however many run at once.
  summary.total.trace += outcome.trace;
  if (!outcome.broken) return;
  summary.failures.push_back({child.seed, *outcome.broken});
  if (summary.options.progress) {
    std::printf("seed %llu: %s\n  repeat: %s\n", static_cast<unsigned long long>(child.seed), outcome.broken->c_str(),
                command_for(summary.options, child.seed).c_str());
    std::fflush(stdout);
  }
}

}  // namespace

std::string command_for(const RunOptions& options, std::uint64_t seed) {
  const bool planted = options.planted != planted::Bug::kNone;
  std::string command =
      std::string(planted ? "redraft-sim-planted" : "redraft-sim") + " --seeds 1 --first " + std::to_string(seed);
  if (options.aim != Aim::kAll) command += " --aim " + std::string(kAimNames[static_cast<std::size_t>(options.aim)]);
  if (options.bug != Bug::kNone) command += " --bug " + std::string(name_of(options.bug));
  if (planted) command += " --bug " + std::string(planted::name_of(options.planted));
  return command;
}

RunSummary run_seeds(const RunOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  RunSummary summary;
  summary.options = options;
  const std::size_t jobs = options.jobs != 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  std::vector<Child> children;
  std::uint64_t next = options.first;
  const std::uint64_t end = options.first + options.seeds;
  while (next < end || !children.empty()) {
    const bool enough = options.stop_at_failure && !summary.failures.empty();
    if (enough) next = end;
    while (next < end && children.size() < jobs) children.push_back(launch(options, next++));
    if (children.empty()) break;
    wait_for_output(children);
    for (auto it = children.begin(); it != children.end();) {
      if (it->report >= 0 || it->errors >= 0) {
        ++it;
        continue;
      }
      waitpid(-1, nullptr, 0);
      add(summary, *it);
      it = children.erase(it);
      if (options.progress && summary.seeds % 50 == 0) {
        std::printf("%llu of %llu seeds, %zu failures\n", static_cast<unsigned long long>(summary.seeds),
                    static_cast<unsigned long long>(options.seeds), summary.failures.size());
        std::fflush(stdout);
      }
    }
  }
  std::ranges::sort(summary.failures, {}, &Failure::seed);
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return summary;
}

std::string RunSummary::describe() const {
  const double simulated = static_cast<double>(total.simulated_us) / 1e6;
  char line[200];
  std::snprintf(line, sizeof line,
                "%llu seeds, %zu failures; %.1f s, %.1f seeds/s; %.2f simulated hours, %.0fx real time",
                static_cast<unsigned long long>(seeds), failures.size(), seconds, static_cast<double>(seeds) / seconds,
                simulated / 3600, simulated / seconds);
  std::string text = line;
  const auto say = [&text](std::uint64_t number, std::string_view what) {
    text += (text.find(';', text.find("real time")) == std::string::npos ? "; " : ", ") + std::to_string(number) + " " +
            std::string(what);
  };
  say(total.requests, "requests");
  say(total.answered, "answered as expected");
  say(total.settled, "operations replayed");
  say(total.entries, "entries");
  say(total.leaders, "leaders");
  say(total.crashes, "crashes");
  say(total.faults, "faults");
  say(total.refusals, "damaged starts refused");
  say(total.changes, "changes of members");
  say(total.wiped, "directories emptied");
  say(total.copies, "old copies put in place");
  std::snprintf(line, sizeof line, "; trace %016llx\n", static_cast<unsigned long long>(total.trace));
  text += line;
  text += "faults:";
  for (std::size_t kind = 0; kind < kFaultNames.size(); ++kind) {
    if (total.kinds[kind] == 0) continue;
    text +=
        (text.ends_with(':') ? " " : ", ") + std::to_string(total.kinds[kind]) + " " + std::string(kFaultNames[kind]);
  }
  text += "\n";
  for (const Failure& failure : failures) {
    text += "FAILED seed " + std::to_string(failure.seed) + ": " + failure.what +
            "\n  repeat: " + command_for(options, failure.seed) + "\n";
  }
  return text;
}

}  // namespace redraft::sim
