#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace redraft {

void fail(std::string_view reason, const char* file, int line) {
  std::fprintf(stderr, "redraft: broken invariant at %s:%d: %.*s\n", file, line, static_cast<int>(reason.size()),
               reason.data());
  std::abort();
}

}  // namespace redraft
