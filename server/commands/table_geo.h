#pragma once

#include <array>

#include "server/commands/table_line.h"

namespace redraft::commands {

// Lines of the command table, see table.cc.
inline constexpr auto kGeoCommands = std::to_array<Command>({
    // name, id, arity, flags, categories beyond the implied ones, first/last/step of the keys, handler, find_keys
    data("geoadd", CommandId::kGeoadd, -5, kWrite | kDenyOom, kGeo, {1, 1, 1}),
    data("geodist", CommandId::kGeodist, -4, kReadonly, kGeo, {1, 1, 1}),
    data("geohash", CommandId::kGeohash, -2, kReadonly, kGeo, {1, 1, 1}),
    data("geopos", CommandId::kGeopos, -2, kReadonly, kGeo, {1, 1, 1}),
    data("georadius", CommandId::kGeoradius, -6, kWrite | kDenyOom | kMovableKeys, kGeo, {1, 1, 1}),
    data("georadius_ro", CommandId::kGeoradiusRo, -6, kReadonly, kGeo, {1, 1, 1}),
    data("georadiusbymember", CommandId::kGeoradiusbymember, -5, kWrite | kDenyOom | kMovableKeys, kGeo, {1, 1, 1}),
    data("georadiusbymember_ro", CommandId::kGeoradiusbymemberRo, -5, kReadonly, kGeo, {1, 1, 1}),
    data("geosearch", CommandId::kGeosearch, -7, kReadonly, kGeo, {1, 1, 1}),
    data("geosearchstore", CommandId::kGeosearchstore, -8, kWrite | kDenyOom, kGeo, {1, 2, 1}),
});

}  // namespace redraft::commands
