#include "server/net/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <utility>

namespace redraft::net {
namespace {

// Shared with the logger, so with every thread.
std::atomic<char> role{static_cast<char>(LogRole::kStarting)};

class RoleFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& into) override {
    into.push_back(role.load(std::memory_order_relaxed));
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<RoleFlag>(); }
};

class LevelFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& into) override {
    switch (message.level) {
      case spdlog::level::trace:
        into.push_back('.');
        break;
      case spdlog::level::debug:
        into.push_back('-');
        break;
      case spdlog::level::info:
        into.push_back('*');
        break;
      default:
        into.push_back('#');
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelFlag>(); }
};

}  // namespace

Status start_log(const std::string& file, const std::string& level) {
  std::shared_ptr<spdlog::logger> logger;
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    logger = std::make_shared<spdlog::logger>("redraft", std::move(sink));
  } catch (const spdlog::spdlog_ex& failed) {
    return Error{ErrorCode::kInvalid, "Can't open the log file: " + std::string(failed.what())};
  }
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<RoleFlag>('*').add_flag<LevelFlag>('~').set_pattern("%P:%* %d %b %Y %H:%M:%S.%e %~ %v");
  logger->set_formatter(std::move(formatter));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  set_log_level(level);
  return Done{};
}

void set_log_level(const std::string& level) {
  spdlog::level::level_enum chosen = spdlog::level::info;
  if (level == "debug") chosen = spdlog::level::trace;
  if (level == "verbose") chosen = spdlog::level::debug;
  if (level == "warning") chosen = spdlog::level::warn;
  if (level == "nothing") chosen = spdlog::level::off;
  spdlog::set_level(chosen);
}

void set_log_role(LogRole now) {
  role.store(static_cast<char>(now), std::memory_order_relaxed);
}

}  // namespace redraft::net
