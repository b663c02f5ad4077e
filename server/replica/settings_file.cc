#include "server/replica/settings_file.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "server/replica/settings_table.h"
#include "server/replica/version.h"

namespace redraft::replica {

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr int kIncludeDepthMax = 32;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

Error fatal_error(std::string_view message, std::size_t line = 0, std::string_view text = {}) {
  std::string report = "\n*** FATAL CONFIG FILE ERROR (Redis " + std::string(kRedisVersion) + ") ***\n";
  if (line != 0) {
    report += "Reading the configuration file, at line " + std::to_string(line) + "\n>>> '" + std::string(text) + "'\n";
  }
  report += message;
  return {ErrorCode::kInvalid, std::move(report)};
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<std::string> read_stream(std::FILE* file, const std::string& name) {
  std::string text;
  std::array<char, 4096> buffer;
  std::size_t size = 0;
  while ((size = std::fread(buffer.data(), 1, buffer.size(), file)) > 0) text.append(buffer.data(), size);
  if (std::ferror(file) != 0) {
    return Error{ErrorCode::kIo, "Fatal error, can't read config file '" + name + "': " + std::strerror(errno)};
  }
  return text;
}

std::string absolute(const std::string& path) {
  if (path.empty() || path.front() == '/') return path;
  std::array<char, 4096> directory{};
  if (getcwd(directory.data(), directory.size()) == nullptr) return path;
  std::string result = directory.data();
  std::string_view rest = path;
  while (rest.starts_with("../") && result != "/") {
    rest.remove_prefix(3);
    result.erase(result.rfind('/'));
  }
  return result + "/" + std::string(rest);
}

}  // namespace

std::optional<std::vector<std::string>> split_quoted(std::string_view line) {
  std::vector<std::string> words;
  std::size_t i = 0;
  for (;;) {
    while (i < line.size() && is_space(line[i])) ++i;
    if (i >= line.size()) return words;
    std::string word;
    char quote = 0;
    for (bool done = false; !done;) {
      if (i >= line.size()) {
        if (quote != 0) return std::nullopt;
        break;
      }
      const char c = line[i];
      if (quote == '"') {
        if (c == '\\' && i + 3 < line.size() && line[i + 1] == 'x' && hex_digit(line[i + 2]) >= 0 &&
            hex_digit(line[i + 3]) >= 0) {
          word += static_cast<char>(hex_digit(line[i + 2]) * 16 + hex_digit(line[i + 3]));
          i += 4;
          continue;
        }
        if (c == '\\' && i + 1 < line.size()) {
          constexpr std::string_view kLetters = "nrtba";
          constexpr std::string_view kMeant = "\n\r\t\b\a";
          const std::size_t at = kLetters.find(line[i + 1]);
          word += at == std::string_view::npos ? line[i + 1] : kMeant[at];
          i += 2;
          continue;
        }
        if (c == '"') {
          if (i + 1 < line.size() && !is_space(line[i + 1])) return std::nullopt;
          done = true;
        } else {
          word += c;
        }
      } else if (quote == '\'') {
        if (c == '\\' && i + 1 < line.size() && line[i + 1] == '\'') {
          word += '\'';
          i += 2;
          continue;
        }
        if (c == '\'') {
          if (i + 1 < line.size() && !is_space(line[i + 1])) return std::nullopt;
          done = true;
        } else {
          word += c;
        }
      } else if (is_space(c)) {
        done = true;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else {
        word += c;
      }
      ++i;
    }
    words.push_back(std::move(word));
  }
}

std::string quoted(std::string_view word) {
  std::string result = "\"";
  for (const char c : word) {
    constexpr std::string_view kMeant = "\n\r\t\b\a";
    const std::size_t at = kMeant.find(c);
    if (c == '\\' || c == '"') {
      result += '\\';
      result += c;
    } else if (at != std::string_view::npos) {
      result += '\\';
      result += std::string_view("nrtba")[at];
    } else if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      constexpr std::string_view kDigits = "0123456789abcdef";
      result += "\\x";
      result += kDigits[static_cast<unsigned char>(c) / 16];
      result += kDigits[static_cast<unsigned char>(c) % 16];
    }
  }
  return result + '"';
}

Result<std::string> SettingsFile::read(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) {
    return Error{ErrorCode::kNotFound, "Fatal error, can't open config file '" + path + "': " + std::strerror(errno)};
  }
  return read_stream(file.get(), path);
}

Status SettingsFile::load_files(const std::string& pattern) {
  std::vector<std::string> paths{pattern};
  if (pattern.find_first_of("*?[") != std::string::npos) {
    // No match is fine with wildcards: an empty conf.d may be included.
    paths.clear();
    glob_t found{};
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
    }
    globfree(&found);
  }
  std::string text;
  for (const std::string& path : paths) {
    Result<std::string> one = read(path);
    if (!one) return one.error();
    text += *one;
  }
  return load_text(text);
}

Status SettingsFile::load_text(std::string_view text) {
  if (++depth_ > kIncludeDepthMax) return fatal_error("include goes round in a circle");
  std::size_t number = 0;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || line.front() == '#') continue;
    std::optional<std::vector<std::string>> words = split_quoted(line);
    if (!words) return fatal_error("Unbalanced quotes in configuration line", number, line);
    if (words->empty()) continue;
    words->front() = lower(words->front());
    std::optional<Error> fatal;
    const std::string message = apply(*words, number, fatal);
    if (fatal) return *fatal;
    if (!message.empty()) return fatal_error(message, number, line);
  }
  --depth_;
  return Done{};
}

std::string SettingsFile::apply(const std::vector<std::string>& words, std::size_t line, std::optional<Error>& fatal) {
  const std::string& name = words[0];
  const auto warn = [&](const std::string& what) {
    warnings_.push_back("line " + std::to_string(line) + " of the configuration: '" + name + "' " + what);
  };
  const Directive* directive = find_directive(name);
  if (directive != nullptr) {
    std::vector<std::string> arguments(words.begin() + 1, words.end());
    if (arguments.size() == 1 && directive->is(Directive::kMultiArgument) && !arguments[0].empty()) {
      // `save "900 1"` and bind "a b" mean the words inside.
      std::vector<std::string> inner;
      const std::string all = arguments[0];
      for (std::size_t from = 0; from <= all.size();) {
        const std::size_t to = std::min(all.find(' ', from), all.size());
        if (to > from) inner.push_back(all.substr(from, to - from));
        from = to + 1;
      }
      if (!inner.empty()) arguments = std::move(inner);
    }
    std::string& text = settings_.texts_->of(*directive);
    Result<std::string> canonical = canonical_text(*directive, arguments, text);
    if (!canonical) return canonical.error().message;
    if (directive->is(Directive::kRefused) && *canonical != directive->text) {
      if (directive->name == "replicaof") return "replicaof directive not allowed in cluster mode";
      return "'" + name + "' is not supported by redraft, and ignoring it would open a door that it closes";
    }
    // Several save lines add up; the first replaces the default.
    const bool first = seen_.insert(std::string(directive->name)).second;
    if (directive->type == Directive::Type::kSave && !first && !text.empty() && !canonical->empty()) {
      text += " " + *canonical;
    } else {
      text = *canonical;
    }
    if (directive->take != nullptr) directive->take(settings_.values_, text);
    if (!directive->is(Directive::kEffect) && first) warn("has no effect in redraft");
    return {};
  }
  if (name == "include" && words.size() == 2) {
    Status included = load_files(words[1]);
    if (!included) fatal = included.error();
    return {};
  }
  // Redis 7 takes these and ignores them too.
  if ((name == "list-max-ziplist-entries" || name == "list-max-ziplist-value" || name == "lua-replicate-commands") &&
      words.size() == 2) {
    warn("has no effect in redraft");
    return {};
  }
  // To ignore these would leave open what they close, or miss what they add.
  if (name == "rename-command" && words.size() == 3) return "rename-command is not supported by redraft";
  if (name == "user" && words.size() >= 2) {
    std::string& user = settings_.values_.users.emplace_back();
    for (std::size_t i = 1; i < words.size(); ++i) user += (i == 1 ? "" : " ") + words[i];
    return {};
  }
  if (name == "loadmodule" && words.size() >= 2) return "modules are not supported by redraft";
  if (name == "sentinel") return "sentinel directive while not in sentinel mode";
  return "Bad directive or wrong number of arguments";
}

Status SettingsFile::finish() {
  Values& values = settings_.values_;
  if (!values.users.empty() && !values.acl_file.empty()) {
    return Error{ErrorCode::kInvalid,
                 "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is "
                 "invalid. This setup is very likely to lead to configuration errors and security holes, please define "
                 "either an ACL file or declare users directly in your redis.conf, but not both."};
  }
  const std::string* append_only = settings_.find("appendonly");
  const auto text_of = [this](std::string_view name) -> std::string& {
    return settings_.texts_->of(*find_directive(name));
  };
  if (values.append_fsync != AppendFsync::kAlways) {
    if (*append_only == "no") {
      // Stock files say `appendonly no` and `appendfsync everysec`, and in Redis the second then means nothing. Nobody
      // should lose the durability of acknowledged writes by a line that was never meant.
      warnings_.push_back("'appendfsync " + text_of("appendfsync") +
                          "' is ignored, since it comes with 'appendonly no'; say 'appendonly yes' to mean it");
      values.append_fsync = AppendFsync::kAlways;
      text_of("appendfsync") = "always";
    } else {
      warnings_.push_back(
          "appendfsync is not 'always': a write that was acknowledged can be lost when a majority of "
          "the machines loses power within the same moments");
    }
  }
  if (values.read_mode == ReadMode::kStale) {
    warnings_.push_back("read-mode is 'stale': reads may miss writes that were acknowledged");
  }
  if (values.read_mode == ReadMode::kLease) {
    warnings_.push_back(
        "read-mode is 'lease': reads are linearizable only while the clocks of all nodes drift by less "
        "than max-clock-drift");
  }
  // Redis's name for the bus port.
  const std::string& cluster_port = text_of("cluster-port");
  if (values.peer_port == 0 && cluster_port != "0") {
    values.peer_port = static_cast<std::uint16_t>(std::stoul(cluster_port));
  }
  if (values.initial_cluster.size() == 1 && values.node_id == 0) values.node_id = values.initial_cluster[0].node;
  for (const InitialMember& member : values.initial_cluster) {
    if (member.node == values.node_id && values.peer_port == 0 && values.announce_bus_port == 0) {
      values.peer_port = member.peer_port;
    }
  }
  text_of("node-id") = std::to_string(values.node_id);
  text_of("peer-port") = std::to_string(values.peer_port);
  Status ratios = settings_.check_ratios();
  if (!ratios) return fatal_error(ratios.error().message);
  return Done{};
}

Result<Settings> Settings::from_text(std::string_view text, std::vector<std::string>& warnings) {
  Settings settings;
  SettingsFile file(settings, warnings);
  Status loaded = file.load_text(text);
  if (loaded) loaded = file.finish();
  if (!loaded) return loaded.error();
  return settings;
}

Result<Settings> Settings::from_command_line(std::span<const std::string> arguments,
                                             std::vector<std::string>& warnings) {
  Settings settings;
  std::string text;
  std::string options;
  std::size_t i = 0;
  if (!arguments.empty() && !arguments[0].starts_with("-")) {
    settings.config_file_ = absolute(arguments[0]);
    Result<std::string> read = SettingsFile::read(settings.config_file_);
    if (!read) return read.error();
    text = *std::move(read);
    i = 1;
  }
  bool from_stdin = false;
  bool name_expected = true;  // right after a name even a word with dashes is its value
  for (; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool last = i + 1 == arguments.size();
    if (argument == "-" && (last || i == 0)) {
      from_stdin = true;
    } else if (name_expected && argument.starts_with("--")) {
      if (!options.empty()) options += '\n';
      options += argument.substr(2) + " ";
      const std::optional<std::vector<std::string>> words = split_quoted(argument);
      name_expected = words && words->size() > 1;  // "--port 6380" in one word carries its value
      const bool next_is_name = last || arguments[i + 1].starts_with("--");
      if (lower(argument) == "--save" && next_is_name) {
        options += "\"\"";
        name_expected = true;
      }
    } else {
      options += quoted(argument) + " ";
      name_expected = true;
    }
  }
  if (from_stdin) {
    Result<std::string> read = read_stream(stdin, "-");
    if (!read) return read.error();
    text += *read;
  }
  if (!options.empty()) text += "\n" + options;
  SettingsFile file(settings, warnings);
  Status loaded = file.load_text(text);
  if (loaded) loaded = file.finish();
  if (!loaded) return loaded.error();
  return settings;
}

}  // namespace redraft::replica
