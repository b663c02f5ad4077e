#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace redraft::scripting {

// redis.io/docs/interact/programmability/lua-api, "Script flags", in the order in which FUNCTION LIST shows them.
enum ScriptFlag : std::uint32_t {
  kNoWrites = 1u << 0,
  kAllowOom = 1u << 1,
  kAllowStale = 1u << 2,
  kNoCluster = 1u << 3,
  kAllowCrossSlotKeys = 1u << 4,
  kCompatible = 1u << 5,  // an EVAL without shebang: no flag is meant
};

struct ScriptFlagName {
  ScriptFlag flag;
  std::string_view name;
};
inline constexpr std::array<ScriptFlagName, 5> kScriptFlagNames{{{kNoWrites, "no-writes"},
                                                                 {kAllowOom, "allow-oom"},
                                                                 {kAllowStale, "allow-stale"},
                                                                 {kNoCluster, "no-cluster"},
                                                                 {kAllowCrossSlotKeys, "allow-cross-slot-keys"}}};

// 0 when there is no such flag.
[[nodiscard]] constexpr std::uint32_t script_flag(std::string_view name) {
  for (const ScriptFlagName& known : kScriptFlagNames) {
    if (known.name == name) return known.flag;
  }
  return 0;
}

}  // namespace redraft::scripting
