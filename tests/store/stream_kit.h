#pragma once

#include <string>
#include <vector>

#include "server/store/stream.h"
#include "tests/store/draw.h"

namespace redraft::store {

// A stream and its groups as text, a line for each thing.
[[nodiscard]] std::vector<std::string> contents(const Stream& stream);

// One random change; the same for the same draws.
void change(Stream& stream, Draw& draw);

}  // namespace redraft::store
