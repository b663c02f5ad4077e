#include "tests/commands/script_runner.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "resp/number.h"
#include "server/commands/letter_case.h"
#include "server/commands/waiters.h"

namespace redraft::commands {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::uint64_t number_of(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

char take_escaped(std::string_view line, std::size_t& at) {
  const char c = line[at++];
  if (c == 'n') return '\n';
  if (c == 'r') return '\r';
  if (c != 'x') return c;
  const std::size_t high = kHex.find(line[at]);
  const std::size_t low = kHex.find(line[at + 1]);
  at += 2;
  return static_cast<char>(high * 16 + low);
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < line.size()) {
    if (line[at] == ' ') {
      ++at;
      continue;
    }
    std::string word;
    const bool quoted = line[at] == '"';
    if (quoted) ++at;
    while (at < line.size() && line[at] != (quoted ? '"' : ' ')) {
      const char c = line[at++];
      word.push_back(quoted && c == '\\' ? take_escaped(line, at) : c);
    }
    if (quoted) ++at;
    words.push_back(std::move(word));
  }
  return words;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out.push_back(kHex[byte / 16]);
    out.push_back(kHex[byte % 16]);
  }
  return out;
}

// Reply bytes as one line; with `sorted` the bulk strings of a flat array in the order of their text.
std::string shown(std::string_view reply, bool sorted) {
  std::vector<std::string> lines;
  while (!reply.empty()) {
    const std::size_t end = reply.find("\r\n");
    lines.emplace_back(reply.substr(0, end));
    reply.remove_prefix(end == std::string_view::npos ? reply.size() : end + 2);
  }
  if (sorted) {
    std::vector<std::string> elements;
    for (std::size_t i = 1; i + 1 < lines.size(); i += 2) elements.push_back(lines[i] + ' ' + lines[i + 1]);
    std::sort(elements.begin(), elements.end());
    lines.resize(1);
    lines.insert(lines.end(), elements.begin(), elements.end());
  }
  std::string out;
  for (const std::string& line : lines) {
    if (&line != &lines.front()) out.push_back(' ');
    out += printable(line);
  }
  return out;
}

constexpr std::array<std::string_view, 10> kEventNames{"generic", "string", "list",    "set",     "hash",
                                                       "zset",    "stream", "expired", "evicted", "new"};

}  // namespace

ScriptRunner::ScriptRunner(store::Store& store) : store_(&store) {}

ScriptRunner::Connection& ScriptRunner::connection(std::string_view name) {
  const auto found = connections_.find(name);
  if (found != connections_.end()) return found->second;
  Connection& made = connections_[std::string(name)];
  made.name = name;
  made.id = connections_.size();
  made.writer = std::make_unique<resp::Writer>(made.output, made.protocol);
  return made;
}

std::string ScriptRunner::run(std::string_view script) {
  text_.clear();
  while (!script.empty()) {
    const std::size_t end = script.find('\n');
    const std::string_view line = script.substr(0, end);
    script.remove_prefix(end == std::string_view::npos ? script.size() : end + 1);
    if (line.starts_with("    ")) continue;  // the expectation
    text_ += line;
    text_.push_back('\n');
    if (line.empty() || line.front() == '#') continue;
    line.front() == '@' ? direct(line) : request(line);
  }
  return text_;
}

void ScriptRunner::direct(std::string_view line) {
  const std::vector<std::string> words = split(line);
  if (words[0] == "@clock") {
    clock_ms_ += number_of(std::string_view(words[1]).substr(1));
  } else if (words[0] == "@resp") {
    Connection& speaker = connection(words[1]);
    speaker.protocol = words[2] == "3" ? resp::Writer::Protocol::kResp3 : resp::Writer::Protocol::kResp2;
    speaker.writer->set_protocol(speaker.protocol);
  } else if (words[0] == "@gone") {
    connection(words[1]).elsewhere = true;
  } else if (words[0] == "@events") {
    show_events_ = words[1] == "on";
  } else if (words[0] == "@unblock") {
    unblock(connection(words[1]), words[2]);
  } else {
    text_ += "    ?? no such directive\n";
  }
}

void ScriptRunner::request(std::string_view line) {
  std::string_view name = "one";
  const std::size_t prompt = line.find("> ");
  if (prompt != std::string_view::npos && prompt < line.find(' ')) {
    name = line.substr(0, prompt);
    line.remove_prefix(prompt + 2);
  }
  const bool sorted = line.starts_with("~ ");
  if (sorted) line.remove_prefix(2);
  submit(connection(name), split(line), sorted);
}

void ScriptRunner::submit(Connection& sender, const std::vector<std::string>& arguments, bool sorted) {
  std::string output;
  resp::Writer reply(output, sender.protocol);
  bool blocked = false;
  ++sender.number;
  ++index_;
  if (before_each_) before_each_();
  store_->begin_entry(index_, clock_ms_);
  const auto is = [&](std::string_view name) { return equals_ignoring_case(arguments[0], name); };
  if (is("select")) {
    sender.db = static_cast<std::uint32_t>(number_of(arguments[1]));
    reply.ok();
  } else if (is("multi")) {
    sender.in_multi = true;
    reply.ok();
  } else if (is("exec")) {
    transact(sender, reply);
  } else if (sender.in_multi) {
    sender.queued.push_back(arguments);
    reply.simple("QUEUED");
  } else {
    answer(sender, arguments, reply, true, blocked);
  }
  sender.waiting = blocked;
  if (blocked && output.empty()) {
    text_ += "    => (waits)\n";
  } else {
    text_ += "    => " + shown(output, sorted) + '\n';
  }
  show_served();
}

void ScriptRunner::answer(Connection& sender, const std::vector<std::string>& arguments, resp::Writer& reply,
                          bool may_block, bool& blocked) {
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  const Command* command = find_command(views);
  if (command == nullptr || command->handler == nullptr) {
    std::string error;
    Unknown::append_error(views, error);
    return reply.error(error);
  }
  if (!arity_fits(*command, views.size())) {
    return reply.error("ERR wrong number of arguments for '" + std::string(command->name) + "' command");
  }
  Random random(index_);
  Context context{*store_, *this, *this, reply, random};
  context.command = command;
  context.arguments = views;
  context.db = sender.db;
  context.clock_ms = clock_ms_;
  context.index = index_;
  context.origin = {1, sender.id, sender.number};
  context.applying = true;
  context.may_block = may_block;
  execute(context);
  blocked = context.blocked;
}

void ScriptRunner::transact(Connection& sender, resp::Writer& reply) {
  sender.in_multi = false;
  const std::vector<std::vector<std::string>> queued = std::move(sender.queued);
  sender.queued.clear();
  reply.array(queued.size());
  bool blocked = false;
  for (const std::vector<std::string>& arguments : queued) answer(sender, arguments, reply, false, blocked);
  Random random(index_);
  Context context{*store_, *this, *this, reply, random};
  context.db = sender.db;
  context.clock_ms = clock_ms_;
  context.index = index_;
  context.applying = true;
  serve_waiters(context);
}

void ScriptRunner::unblock(Connection& waiter, std::string_view reason) {
  constexpr std::array<std::string_view, 4> kReasons{"timeout", "unblocked", "error", "closed"};
  const auto which = std::find(kReasons.begin(), kReasons.end(), reason) - kReasons.begin();
  const std::array<std::string, 5> words{"unblock", "1", resp::to_text(static_cast<std::int64_t>(waiter.id)),
                                         resp::to_text(static_cast<std::int64_t>(waiter.number)), resp::to_text(which)};
  const std::vector<std::string_view> views(words.begin(), words.end());
  std::string output;
  resp::Writer reply(output, resp::Writer::Protocol::kResp2);
  ++index_;
  if (before_each_) before_each_();
  store_->begin_entry(index_, clock_ms_);
  Random random(index_);
  Context context{*store_, *this, *this, reply, random};
  context.arguments = views;
  context.clock_ms = clock_ms_;
  context.index = index_;
  context.applying = true;
  unblock_waiter_command(context);
  text_ += "    => " + shown(output, false) + '\n';
  show_served();
}

resp::Writer* ScriptRunner::waiting_client(const Origin& origin) {
  for (auto& [name, candidate] : connections_) {
    if (candidate.id != origin.connection || candidate.number != origin.number) continue;
    if (candidate.elsewhere || origin.node != 1) return nullptr;
    served_.push_back(name);
    candidate.waiting = false;
    return candidate.writer.get();
  }
  return nullptr;
}

void ScriptRunner::notify(Event event, std::string_view name, std::string_view key, std::uint32_t db) {
  if (!show_events_) return;
  events_ += "    ! ";
  events_ += kEventNames[static_cast<std::size_t>(event)];
  events_ += ':';
  events_ += name;
  events_ += ' ';
  events_ += resp::to_text(db);
  events_ += ':';
  events_ += printable(key);
  events_ += '\n';
}

void ScriptRunner::show_served() {
  for (const std::string& name : served_) {
    Connection& receiver = connections_.find(name)->second;
    text_ += "    " + name + " => " + shown(receiver.output, false) + '\n';
    receiver.output.clear();
  }
  served_.clear();
  text_ += events_;
  events_.clear();
}

}  // namespace redraft::commands
