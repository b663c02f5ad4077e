#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "server/replica/settings_table.h"

namespace redraft::replica {

namespace {

using Type = Directive::Type;
using Words = std::span<const std::string>;

Error wrong(std::string message) {
  return {ErrorCode::kInvalid, std::move(message)};
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

std::string joined(Words words, std::string_view separator = " ") {
  std::string result;
  for (const std::string& word : words) {
    if (&word != words.data()) result += separator;
    result += word;
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    if (end != 0 && !text.empty()) parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::int64_t> integer_of(std::string_view text, int base = 10) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A number and a unit, as in redis.conf's header: 1k is 1000 bytes, 1kb is 1024.
std::optional<std::int64_t> memory_of(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const std::string unit = lower(text.substr(digits));
  std::int64_t factor = 0;
  if (unit.empty() || unit == "b") factor = 1;
  if (unit == "k") factor = 1000;
  if (unit == "kb") factor = 1024;
  if (unit == "m") factor = 1000 * 1000;
  if (unit == "mb") factor = 1024 * 1024;
  if (unit == "g") factor = 1000 * 1000 * 1000;
  if (unit == "gb") factor = 1024 * 1024 * 1024;
  if (factor == 0) return std::nullopt;
  if (digits == 0) return unit.empty() ? std::optional<std::int64_t>(0) : std::nullopt;
  const std::optional<std::int64_t> value = integer_of(text.substr(0, digits));
  if (!value || *value > std::numeric_limits<std::int64_t>::max() / factor) return std::nullopt;
  return *value * factor;
}

Result<std::string> in_bounds(const Directive& directive, std::int64_t value) {
  if (value < directive.minimum || value > directive.maximum) {
    return wrong("argument must be between " + std::to_string(directive.minimum) + " and " +
                 std::to_string(directive.maximum) + " inclusive");
  }
  return std::to_string(value);
}

Result<std::string> boolean(const std::string& word) {
  std::string value = lower(word);
  if (value != "yes" && value != "no") return wrong("argument must be 'yes' or 'no'");
  return value;
}

Result<std::string> words_of(const Directive& directive, Words words) {
  const std::vector<std::string_view> permitted = split(directive.words, ' ');
  std::string list;
  for (const std::string_view word : permitted) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  std::string result;
  for (const std::string& word : words) {
    if (std::ranges::find(permitted, lower(word)) == permitted.end()) {
      return wrong("argument(s) must be one of the following: " + list);
    }
  }
  for (const std::string_view word : permitted) {
    for (const std::string& given : words) {
      if (lower(given) != word || (word == "default" && words.size() > 1)) continue;
      if (!result.empty()) result += ' ';
      result += word;
      break;
    }
  }
  return result;
}

Result<std::string> percent(const Directive& directive, const std::string& word) {
  if (!word.empty() && word.back() == '%') {
    const std::optional<std::int64_t> value = integer_of(std::string_view(word).substr(0, word.size() - 1));
    if (!value || *value < 0) return wrong("argument must be a memory or percent value");
    if (*value > -directive.minimum) {
      return wrong("percentage argument must be less or equal to " + std::to_string(-directive.minimum));
    }
    return std::to_string(*value) + "%";
  }
  const std::optional<std::int64_t> value = memory_of(word);
  if (!value) return wrong("argument must be a memory or percent value");
  return in_bounds(directive, *value);
}

Result<std::string> octal(const Directive& directive, const std::string& word) {
  const std::optional<std::int64_t> value = integer_of(word, 8);
  if (!value) return wrong("argument couldn't be parsed as an octal number");
  std::array<char, 64> buffer{};
  if (*value < directive.minimum || *value > directive.maximum) {
    std::snprintf(buffer.data(), buffer.size(), "argument must be between %llo and %llo inclusive",
                  static_cast<unsigned long long>(directive.minimum),
                  static_cast<unsigned long long>(directive.maximum));
    return wrong(buffer.data());
  }
  std::snprintf(buffer.data(), buffer.size(), "%llo", static_cast<unsigned long long>(*value));
  return std::string(buffer.data());
}

Result<std::string> save(Words words) {
  if (words.size() == 1 && words[0].empty()) return std::string();
  if (words.size() % 2 != 0) return wrong("Invalid save parameters");
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::optional<std::int64_t> value = integer_of(words[i]);
    if (!value || *value < (i % 2 == 0 ? 1 : 0)) return wrong("Invalid save parameters");
    if (i != 0) result += ' ';
    result += std::to_string(*value);
  }
  return result;
}

Result<std::string> output_limits(Words words, std::string_view before) {
  if (words.size() % 4 != 0) return wrong("Wrong number of arguments in buffer limit configuration.");
  std::array<std::string, 3> limits;
  const std::vector<std::string_view> old = split(before, ' ');
  for (std::size_t i = 0; i < limits.size() && old.size() == 12; ++i) {
    limits[i] = std::string(old[4 * i + 1]) + " " + std::string(old[4 * i + 2]) + " " + std::string(old[4 * i + 3]);
  }
  for (std::size_t i = 0; i < words.size(); i += 4) {
    const std::string name = lower(words[i]);
    std::size_t at = 0;
    if (name == "replica" || name == "slave") {
      at = 1;
    } else if (name == "pubsub") {
      at = 2;
    } else if (name != "normal") {
      return wrong("Invalid client class specified in buffer limit configuration.");
    }
    const std::optional<std::int64_t> hard = memory_of(words[i + 1]);
    const std::optional<std::int64_t> soft = memory_of(words[i + 2]);
    const std::optional<std::int64_t> seconds = integer_of(words[i + 3]);
    if (!hard || !soft || !seconds || *seconds < 0) {
      return wrong("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    limits[at] = std::to_string(*hard) + " " + std::to_string(*soft) + " " + std::to_string(*seconds);
  }
  return "normal " + limits[0] + " slave " + limits[1] + " pubsub " + limits[2];
}

Result<std::string> scores(Words words) {
  if (words.size() != 3) return wrong("wrong number of arguments");
  for (const std::string& word : words) {
    const std::optional<std::int64_t> value = integer_of(word);
    if (!value || *value < -2000 || *value > 2000) {
      return wrong("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
  }
  return joined(words);
}

Result<std::string> percentiles(Words words) {
  std::string result;
  if (words.size() == 1 && words[0].empty()) return result;
  for (const std::string& word : words) {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || std::isnan(value)) {
      return wrong("Invalid latency-tracking-info-percentiles parameters");
    }
    if (value < 0 || value > 100) {
      return wrong("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
    }
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%f", value);
    std::string text(buffer.data());
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    if (!result.empty()) result += ' ';
    result += text;
  }
  return result;
}

// redis.io/docs/manual/keyspace-notifications: A stands for all classes but m and n.
Result<std::string> events(const std::string& word) {
  constexpr std::string_view kAll = "g$lshzxetd";
  std::string given = word;
  for (const char c : word) {
    if (c == 'A') given += kAll;
    if (std::string_view("Ag$lshzxeKEtmdn").find(c) == std::string_view::npos) {
      return wrong("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
  }
  const auto has = [&given](char c) { return given.find(c) != std::string::npos; };
  std::string result;
  if (std::ranges::all_of(kAll, has)) {
    result = "A";
  } else {
    for (const char c : kAll) {
      if (has(c)) result += c;
    }
  }
  for (const char c : std::string_view("nKEm")) {
    if (has(c)) result += c;
  }
  return result;
}

// Redis Cluster's host:port@peer-port behind the node's number; the peer port defaults to port + 10000.
Result<std::string> members(Words words) {
  const auto bad = [](std::string_view member, std::string_view why) {
    return wrong("initial-cluster: '" + std::string(member) + "' " + std::string(why) +
                 "; write 1=127.0.0.1:7001@17001,2=127.0.0.1:7002@17002,...");
  };
  std::string result;
  std::vector<std::int64_t> nodes;
  std::vector<std::string> addresses;
  const std::string text = joined(words, ",");
  for (const std::string_view member : split(text, ',')) {
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return bad(member, "has no '='");
    const std::optional<std::int64_t> node = integer_of(member.substr(0, equals));
    if (!node || *node < 1) return bad(member, "does not begin with a node number above 0");
    if (std::ranges::find(nodes, *node) != nodes.end()) return bad(member, "repeats a node number");
    nodes.push_back(*node);
    const std::string_view address = member.substr(equals + 1);
    const std::size_t at = address.rfind('@');
    const std::size_t colon = address.substr(0, at).rfind(':');
    if (colon == std::string_view::npos || colon == 0) return bad(member, "has no host:port");
    const std::string_view host = address.substr(0, colon);
    if (host.find(':') != std::string_view::npos && (host.front() != '[' || host.back() != ']')) {
      return bad(member, "needs brackets around an IPv6 address");
    }
    const std::optional<std::int64_t> port =
        integer_of(address.substr(colon + 1, at == std::string_view::npos ? at : at - colon - 1));
    if (!port || *port < 1 || *port > 65535) return bad(member, "has no port between 1 and 65535");
    const std::optional<std::int64_t> peer_port =
        at == std::string_view::npos ? *port + 10000 : integer_of(address.substr(at + 1));
    if (!peer_port || *peer_port < 1 || *peer_port > 65535) return bad(member, "has no peer port between 1 and 65535");
    if (*port == *peer_port) return bad(member, "uses one port twice");
    const std::string peer = std::string(host) + ":" + std::to_string(*peer_port);
    if (std::ranges::find(addresses, peer) != addresses.end()) return bad(member, "repeats an address");
    addresses.push_back(peer);
    if (!result.empty()) result += ',';
    result += std::to_string(*node) + "=" + std::string(host) + ":" + std::to_string(*port) + "@" +
              std::to_string(*peer_port);
  }
  return result;
}

Result<std::string> plain_text(const Directive& directive, const std::string& word) {
  const bool path = word.find('/') != std::string::npos;
  if (directive.name == "dbfilename" && path) return wrong("dbfilename can't be a path, just a filename");
  if (directive.name == "appendfilename") {
    if (word.empty()) return wrong("appendfilename can't be empty");
    if (path) return wrong("appendfilename can't be a path, just a filename");
  }
  if (directive.name == "appenddirname") {
    if (word.empty()) return wrong("appenddirname can't be empty");
    if (path) return wrong("appenddirname can't be a path, just a dirname");
  }
  const auto made_of = [&word](std::string_view others) {
    return std::ranges::all_of(word, [&](char c) {
      const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      return alphanumeric || others.find(c) != std::string_view::npos;
    });
  };
  if (directive.name == "cluster-announce-hostname") {
    if (word.size() >= 256) return wrong("Hostnames must be less than 256 characters");
    if (!made_of("-.")) return wrong("Hostnames may only contain alphanumeric characters, hyphens or dots");
  }
  // Redis takes anything. Here the other nodes dial it: one slip would cut a leader off from its followers.
  if (directive.name == "cluster-announce-ip" && (word.starts_with('-') || word.size() >= 256 || !made_of("-._:%"))) {
    return wrong("argument must be an IP address or a host name");
  }
  return word;
}

}  // namespace

Result<std::string> canonical_text(const Directive& directive, Words words, std::string_view before) {
  if (words.empty()) return wrong("wrong number of arguments");
  if (words.size() > 1 && !directive.is(Directive::kMultiArgument)) return wrong("wrong number of arguments");
  switch (directive.type) {
    case Type::kBool:
      return boolean(words[0]);
    case Type::kString:
      return plain_text(directive, words[0]);
    case Type::kEnum:
    case Type::kFlags:
      return words_of(directive, words);
    case Type::kInteger: {
      const std::optional<std::int64_t> value = integer_of(words[0]);
      if (!value) return wrong("argument couldn't be parsed into an integer");
      return in_bounds(directive, *value);
    }
    case Type::kMemory: {
      const std::optional<std::int64_t> value = memory_of(words[0]);
      if (!value) return wrong("argument must be a memory value");
      return in_bounds(directive, *value);
    }
    case Type::kPercent:
      return percent(directive, words[0]);
    case Type::kOctal:
      return octal(directive, words[0]);
    case Type::kWords:
      if (directive.name == "bind" && words.size() > 16) return wrong("Too many bind addresses specified.");
      return joined(words);
    case Type::kSave:
      return save(words);
    case Type::kOutputLimits:
      return output_limits(words, before);
    case Type::kScores:
      return scores(words);
    case Type::kPercentiles:
      return percentiles(words);
    case Type::kEvents:
      return events(words[0]);
    case Type::kMembers:
      return members(words);
  }
  return wrong("argument has no known type");
}

}  // namespace redraft::replica
