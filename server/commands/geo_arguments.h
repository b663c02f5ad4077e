#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "server/commands/context.h"
#include "server/commands/sphere.h"

namespace redraft::commands {

// Readers of the arguments of the GEO commands. Each answers the error and returns nothing when they do not fit.

// Longitude and latitude at arguments i and i + 1, on the map.
[[nodiscard]] std::optional<Position> position_argument(Context& context, std::size_t i);
// Meters in one unit of argument i.
[[nodiscard]] std::optional<double> unit_argument(Context& context, std::size_t i);

// A distance as text, with four decimals whatever the unit.
void answer_distance(Context& context, double distance);
void answer_position(Context& context, const Position& position);

}  // namespace redraft::commands
