#include <algorithm>
#include <array>

#include "resp/number.h"
#include "server/replica/local/handlers.h"
#include "server/replica/local/latency_monitor.h"
#include "server/replica/local/slow_log.h"

namespace redraft::replica::local {

namespace {

std::int64_t signed_number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

void answer_histogram(resp::Writer& reply, std::string_view name, const Histogram& histogram) {
  reply.bulk(name);
  reply.map(2);
  reply.bulk("calls");
  reply.integer(signed_number(histogram.count()));
  reply.bulk("histogram_usec");
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets = histogram.cumulative();
  reply.map(buckets.size());
  for (const auto& [bound, count] : buckets) {
    reply.integer(signed_number(bound));
    reply.integer(signed_number(count));
  }
}

}  // namespace

void slowlog_get(LocalContext& context) {
  std::int64_t count = 10;
  if (context.arguments.size() > 3) {
    return context.reply.error("ERR wrong number of arguments for 'slowlog|get' command");
  }
  if (context.arguments.size() == 3) {
    const std::optional<std::int64_t> given = resp::parse_int64(context.arguments[2]);
    if (!given || *given < -1) return context.reply.error("ERR count should be greater than or equal to -1");
    count = *given;
  }
  const std::deque<SlowLog::Entry>& entries = context.actions.slow_log().entries();
  const std::size_t shown = count < 0 ? entries.size() : std::min(entries.size(), static_cast<std::size_t>(count));
  context.reply.array(shown);
  for (std::size_t i = 0; i < shown; ++i) {
    const SlowLog::Entry& entry = entries[i];
    context.reply.array(6);
    context.reply.integer(signed_number(entry.id));
    context.reply.integer(signed_number(entry.time_s));
    context.reply.integer(signed_number(entry.microseconds));
    context.reply.array(entry.arguments.size());
    for (const std::string& argument : entry.arguments) context.reply.bulk(argument);
    context.reply.bulk(entry.peer);
    context.reply.bulk(entry.client_name);
  }
}

void slowlog_len(LocalContext& context) {
  context.reply.integer(signed_number(context.actions.slow_log().entries().size()));
}

void slowlog_reset(LocalContext& context) {
  context.actions.slow_log().clear();
  context.reply.ok();
}

void slowlog_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "GET [<count>]",
      "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
      "    Entries are made of:",
      "    id, timestamp, time in microseconds, arguments array, client IP and port,",
      "    client name",
      "LEN",
      "    Return the length of the slowlog.",
      "RESET",
      "    Reset the slowlog.",
  });
  answer_help(context, "SLOWLOG", kLines);
}

void latency_latest(LocalContext& context) {
  const auto& events = context.actions.latency().events();
  context.reply.array(events.size());
  for (const auto& [name, event] : events) {
    context.reply.array(4);
    context.reply.bulk(name);
    context.reply.integer(signed_number(event.samples.back().time_s));
    context.reply.integer(signed_number(event.samples.back().milliseconds));
    context.reply.integer(signed_number(event.maximum_ms));
  }
}

void latency_history(LocalContext& context) {
  const auto& events = context.actions.latency().events();
  const auto found = events.find(context.arguments[2]);
  if (found == events.end()) return context.reply.array(0);
  context.reply.array(found->second.samples.size());
  for (const LatencyMonitor::Sample& sample : found->second.samples) {
    context.reply.array(2);
    context.reply.integer(signed_number(sample.time_s));
    context.reply.integer(signed_number(sample.milliseconds));
  }
}

void latency_reset(LocalContext& context) {
  LatencyMonitor& monitor = context.actions.latency();
  if (context.arguments.size() == 2) return context.reply.integer(signed_number(monitor.reset_all()));
  std::int64_t count = 0;
  for (const std::string_view name : context.arguments.subspan(2)) count += monitor.reset(name) ? 1 : 0;
  context.reply.integer(count);
}

// One column per sample, its height in four levels between the least and the largest.
void latency_graph(LocalContext& context) {
  const auto& events = context.actions.latency().events();
  const auto found = events.find(context.arguments[2]);
  if (found == events.end()) {
    return context.reply.error("ERR No samples available for event '" + std::string(context.arguments[2]) + "'");
  }
  const std::deque<LatencyMonitor::Sample>& samples = found->second.samples;
  const auto [low, high] = std::ranges::minmax(samples, {}, &LatencyMonitor::Sample::milliseconds);
  std::string text = found->first + " - high " + std::to_string(high.milliseconds) + " ms, low " +
                     std::to_string(low.milliseconds) + " ms (all time high " +
                     std::to_string(found->second.maximum_ms) + " ms)\n" + std::string(80, '-') + "\n";
  constexpr std::uint64_t kRows = 4;
  const std::uint64_t range = std::max<std::uint64_t>(1, high.milliseconds - low.milliseconds);
  for (std::uint64_t row = kRows; row-- > 0;) {
    for (const LatencyMonitor::Sample& sample : samples) {
      const std::uint64_t height = (sample.milliseconds - low.milliseconds) * (kRows - 1) / range;
      text += height > row ? '|' : height == row ? '#' : ' ';
    }
    text += '\n';
  }
  context.reply.verbatim("txt", text);
}

void latency_doctor(LocalContext& context) {
  const auto& events = context.actions.latency().events();
  if (context.actions.settings().values().latency_monitor_threshold_ms == 0 && events.empty()) {
    return context.reply.verbatim(
        "txt",
        "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use \"CONFIG "
        "SET latency-monitor-threshold <milliseconds>.\" in order to enable it. If we weren't in a deep space mission "
        "I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n");
  }
  if (events.empty()) {
    return context.reply.verbatim("txt",
                                  "Dave, no latency spike was observed during the lifetime of this Redis instance, not "
                                  "in the slightest bit. I honestly think you ought to sit down calmly, take a stress "
                                  "pill, and think things over.\n");
  }
  std::string text =
      "Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do "
      "you Dave?\n\n";
  std::size_t number = 0;
  for (const auto& [name, event] : events) {
    std::uint64_t sum = 0;
    for (const LatencyMonitor::Sample& sample : event.samples) sum += sample.milliseconds;
    text += std::to_string(++number) + ". " + name + ": " + std::to_string(event.samples.size()) +
            " latency spikes (average " + std::to_string(sum / event.samples.size()) + "ms). Worst all time event " +
            std::to_string(event.maximum_ms) + "ms.\n";
  }
  context.reply.verbatim("txt", text);
}

void latency_histogram(LocalContext& context) {
  const LatencyMonitor& monitor = context.actions.latency();
  const resp::Writer::Deferred begin = context.reply.defer();
  std::size_t count = 0;
  const auto show = [&](const commands::Command& command) {
    const Histogram* histogram = monitor.command(static_cast<std::uint16_t>(command.id));
    if (histogram == nullptr || histogram->count() == 0) return;
    answer_histogram(context.reply, command.name, *histogram);
    ++count;
  };
  if (context.arguments.size() == 2) {
    for (const commands::Command& command : commands::all_commands()) show(command);
  } else {
    for (const std::string_view name : context.arguments.subspan(2)) {
      // The log's stages have no place among the commands, but can be asked for.
      if (const Histogram* stage = monitor.stage(name); stage != nullptr && stage->count() != 0) {
        answer_histogram(context.reply, name, *stage);
        ++count;
      }
      for (const commands::Command& command : commands::all_commands()) {
        // A container's name stands for all its subcommands.
        const bool inside = command.name.size() > name.size() && command.name[name.size()] == '|' &&
                            equals_ignoring_case(name, command.name.substr(0, name.size()));
        if (inside || equals_ignoring_case(name, command.name)) show(command);
      }
    }
  }
  context.reply.end_map(begin, count);
}

void latency_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "DOCTOR",
      "    Return a human readable latency analysis report.",
      "GRAPH <event>",
      "    Return an ASCII latency graph for the <event> class.",
      "HISTORY <event>",
      "    Return time-latency samples for the <event> class.",
      "LATEST",
      "    Return the latest latency samples for all events.",
      "RESET [<event> ...]",
      "    Reset latency data of one or more <event> classes.",
      "    (default: reset all data for all event classes)",
      "HISTOGRAM [COMMAND ...]",
      "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
      "    If no commands are specified then all histograms are replied.",
  });
  answer_help(context, "LATENCY", kLines);
}

}  // namespace redraft::replica::local
