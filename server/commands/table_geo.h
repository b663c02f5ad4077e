#pragma once

#include <array>

#include "server/commands/geo.h"
#include "server/commands/key_positions.h"
#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kGeoCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("geoadd", CommandId::kGeoadd, -5, kWrite | kDenyOom, kGeo, {1, 1, 1}, geoadd),
    data("geodist", CommandId::kGeodist, -4, kReadonly, kGeo, {1, 1, 1}, geodist),
    data("geohash", CommandId::kGeohash, -2, kReadonly, kGeo, {1, 1, 1}, geohash),
    data("geopos", CommandId::kGeopos, -2, kReadonly, kGeo, {1, 1, 1}, geopos),
    data("georadius", CommandId::kGeoradius, -6, kWrite | kDenyOom, kGeo, {1, 1, 1}, georadius, find_georadius_keys),
    data("georadius_ro", CommandId::kGeoradiusRo, -6, kReadonly, kGeo, {1, 1, 1}, georadius_ro),
    data("georadiusbymember", CommandId::kGeoradiusbymember, -5, kWrite | kDenyOom, kGeo, {1, 1, 1}, georadiusbymember,
         find_georadius_keys),
    data("georadiusbymember_ro", CommandId::kGeoradiusbymemberRo, -5, kReadonly, kGeo, {1, 1, 1}, georadiusbymember_ro),
    data("geosearch", CommandId::kGeosearch, -7, kReadonly, kGeo, {1, 1, 1}, geosearch),
    data("geosearchstore", CommandId::kGeosearchstore, -8, kWrite | kDenyOom, kGeo, {1, 2, 1}, geosearchstore),
});

}  // namespace redraft::commands
