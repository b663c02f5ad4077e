#pragma once

#include <cstdint>
#include <string_view>

#include "server/commands/context.h"
#include "server/commands/script_host.h"
#include "server/scripting/machine.h"

namespace redraft::commands {

// What EVAL and FCALL share.
struct ScriptRun {
  const scripting::Image& image;
  std::string_view name;
  std::uint32_t flags = 0;
  bool read_only = false;  // asked for by the command
  bool function = false;
  std::size_t keys = 0;  // of the arguments behind numkeys
};

// Reads numkeys at argument 2; false when an error was answered. `not_a_number` is the text for what is none.
[[nodiscard]] bool take_key_count(Context& context, std::string_view not_a_number, std::size_t& keys);
// Runs it and answers. A read that came to a write answers nothing and tells the host; then this is false.
bool run_script(Context& context, const ScriptRun& run);
[[nodiscard]] scripting::Budget script_budget(const Context& context);
// Whoever runs script commands has a host for them.
[[nodiscard]] ScriptHost& script_host(Context& context);

}  // namespace redraft::commands
