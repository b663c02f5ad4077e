#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "server/replica/settings.h"

namespace redraft::replica {

// One directive of redis.conf 7.2 (config.c there; redis.io/docs/management/config-file) or of ours. Names, bounds,
// defaults and what may change at run time are Redis's, so that CONFIG GET and SET answer the same.
struct Directive {
  enum class Type : std::uint8_t {
    kBool,
    kString,
    kEnum,   // one of `words`
    kFlags,  // some of `words`, separated by spaces
    kInteger,
    kMemory,   // an integer with a unit: 1k = 1000, 1kb = 1024
    kPercent,  // memory, or a percentage (stored negative)
    kOctal,
    kWords,         // any words
    kSave,          // pairs of seconds and changes
    kOutputLimits,  // class, hard, soft, seconds; a class that is not named keeps its limits
    kScores,        // oom-score-adj-values: three numbers that do not fall
    kPercentiles,
    kEvents,   // notify-keyspace-events: letters, stored in Redis's order
    kMembers,  // initial-cluster
  };
  enum Flag : std::uint16_t {
    kImmutable = 1,
    kMultiArgument = 2,
    kEffect = 4,      // some code here acts on it; the others are accepted and do nothing
    kCluster = 8,     // what decides state: replicated (redis-semantics, "One configuration for what decides state")
    kSensitive = 16,  // never shown in a log or in SLOWLOG
    kProtected = 32,  // CONFIG SET needs enable-protected-configs
    kHidden = 64,     // CONFIG GET shows it by its full name only
    kOurs = 128,
    kRefused = 256,  // any value but the default would promise what this server does not do: refused at start
  };

  std::string_view name;
  std::string_view alias;
  Type type = Type::kString;
  std::uint16_t flags = 0;
  std::string_view text;  // the default, as CONFIG GET shows it
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::string_view words;  // kEnum, kFlags: the permitted ones, in the order of the error message
  void (*take)(Values& values, std::string_view text) = nullptr;  // the canonical text into the typed value

  [[nodiscard]] bool is(Flag flag) const { return (flags & flag) != 0; }
};

[[nodiscard]] std::span<const Directive> all_directives();
// By name or alias, without regard to case; nullptr if there is none.
[[nodiscard]] const Directive* find_directive(std::string_view name);

// Checks `arguments` and makes the text that CONFIG GET shows. `before` is the present text (kOutputLimits changes
// parts of it). Errors are Redis's words.
[[nodiscard]] Result<std::string> canonical_text(const Directive& directive, std::span<const std::string> arguments,
                                                 std::string_view before);

// The current text of every directive, in the order of all_directives().
struct Settings::Texts {
  std::vector<std::string> values;
  [[nodiscard]] std::string& of(const Directive& directive) {
    return values[static_cast<std::size_t>(&directive - all_directives().data())];
  }
};

}  // namespace redraft::replica
