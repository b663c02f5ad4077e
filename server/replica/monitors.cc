#include "server/replica/monitors.h"

#include "server/replica/secrets.h"

namespace redraft::replica {
namespace {

void append_argument(std::string& line, std::string_view argument) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  line += " \"";
  for (const char c : argument) {
    switch (c) {
      case '\\':
      case '"':
        line += '\\';
        line += c;
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\t':
        line += "\\t";
        break;
      case '\a':
        line += "\\a";
        break;
      case '\b':
        line += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          line += c;
        } else {
          line += "\\x";
          line += kDigits[static_cast<unsigned char>(c) >> 4];
          line += kDigits[static_cast<unsigned char>(c) & 15];
        }
    }
  }
  line += '"';
}

std::string line_of(Time now, std::string_view who, std::uint32_t db, Monitors::Arguments arguments) {
  std::string micros = std::to_string(now.wall_ms % 1000 * 1000 + now.monotonic_us % 1000);
  micros.insert(0, 6 - micros.size(), '0');
  std::string line = "+" + std::to_string(now.wall_ms / 1000) + "." + micros + " [" + std::to_string(db) + " ";
  line.append(who).append("]");
  for (const std::string_view argument : arguments) append_argument(line, argument);
  line += "\r\n";
  return line;
}

bool is_hidden(const commands::Command& command) {
  return command.is(commands::kAdmin) || command.is(commands::kSkipMonitor);
}

}  // namespace

void Monitors::add(Session& session) {
  session.monitor = true;
  watchers_.insert(session.id());
}

void Monitors::remove(Session& session) {
  session.monitor = false;
  watchers_.erase(session.id());
}

std::string Monitors::name_of(const Session* session, std::uint64_t node) {
  return session != nullptr ? session->address().peer : "node:" + std::to_string(node);
}

void Monitors::show(Time now, std::string_view who, std::uint32_t db, const commands::Command& command,
                    Arguments arguments) {
  if (is_hidden(command)) return;
  static constexpr std::string_view kExec = "EXEC";  // its arguments here are what was queued
  if (command.id == commands::CommandId::kExec) arguments = std::span(&kExec, 1);
  send(line_of(now, who, db, without_secrets(command, arguments)));
}

void Monitors::script_begins(Time now, std::string_view who, std::uint32_t db, Arguments arguments) {
  script_lines_ = line_of(now, who, db, arguments);
}

void Monitors::script_calls(Time now, std::uint32_t db, const commands::Command& command, Arguments arguments) {
  if (script_lines_.empty() || is_hidden(command)) return;
  script_lines_ += line_of(now, "lua", db, without_secrets(command, arguments));
}

void Monitors::script_ended(bool again) {
  if (!again && !script_lines_.empty()) send(script_lines_);
  script_lines_.clear();
}

void Monitors::send(std::string_view lines) {
  if (held_ != nullptr) {
    held_->append(lines);
    return;
  }
  for (const std::uint64_t id : watchers_) {
    if (Session* watcher = sessions_.find(id)) pushes_.send(*watcher, lines);
  }
}

}  // namespace redraft::replica
