#include <array>
#include <span>

#include "server/commands/docs.h"

// Documentation of the commands on hashes and places. The notations are explained in docs.h.

namespace redraft::commands {

namespace {

constexpr auto kHash = std::to_array<CommandDocs>({
    {.id = CommandId::kHdel,
     .since = "2.0.0",
     .summary = "Removes fields of a hash; the last one takes the key along.",
     .complexity = "O(N), N: fields removed",
     .key_specs = "RW delete @1 0:1:0",
     .arguments = "key:key@0 field*:string",
     .history = "2.4.0 Several at once."},
    {.id = CommandId::kHexists,
     .since = "2.0.0",
     .summary = "Whether a hash has a field.",
     .complexity = "O(1)",
     .key_specs = "RO @1 0:1:0",
     .arguments = "key:key@0 field:string"},
    {.id = CommandId::kHget,
     .since = "2.0.0",
     .summary = "The value of a field.",
     .complexity = "O(1)",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 field:string"},
    {.id = CommandId::kHgetall,
     .since = "2.0.0",
     .summary = "All fields of a hash with their values.",
     .complexity = "O(N), N: fields of the hash",
     .tips = "nondeterministic_output_order",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0"},
    {.id = CommandId::kHincrby,
     .since = "2.0.0",
     .summary = "Adds an integer to the value of a field.",
     .complexity = "O(1)",
     .key_specs = "RW access update @1 0:1:0",
     .arguments = "key:key@0 field:string increment:integer"},
    {.id = CommandId::kHincrbyfloat,
     .since = "2.6.0",
     .summary = "Adds a floating point number to the value of a field.",
     .complexity = "O(1)",
     .key_specs = "RW access update @1 0:1:0",
     .arguments = "key:key@0 field:string increment:double"},
    {.id = CommandId::kHkeys,
     .since = "2.0.0",
     .summary = "All fields of a hash.",
     .complexity = "O(N), N: fields of the hash",
     .tips = "nondeterministic_output_order",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0"},
    {.id = CommandId::kHlen,
     .since = "2.0.0",
     .summary = "How many fields a hash has.",
     .complexity = "O(1)",
     .key_specs = "RO @1 0:1:0",
     .arguments = "key:key@0"},
    {.id = CommandId::kHmget,
     .since = "2.0.0",
     .summary = "The values of several fields.",
     .complexity = "O(N), N: fields asked for",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 field*:string"},
    {.id = CommandId::kHmset,
     .since = "2.0.0",
     .summary = "Sets several fields.",
     .complexity = "O(N), N: fields set",
     .key_specs = "RW update @1 0:1:0",
     .arguments = "key:key@0 field_value*:block{field:string value:string}",
     .deprecated = "4.0.0 `HSET` with multiple field-value pairs"},
    {.id = CommandId::kHrandfield,
     .since = "6.2.0",
     .summary = "One or several random fields of a hash.",
     .complexity = "O(N), N: fields returned",
     .tips = "nondeterministic_output",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 options?:block{count:integer withvalues?:pure-token=WITHVALUES}"},
    {.id = CommandId::kHscan,
     .since = "2.8.0",
     .summary = "Walks the fields of a hash in steps.",
     .complexity = "O(1) for each call, O(N) for a whole walk, N: fields of the hash",
     .tips = "nondeterministic_output",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 cursor:integer pattern?:pattern=MATCH count?:integer=COUNT"},
    {.id = CommandId::kHset,
     .since = "2.0.0",
     .summary = "Sets fields of a hash.",
     .complexity = "O(N), N: fields set",
     .key_specs = "RW update @1 0:1:0",
     .arguments = "key:key@0 field_value*:block{field:string value:string}",
     .history = "4.0.0 Several at once."},
    {.id = CommandId::kHsetnx,
     .since = "2.0.0",
     .summary = "Sets a field that is not there yet.",
     .complexity = "O(1)",
     .key_specs = "RW insert @1 0:1:0",
     .arguments = "key:key@0 field:string value:string"},
    {.id = CommandId::kHstrlen,
     .since = "3.2.0",
     .summary = "The length of a field's value.",
     .complexity = "O(1)",
     .key_specs = "RO @1 0:1:0",
     .arguments = "key:key@0 field:string"},
    {.id = CommandId::kHvals,
     .since = "2.0.0",
     .summary = "All values of a hash.",
     .complexity = "O(N), N: fields of the hash",
     .tips = "nondeterministic_output_order",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0"},
});

constexpr auto kGeo = std::to_array<CommandDocs>({
    {.id = CommandId::kGeoadd,
     .since = "3.2.0",
     .summary = "Adds places by longitude and latitude to a sorted set.",
     .complexity = "O(log N) for each place, N: members of the set",
     .key_specs = "RW update @1 0:1:0",
     .arguments = "key:key@0 condition?:oneof>6.2.0{nx:pure-token=NX xx:pure-token=XX} change?:pure-token=CH>6.2.0 "
                  "longitude_latitude_member*:block{longitude:double latitude:double member:string}",
     .history = "6.2.0 `CH`, `NX` and `XX`."},
    {.id = CommandId::kGeodist,
     .since = "3.2.0",
     .summary = "The distance between two places.",
     .complexity = "O(1)",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 member1:string member2:string unit?:oneof{m:pure-token=M km:pure-token=KM "
                  "ft:pure-token=FT mi:pure-token=MI}"},
    {.id = CommandId::kGeohash,
     .since = "3.2.0",
     .summary = "Geohash texts of places.",
     .complexity = "O(N), N: members asked for",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 member*:string"},
    {.id = CommandId::kGeopos,
     .since = "3.2.0",
     .summary = "Longitudes and latitudes of places.",
     .complexity = "O(N), N: members asked for",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 member*:string"},
    {.id = CommandId::kGeoradius,
     .since = "3.2.0",
     .summary = "The places within a distance of a position; may store them.",
     .complexity = "O(N + log M), N: places in the boxes around the circle, M: members of the set",
     .key_specs = "RO access @1 0:1:0; OW update STORE/6 0:1:0; OW update STOREDIST/6 0:1:0",
     .arguments = "key:key@0 longitude:double latitude:double radius:double unit:oneof{m:pure-token=M "
                  "km:pure-token=KM ft:pure-token=FT mi:pure-token=MI} withcoord?:pure-token=WITHCOORD "
                  "withdist?:pure-token=WITHDIST withhash?:pure-token=WITHHASH count?:block{count:integer=COUNT "
                  "any?:pure-token=ANY>6.2.0} order?:oneof{asc:pure-token=ASC desc:pure-token=DESC} "
                  "store?:oneof{storekey:key@1=STORE|key "
                  "storedistkey:key@2=STOREDIST|key}",
     .history = "6.2.0 `ANY`.\n7.0.0 Uppercase units.",
     .deprecated = "6.2.0 `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"},
    {.id = CommandId::kGeoradiusRo,
     .since = "3.2.10",
     .summary = "The places within a distance of a position.",
     .complexity = "O(N + log M), N: places in the boxes around the circle, M: members of the set",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 longitude:double latitude:double radius:double unit:oneof{m:pure-token=M "
                  "km:pure-token=KM ft:pure-token=FT mi:pure-token=MI} withcoord?:pure-token=WITHCOORD "
                  "withdist?:pure-token=WITHDIST withhash?:pure-token=WITHHASH count?:block{count:integer=COUNT "
                  "any?:pure-token=ANY>6.2.0} order?:oneof{asc:pure-token=ASC desc:pure-token=DESC}",
     .history = "6.2.0 `ANY`.",
     .deprecated = "6.2.0 `GEOSEARCH` with the `BYRADIUS` argument"},
    {.id = CommandId::kGeoradiusbymember,
     .since = "3.2.0",
     .summary = "The places within a distance of a member; may store them.",
     .complexity = "O(N + log M), N: places in the boxes around the circle, M: members of the set",
     .key_specs = "RO access @1 0:1:0; OW update STORE/5 0:1:0; OW update STOREDIST/5 0:1:0",
     .arguments = "key:key@0 member:string radius:double unit:oneof{m:pure-token=M km:pure-token=KM ft:pure-token=FT "
                  "mi:pure-token=MI} withcoord?:pure-token=WITHCOORD withdist?:pure-token=WITHDIST "
                  "withhash?:pure-token=WITHHASH count?:block{count:integer=COUNT any?:pure-token=ANY} "
                  "order?:oneof{asc:pure-token=ASC desc:pure-token=DESC} store?:oneof{storekey:key@1=STORE|key "
                  "storedistkey:key@2=STOREDIST|key}",
     .history = "7.0.0 Uppercase units.",
     .deprecated = "6.2.0 `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {.id = CommandId::kGeoradiusbymemberRo,
     .since = "3.2.10",
     .summary = "The places within a distance of a member.",
     .complexity = "O(N + log M), N: places in the boxes around the circle, M: members of the set",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 member:string radius:double unit:oneof{m:pure-token=M km:pure-token=KM ft:pure-token=FT "
                  "mi:pure-token=MI} withcoord?:pure-token=WITHCOORD withdist?:pure-token=WITHDIST "
                  "withhash?:pure-token=WITHHASH count?:block{count:integer=COUNT any?:pure-token=ANY} "
                  "order?:oneof{asc:pure-token=ASC desc:pure-token=DESC}",
     .deprecated = "6.2.0 `GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {.id = CommandId::kGeosearch,
     .since = "6.2.0",
     .summary = "The places within a circle or a box.",
     .complexity = "O(N + log M), N: places in the boxes around the area, M: members of the set",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 from:oneof{member:string=FROMMEMBER "
                  "longitude_latitude:block=FROMLONLAT{longitude:double latitude:double}} "
                  "by:oneof{circle:block{radius:double=BYRADIUS unit:oneof{m:pure-token=M km:pure-token=KM "
                  "ft:pure-token=FT mi:pure-token=MI}} box:block{width:double=BYBOX height:double "
                  "unit:oneof{m:pure-token=M km:pure-token=KM ft:pure-token=FT mi:pure-token=MI}}} "
                  "order?:oneof{asc:pure-token=ASC desc:pure-token=DESC} count?:block{count:integer=COUNT "
                  "any?:pure-token=ANY} withcoord?:pure-token=WITHCOORD withdist?:pure-token=WITHDIST "
                  "withhash?:pure-token=WITHHASH",
     .history = "7.0.0 Uppercase units."},
    {.id = CommandId::kGeosearchstore,
     .since = "6.2.0",
     .summary = "Stores the places within a circle or a box.",
     .complexity = "O(N + log M), N: places in the boxes around the area, M: members of the set",
     .key_specs = "OW update @1 0:1:0; RO access @2 0:1:0",
     .arguments = "destination:key@0 source:key@1 from:oneof{member:string=FROMMEMBER "
                  "longitude_latitude:block=FROMLONLAT{longitude:double latitude:double}} "
                  "by:oneof{circle:block{radius:double=BYRADIUS unit:oneof{m:pure-token=M km:pure-token=KM "
                  "ft:pure-token=FT mi:pure-token=MI}} box:block{width:double=BYBOX height:double "
                  "unit:oneof{m:pure-token=M km:pure-token=KM ft:pure-token=FT mi:pure-token=MI}}} "
                  "order?:oneof{asc:pure-token=ASC desc:pure-token=DESC} count?:block{count:integer=COUNT "
                  "any?:pure-token=ANY} storedist?:pure-token=STOREDIST",
     .history = "7.0.0 Uppercase units."},
});

constexpr auto kGroups = std::to_array<DocsGroup>({
    {"hash", kHash},
    {"geo", kGeo},
});

}  // namespace

std::span<const DocsGroup> docs_of_hashes() {
  return kGroups;
}

}  // namespace redraft::commands
