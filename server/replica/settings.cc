#include "server/replica/settings.h"

#include <algorithm>
#include <charconv>

#include "server/replica/settings_table.h"

namespace redraft::replica {

namespace {

// The glob of CONFIG GET: names are ASCII and matched without regard to case.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  // Matches one pattern element at `p` and returns where the next begins; npos if it does not match.
  const auto one = [&](char c) -> std::size_t {
    if (p >= pattern.size()) return std::string_view::npos;
    if (pattern[p] == '?') return p + 1;
    if (pattern[p] == '[') {
      std::size_t i = p + 1;
      const bool negated = i < pattern.size() && pattern[i] == '^';
      if (negated) ++i;
      bool found = false;
      while (i < pattern.size() && pattern[i] != ']') {
        if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
          const char low = std::min(fold(pattern[i]), fold(pattern[i + 2]));
          const char high = std::max(fold(pattern[i]), fold(pattern[i + 2]));
          found = found || (c >= low && c <= high);
          i += 3;
        } else {
          if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
          found = found || fold(pattern[i]) == c;
          ++i;
        }
      }
      return found != negated ? std::min(i + 1, pattern.size()) : std::string_view::npos;
    }
    std::size_t at = p;
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    return fold(pattern[at]) == c ? at + 1 : std::string_view::npos;
  };
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
      continue;
    }
    const std::size_t next = one(name[n]);
    if (next != std::string_view::npos) {
      p = next;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_loopback(std::string_view address) {
  if (!address.empty() && address.front() == '-') address.remove_prefix(1);
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

std::vector<std::string> arguments_of(const Directive& directive, std::string_view text) {
  std::vector<std::string> words;
  if (directive.is(Directive::kMultiArgument) && !text.empty()) {
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const std::size_t end = std::min(text.find(' ', begin), text.size());
      words.emplace_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  } else {
    words.emplace_back(text);
  }
  return words;
}

}  // namespace

Settings::Settings() : texts_(std::make_unique<Texts>()) {
  for (const Directive& directive : all_directives()) texts_->values.emplace_back(directive.text);
}
Settings::~Settings() = default;
Settings::Settings(Settings&&) noexcept = default;
Settings& Settings::operator=(Settings&&) noexcept = default;

void Settings::match(std::string_view pattern, std::map<std::string, std::string>& into) const {
  // A full name shows hidden ones too and comes back as it was written, as in Redis.
  if (pattern.find_first_of("*?[") == std::string_view::npos) {
    const std::string* text = find(pattern);
    if (text != nullptr) into.emplace(pattern, *text);
    return;
  }
  for (const Directive& directive : all_directives()) {
    if (directive.is(Directive::kHidden)) continue;
    const std::string& text = texts_->of(directive);
    if (matches(pattern, directive.name)) into.emplace(directive.name, text);
    if (!directive.alias.empty() && matches(pattern, directive.alias)) into.emplace(directive.alias, text);
  }
}

const std::string* Settings::find(std::string_view name) const {
  const Directive* directive = find_directive(name);
  return directive == nullptr ? nullptr : &texts_->of(*directive);
}

bool Settings::known(std::string_view name) const {
  return find_directive(name) != nullptr;
}

bool Settings::immutable(std::string_view name) const {
  const Directive* directive = find_directive(name);
  return directive != nullptr && directive->is(Directive::kImmutable);
}

Settings::Scope Settings::scope(std::string_view name) const {
  const Directive* directive = find_directive(name);
  return directive != nullptr && directive->is(Directive::kCluster) ? Scope::kCluster : Scope::kNode;
}

Status Settings::check(std::string_view name, std::string_view text) const {
  Result<std::string> canonical = canonical_form(name, text);
  if (!canonical) return canonical.error();
  return Done{};
}

Result<std::string> Settings::canonical_form(std::string_view name, std::string_view text) const {
  const Directive* directive = find_directive(name);
  if (directive == nullptr) return Error{ErrorCode::kNotFound, "unknown directive"};
  const std::vector<std::string> words = arguments_of(*directive, text);
  Result<std::string> canonical = canonical_text(*directive, words, texts_->of(*directive));
  if (canonical && directive->is(Directive::kRefused) && *canonical != directive->text) {
    return Error{ErrorCode::kInvalid, std::string(directive->name) + " is not supported by redraft"};
  }
  return canonical;
}

Status Settings::set(std::string_view name, std::string_view text) {
  Result<std::string> canonical = canonical_form(name, text);
  if (!canonical) return canonical.error();
  const Directive& directive = *find_directive(name);
  texts_->of(directive) = *canonical;
  if (directive.take != nullptr) directive.take(values_, *canonical);
  return Done{};
}

bool Settings::loopback_only() const {
  return std::ranges::all_of(values_.bind, is_loopback);
}

Status Settings::check_ratios() const {
  const auto refuse = [](std::string message) { return Error{ErrorCode::kInvalid, std::move(message)}; };
  const auto ms = [](std::uint64_t value) { return std::to_string(value) + " ms"; };
  if (values_.election_timeout_ms < 3 * values_.heartbeat_interval_ms) {
    return refuse("election-timeout (" + ms(values_.election_timeout_ms) +
                  ") must be at least three times heartbeat-interval (" + ms(values_.heartbeat_interval_ms) +
                  "), or one late heartbeat costs the leader its place");
  }
  // A lease shorter than a heartbeat interval could never be renewed in time (pitfall C5).
  const std::uint64_t drift_ms = values_.election_timeout_ms * 2 * values_.max_clock_drift_ppm / 1000000;
  if (values_.read_mode == ReadMode::kLease &&
      values_.election_timeout_ms < drift_ms + 3 * values_.heartbeat_interval_ms) {
    return refuse(
        "read-mode lease needs an election-timeout of three heartbeat-intervals besides what max-clock-drift " +
        std::string("takes from the lease (") + ms(drift_ms) + ")");
  }
  if (!values_.initial_cluster.empty()) {
    const auto self = std::ranges::find(values_.initial_cluster, values_.node_id, &InitialMember::node);
    if (values_.node_id == 0) return refuse("node-id must be given together with initial-cluster");
    if (self == values_.initial_cluster.end()) {
      return refuse("node-id " + std::to_string(values_.node_id) + " is not in initial-cluster");
    }
    if (values_.announce_port == 0 && self->port != values_.port) {
      return refuse("initial-cluster says port " + std::to_string(self->port) + " for node " +
                    std::to_string(values_.node_id) + ", but port is " + std::to_string(values_.port));
    }
    if (values_.announce_bus_port == 0 && values_.peer_port != 0 && self->peer_port != values_.peer_port) {
      return refuse("initial-cluster says peer port " + std::to_string(self->peer_port) + " for node " +
                    std::to_string(values_.node_id) + ", but peer-port is " + std::to_string(values_.peer_port));
    }
  }
  if (!values_.join.empty()) {
    if (!values_.initial_cluster.empty()) return refuse("join and initial-cluster exclude each other");
    if (values_.node_id != 0) return refuse("node-id is given by the cluster that this node joins");
    if (values_.join != "wait" && !parse_join(values_.join)) {
      return refuse("join must be host:port or host:port@peer-port of a member, or 'wait'");
    }
  }
  if (values_.peer_port == 0 && values_.port > 55535 && values_.node_id != 0) {
    return refuse("peer-port must be given, since port + 10000 is above 65535");
  }
  // requirepass alone would protect nothing when anybody could speak to the peer port (redis-semantics, "Doors").
  const bool has_peers = values_.initial_cluster.size() > 1 || values_.node_id != 0 || !values_.join.empty();
  if (has_peers && values_.cluster_secret.empty() && !loopback_only()) {
    return refuse("cluster-secret must be set on all nodes, since the peer port is not bound to loopback only");
  }
  return Done{};
}

std::optional<InitialMember> parse_join(std::string_view text) {
  const auto port_of = [](std::string_view digits) -> std::uint16_t {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return error == std::errc() && end == digits.data() + digits.size() ? port : std::uint16_t{0};
  };
  const std::size_t at = std::min(text.rfind('@'), text.size());
  const std::size_t colon = text.substr(0, at).rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  InitialMember member{0, std::string(host), port_of(text.substr(colon + 1, at - colon - 1)), 0};
  if (at < text.size()) {
    member.peer_port = port_of(text.substr(at + 1));
  } else if (member.port <= 55535) {
    member.peer_port = static_cast<std::uint16_t>(member.port + 10000);
  }
  if (member.port == 0 || member.peer_port == 0) return std::nullopt;
  return member;
}

}  // namespace redraft::replica
