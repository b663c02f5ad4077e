#pragma once

#include <string_view>

namespace redraft {

// Ends the process at once with one sentence on standard error: an invariant is broken and a wrong server is worse than
// one server fewer. Runs no destructor and flushes no file (storage-faults row 5).
[[noreturn]] void fail(std::string_view reason, const char* file = __builtin_FILE(), int line = __builtin_LINE());

// An invariant that is checked in release builds too. `reason` states the positive fact and where it comes from.
inline void ensure(bool fact, std::string_view reason, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE()) {
  if (!fact) [[unlikely]] {
    fail(reason, file, line);
  }
}

}  // namespace redraft
