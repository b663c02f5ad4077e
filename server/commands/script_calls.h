#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/commands/context.h"
#include "server/commands/script_host.h"
#include "server/scripting/machine.h"

namespace redraft::commands {

// The world of one running script: redis.call runs commands in the script's own context, at the same entry or read.
class ScriptCalls final : public scripting::Outside {
 public:
  // `flags` are the script's; `read_only` was asked for by the command, EVAL_RO and its like.
  ScriptCalls(Context& context, ScriptHost& host, std::uint32_t flags, bool read_only);

  Called call(std::span<const std::string_view> arguments, resp::Writer& reply) override;
  bool may_call(std::span<const std::string_view> arguments, bool& known) override;
  void log(int level, std::string_view line) override;
  [[nodiscard]] bool go_on() override;

 private:
  Called call_elsewhere(const Command& command, std::span<const std::string_view> arguments, resp::Writer& reply);
  Called select(std::string_view number, resp::Writer& reply);

  Context& context_;
  ScriptHost& host_;
  bool read_only_;
  bool allows_oom_;
  std::string refusal_;  // an answer's text
  std::uint32_t db_;     // SELECT inside the script counts for the script only
};

}  // namespace redraft::commands
