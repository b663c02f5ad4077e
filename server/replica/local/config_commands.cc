#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "server/replica/local/handlers.h"
#include "server/replica/local/latency_monitor.h"
#include "server/replica/settings_file.h"
#include "server/replica/settings_table.h"

namespace redraft::replica::local {

namespace {

// The words of a directive in a file: several for those that take several, else one in quotes if it needs them.
std::string file_line(const Directive& directive, const std::string& text) {
  std::string line(directive.name);
  const bool plain = text.find_first_of(" \t\"'\\#") == std::string::npos && !text.empty();
  if (plain || (directive.is(Directive::kMultiArgument) && !text.empty())) return line + " " + text;
  return line + " " + quoted(text);
}

}  // namespace

void config_get(LocalContext& context) {
  std::map<std::string, std::string> found;
  for (const std::string_view pattern : context.arguments.subspan(2)) {
    context.actions.settings().match(pattern, found);
  }
  context.reply.map(found.size());
  for (const auto& [name, text] : found) {
    context.reply.bulk(name);
    const std::optional<std::string> replicated = context.actions.settings().scope(name) == Settings::Scope::kCluster
                                                      ? context.actions.cluster_setting(find_directive(name)->name)
                                                      : std::nullopt;
    context.reply.bulk(replicated ? *replicated : text);
  }
}

// All or nothing, as Redis 7: names first, then every value is checked, then all are set. Cluster settings follow by
// one entry of the log, checked before it is proposed.
void config_set(LocalContext& context) {
  Settings& settings = context.actions.settings();
  const std::span<const std::string_view> arguments = context.arguments;
  if (arguments.size() % 2 != 0) return context.reply.error(kSyntaxError);
  const auto failed = [&context](std::string_view name, std::string_view why) {
    context.reply.error("ERR CONFIG SET failed (possibly related to argument '" + std::string(name) + "') - " +
                        std::string(why));
  };
  std::vector<const Directive*> directives;
  for (std::size_t i = 2; i < arguments.size(); i += 2) {
    const Directive* directive = find_directive(arguments[i]);
    if (directive == nullptr) {
      return context.reply.error("ERR Unknown option or number of arguments for CONFIG SET - '" +
                                 std::string(arguments[i]) + "'");
    }
    if (directive->is(Directive::kImmutable)) return failed(arguments[i], "can't set immutable config");
    if (directive->is(Directive::kProtected) &&
        !protected_action_allowed(*settings.find("enable-protected-configs"), context.session)) {
      return failed(arguments[i], "can't set protected config");
    }
    if (directive->name == "dir") return failed(arguments[i], "the data directory stays where the server started");
    if (std::ranges::find(directives, directive) != directives.end()) {
      return failed(arguments[i], "duplicate parameter");
    }
    directives.push_back(directive);
  }
  std::vector<std::pair<std::string, std::string>> replicated;
  for (std::size_t n = 0; n < directives.size(); ++n) {
    Result<std::string> text = settings.canonical_form(directives[n]->name, arguments[2 * n + 3]);
    if (!text) return failed(directives[n]->name, text.error().message);
    if (directives[n]->is(Directive::kCluster)) replicated.emplace_back(directives[n]->name, *text);
  }
  if (!replicated.empty() && context.in_transaction) return context.reply.error(kNotInTransaction);
  std::vector<std::pair<std::string_view, std::string>> before;
  for (std::size_t n = 0; n < directives.size(); ++n) {
    if (directives[n]->is(Directive::kCluster)) continue;
    before.emplace_back(directives[n]->name, *settings.find(directives[n]->name));
    Status set = settings.set(directives[n]->name, arguments[2 * n + 3]);
    if (set) set = settings.check_ratios();
    if (!set) {
      for (const auto& [name, text] : before) {
        ensure(settings.set(name, text).ok(), "a text that was in force is valid");
      }
      return failed(directives[n]->name, set.error().message);
    }
  }
  for (const auto& [name, text] : before) context.actions.setting_changed(name);
  if (!replicated.empty()) return context.actions.set_cluster_settings(context.session, replicated);
  context.reply.ok();
}

// redis.io/commands/config-resetstat: what counts events goes to zero, what describes the present stays.
void config_resetstat(LocalContext& context) {
  Statistics& statistics = context.actions.statistics();
  const auto restart = [](Statistics::Rate& rate) {
    rate.total = 0;
    rate.last_total = 0;
  };
  statistics.connections_received = 0;
  statistics.connections_rejected = 0;
  for (Statistics::Rate* rate : {&statistics.commands, &statistics.bytes_in, &statistics.bytes_out, &statistics.batches,
                                 &statistics.batched_commands, &statistics.read_rounds, &statistics.syncs}) {
    restart(*rate);
  }
  statistics.expired_keys = 0;
  statistics.keyspace_hits = 0;
  statistics.keyspace_misses = 0;
  statistics.evicted_keys = 0;
  statistics.error_replies = 0;
  statistics.output_limit_disconnections = 0;
  statistics.evicted_clients = 0;
  statistics.peak_memory = 0;
  std::ranges::fill(statistics.per_command, Statistics::PerCommand{});
  statistics.errors.clear();
  context.actions.latency().reset_commands();
  context.reply.ok();
}

// Keeps the file's comments and order, replaces lines whose value has changed, and adds what the file did not name
// under Redis's own marker. Cluster settings are left out: the log has them, the file only seeds a new cluster.
void config_rewrite(LocalContext& context) {
  const Settings& settings = context.actions.settings();
  if (settings.config_file().empty()) {
    return context.reply.error("ERR The server is running without a config file");
  }
  constexpr std::string_view kMarker = "# Generated by CONFIG REWRITE";
  const std::string old_text = context.actions.read_config_file(settings.config_file()).value_or("");
  std::string text;
  bool marked = false;
  std::set<const Directive*> written;
  for (std::size_t begin = 0; begin < old_text.size();) {
    const std::size_t end = std::min(old_text.find('\n', begin), old_text.size());
    const std::string line = old_text.substr(begin, end - begin);
    begin = end + 1;
    marked = marked || line == kMarker;
    const std::size_t first = line.find_first_not_of(" \t\r");
    const std::optional<std::vector<std::string>> words =
        first == std::string::npos || line[first] == '#' ? std::nullopt : split_quoted(line);
    const Directive* directive = words && !words->empty() ? find_directive(words->front()) : nullptr;
    if (directive == nullptr || directive->is(Directive::kCluster)) {
      text += line + "\n";
    } else if (written.insert(directive).second) {
      text += file_line(*directive, *settings.find(directive->name)) + "\n";
    }
  }
  for (const Directive& directive : all_directives()) {
    const std::string& value = *settings.find(directive.name);
    if (directive.is(Directive::kCluster) || value == directive.text || !written.insert(&directive).second) continue;
    if (!marked) text += std::string(kMarker) + "\n";
    marked = true;
    text += file_line(directive, value) + "\n";
  }
  Status done = context.actions.write_config_file(settings.config_file(), text);
  if (!done) return context.reply.error(done.error().message);
  context.reply.ok();
}

void config_help(LocalContext& context) {
  constexpr auto kLines = std::to_array<std::string_view>({
      "GET <pattern>",
      "    Return parameters matching the glob-like <pattern> and their values.",
      "SET <directive> <value>",
      "    Set the configuration <directive> to <value>.",
      "RESETSTAT",
      "    Reset statistics reported by the INFO command.",
      "REWRITE",
      "    Rewrite the configuration file.",
  });
  answer_help(context, "CONFIG", kLines);
}

}  // namespace redraft::replica::local
