#include <array>
#include <span>

#include "server/commands/docs.h"

// Documentation of the commands on bits, HyperLogLogs and serialized values. The notations are explained in docs.h.

namespace redraft::commands {

namespace {

constexpr auto kBitmap = std::to_array<CommandDocs>({
    {.id = CommandId::kBitcount,
     .since = "2.6.0",
     .summary = "How many bits of a string are set.",
     .complexity = "O(N), N: bytes looked at",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 range?:block{start:integer end:integer "
                  "unit?:oneof>7.0.0{byte:pure-token=BYTE bit:pure-token=BIT}}",
     .history = "7.0.0 Added the `BYTE|BIT` option."},
    {.id = CommandId::kBitfield,
     .since = "3.2.0",
     .summary = "Reads, sets and increments integers of any width inside a string.",
     .complexity = "O(1) for each operation",
     .key_specs = "RW access update variable_flags @1 0:1:0 !fields are both read and changed",
     .arguments =
         "key:key@0 operation?*:oneof{get-block:block=GET{encoding:string offset:integer} "
         "write:block{overflow-block?:oneof=OVERFLOW{wrap:pure-token=WRAP sat:pure-token=SAT fail:pure-token=FAIL} "
         "write-operation:oneof{set-block:block=SET{encoding:string offset:integer value:integer} "
         "incrby-block:block=INCRBY{encoding:string offset:integer increment:integer}}}}"},
    {.id = CommandId::kBitfieldRo,
     .since = "6.0.0",
     .summary = "Reads integers of any width inside a string.",
     .complexity = "O(1) for each operation",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 get-block?*+:block=GET{encoding:string offset:integer}"},
    {.id = CommandId::kBitop,
     .since = "2.6.0",
     .summary = "Combines strings bit by bit and stores the result.",
     .complexity = "O(N), N: bytes of the longest string",
     .key_specs = "OW update @2 0:1:0; RO access @3 -1:1:0",
     .arguments = "operation:oneof{and:pure-token=AND or:pure-token=OR xor:pure-token=XOR not:pure-token=NOT} "
                  "destkey:key@0 key*:key@1"},
    {.id = CommandId::kBitpos,
     .since = "2.8.7",
     .summary = "The position of the first bit that is set, or clear.",
     .complexity = "O(N), N: bytes looked at",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 bit:integer range?:block{start:integer end-unit-block?:block{end:integer "
                  "unit?:oneof>7.0.0{byte:pure-token=BYTE bit:pure-token=BIT}}}",
     .history = "7.0.0 Added the `BYTE|BIT` option."},
    {.id = CommandId::kGetbit,
     .since = "2.2.0",
     .summary = "One bit of a string.",
     .complexity = "O(1)",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 offset:integer"},
    {.id = CommandId::kSetbit,
     .since = "2.2.0",
     .summary = "Sets or clears one bit of a string, which grows as needed.",
     .complexity = "O(1), but for the zeros in front of a bit behind the end",
     .key_specs = "RW access update @1 0:1:0",
     .arguments = "key:key@0 offset:integer value:integer"},
});

constexpr auto kHyperLogLog = std::to_array<CommandDocs>({
    {.id = CommandId::kPfadd,
     .since = "2.8.9",
     .summary = "Adds elements to a HyperLogLog.",
     .complexity = "O(1) for each element",
     .key_specs = "RW insert @1 0:1:0",
     .arguments = "key:key@0 element?*:string"},
    {.id = CommandId::kPfcount,
     .since = "2.8.9",
     .summary = "About how many different elements HyperLogLogs have seen.",
     .complexity = "O(1) while the count of a single key is fresh, else O(N), N: keys",
     .key_specs = "RW access @1 -1:1:0 !the count is remembered in the key",
     .arguments = "key*:key@0"},
    {.id = CommandId::kPfdebug,
     .since = "2.8.9",
     .summary = "Looks inside a HyperLogLog.",
     .complexity = "O(1)",
     .key_specs = "RW access @2 0:1:0",
     .arguments = "subcommand:string key:key@0",
     .system = true},
    {.id = CommandId::kPfmerge,
     .since = "2.8.9",
     .summary = "Merges HyperLogLogs into one.",
     .complexity = "O(N), N: HyperLogLogs",
     .key_specs = "RW access insert @1 0:1:0; RO access @2 -1:1:0",
     .arguments = "destkey:key@0 sourcekey?*:key@1"},
    {.id = CommandId::kPfselftest,
     .since = "2.8.9",
     .summary = "Tests the representations of HyperLogLogs against each other.",
     .complexity = "O(1)",
     .system = true},
});

constexpr auto kSerialization = std::to_array<CommandDocs>({
    {.id = CommandId::kDump,
     .since = "2.6.0",
     .summary = "The value of a key as bytes that RESTORE takes, here or on a Redis.",
     .complexity = "O(N), N: elements of the value",
     .tips = "nondeterministic_output",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0"},
    {.id = CommandId::kMigrate,
     .since = "2.6.0",
     .summary = "Brings keys to another server and deletes them here.",
     .complexity = "O(N) as DUMP, RESTORE and DEL, N: elements of the values",
     .tips = "nondeterministic_output",
     .key_specs = "RW access delete @3 0:1:0; RW access delete incomplete KEYS/-2 -1:1:0",
     .arguments =
         "host:string port:integer key-selector:oneof{key:key@0 empty-string:pure-token} "
         "destination-db:integer timeout:integer copy?:pure-token=COPY>3.0.0 replace?:pure-token=REPLACE>3.0.0 "
         "authentication?:oneof{auth:string=AUTH>4.0.7|password auth2:block=AUTH2>6.0.0{username:string "
         "password:string}} keys?*:key@1=KEYS>3.0.6|key",
     .history = "3.0.0 Added the `COPY` and `REPLACE` options.\n"
                "3.0.6 Added the `KEYS` option.\n"
                "4.0.7 Added the `AUTH` option.\n"
                "6.0.0 Added the `AUTH2` option."},
    {.id = CommandId::kRestore,
     .since = "2.6.0",
     .summary = "Makes a key of what DUMP answered.",
     .complexity = "O(N), N: elements of the value; of a sorted set O(N log N)",
     .key_specs = "OW update @1 0:1:0",
     .arguments = "key:key@0 ttl:integer serialized-value:string replace?:pure-token=REPLACE>3.0.0 "
                  "absttl?:pure-token=ABSTTL>5.0.0 seconds?:integer=IDLETIME>5.0.0 frequency?:integer=FREQ>5.0.0",
     .history = "3.0.0 Added the `REPLACE` modifier.\n"
                "5.0.0 Added the `ABSTTL` modifier.\n"
                "5.0.0 Added the `IDLETIME` and `FREQ` options."},
});

constexpr auto kInternal = std::to_array<CommandDocs>({
    {.id = CommandId::kRestoreAsking,
     .since = "3.0.0",
     .summary = "RESTORE as Redis Cluster sends it while a slot moves.",
     .complexity = "O(N), N: elements of the value",
     .key_specs = "OW update @1 0:1:0",
     .arguments = "key:key@0 ttl:integer serialized-value:string replace?:pure-token=REPLACE>3.0.0 "
                  "absttl?:pure-token=ABSTTL>5.0.0 seconds?:integer=IDLETIME>5.0.0 frequency?:integer=FREQ>5.0.0",
     .history = "3.0.0 Added the `REPLACE` modifier.\n"
                "5.0.0 Added the `ABSTTL` modifier.\n"
                "5.0.0 Added the `IDLETIME` and `FREQ` options.",
     .system = true},
});

constexpr auto kGroups = std::to_array<DocsGroup>({
    {"bitmap", kBitmap},
    {"hyperloglog", kHyperLogLog},
    {"generic", kSerialization},
    {"server", kInternal},
});

}  // namespace

std::span<const DocsGroup> docs_of_bits() {
  return kGroups;
}

}  // namespace redraft::commands
