#include <array>
#include <span>

#include "server/commands/docs.h"

// Documentation of the commands on streams. The notations are explained in docs.h.

namespace redraft::commands {

namespace {

constexpr auto kStream = std::to_array<CommandDocs>({
    {.id = CommandId::kXack,
     .since = "5.0.0",
     .summary = "Takes entries off a group's list of pending ones.",
     .complexity = "O(log N) for each id, N: entries pending",
     .key_specs = "RW update @1 0:1:0",
     .arguments = "key:key@0 group:string id*:string"},
    {.id = CommandId::kXadd,
     .since = "5.0.0",
     .summary = "Adds an entry to a stream, which is made if it is missing.",
     .complexity = "O(1), and O(N) for N entries trimmed",
     .tips = "nondeterministic_output",
     .key_specs = "RW update @1 0:1:0 !UPDATE instead of INSERT because of the optional trimming feature",
     .arguments = "key:key@0 nomkstream?:pure-token=NOMKSTREAM>6.2.0 "
                  "trim?:block{strategy:oneof{maxlen:pure-token=MAXLEN minid:pure-token=MINID>6.2.0} "
                  "operator?:oneof{equal:pure-token== approximately:pure-token=~} threshold:string "
                  "count?:integer=LIMIT>6.2.0} id-selector:oneof{auto-id:pure-token=* id:string} "
                  "data*:block{field:string value:string}",
     .history = "6.2.0 Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option.\n"
                "7.0.0 Added support for the `<ms>-*` explicit ID form."},
    {.id = CommandId::kXautoclaim,
     .since = "6.2.0",
     .summary = "Takes over entries that have been pending for long, from an id on.",
     .complexity = "O(1) if COUNT is small",
     .tips = "nondeterministic_output",
     .key_specs = "RW access delete @1 0:1:0",
     .arguments = "key:key@0 group:string consumer:string min-idle-time:string start:string count?:integer=COUNT "
                  "justid?:pure-token=JUSTID",
     .history = "7.0.0 Added an element to the reply array, containing deleted entries the command cleared from the "
                "PEL"},
    {.id = CommandId::kXclaim,
     .since = "5.0.0",
     .summary = "Takes over pending entries by their ids.",
     .complexity = "O(log N) for each id, N: entries pending",
     .tips = "nondeterministic_output",
     .key_specs = "RW update @1 0:1:0",
     .arguments = "key:key@0 group:string consumer:string min-idle-time:string id*:string ms?:integer=IDLE "
                  "unix-time-milliseconds?:unix-time=TIME count?:integer=RETRYCOUNT force?:pure-token=FORCE "
                  "justid?:pure-token=JUSTID lastid?:string=LASTID"},
    {.id = CommandId::kXdel,
     .since = "5.0.0",
     .summary = "Removes entries from a stream.",
     .complexity = "O(log N) for each id, N: entries",
     .key_specs = "RW delete @1 0:1:0",
     .arguments = "key:key@0 id*:string"},
    {.id = CommandId::kXgroup,
     .since = "5.0.0",
     .summary = "Consumer groups of streams.",
     .complexity = "Depends on the subcommand"},
    {.id = CommandId::kXgroupCreate,
     .since = "5.0.0",
     .summary = "Makes a consumer group.",
     .complexity = "O(1)",
     .key_specs = "RW insert @2 0:1:0",
     .arguments = "key:key@0 group:string id-selector:oneof{id:string new-id:pure-token=$} "
                  "mkstream?:pure-token=MKSTREAM entriesread?:integer=ENTRIESREAD|entries-read",
     .history = "7.0.0 Added the `entries_read` named argument."},
    {.id = CommandId::kXgroupCreateconsumer,
     .since = "6.2.0",
     .summary = "Makes a consumer of a group.",
     .complexity = "O(1)",
     .key_specs = "RW insert @2 0:1:0",
     .arguments = "key:key@0 group:string consumer:string"},
    {.id = CommandId::kXgroupDelconsumer,
     .since = "5.0.0",
     .summary = "Removes a consumer of a group, with what is pending for it.",
     .complexity = "O(N log M), N: pending for the consumer, M: for the group",
     .key_specs = "RW delete @2 0:1:0",
     .arguments = "key:key@0 group:string consumer:string"},
    {.id = CommandId::kXgroupDestroy,
     .since = "5.0.0",
     .summary = "Removes a consumer group.",
     .complexity = "O(N), N: entries pending",
     .key_specs = "RW delete @2 0:1:0",
     .arguments = "key:key@0 group:string"},
    {.id = CommandId::kXgroupHelp, .since = "5.0.0", .summary = "What XGROUP can do.", .complexity = "O(1)"},
    {.id = CommandId::kXgroupSetid,
     .since = "5.0.0",
     .summary = "Sets the id that a group read last.",
     .complexity = "O(1)",
     .key_specs = "RW update @2 0:1:0",
     .arguments = "key:key@0 group:string id-selector:oneof{id:string new-id:pure-token=$} "
                  "entriesread?:integer=ENTRIESREAD|entries-read",
     .history = "7.0.0 Added the optional `entries_read` argument."},
    {.id = CommandId::kXinfo,
     .since = "5.0.0",
     .summary = "Streams, their groups and consumers.",
     .complexity = "Depends on the subcommand"},
    {.id = CommandId::kXinfoConsumers,
     .since = "5.0.0",
     .summary = "The consumers of a group.",
     .complexity = "O(N), N: consumers",
     .tips = "nondeterministic_output",
     .key_specs = "RO access @2 0:1:0",
     .arguments = "key:key@0 group:string",
     .history = "7.2.0 Added the `inactive` field, and changed the meaning of `idle`."},
    {.id = CommandId::kXinfoGroups,
     .since = "5.0.0",
     .summary = "The groups of a stream.",
     .complexity = "O(N), N: groups",
     .key_specs = "RO access @2 0:1:0",
     .arguments = "key:key@0",
     .history = "7.0.0 Added the `entries-read` and `lag` fields"},
    {.id = CommandId::kXinfoHelp, .since = "5.0.0", .summary = "What XINFO can do.", .complexity = "O(1)"},
    {.id = CommandId::kXinfoStream,
     .since = "5.0.0",
     .summary = "A stream, with FULL also its entries and groups.",
     .complexity = "O(N), N: nodes of the stream",
     .key_specs = "RO access @2 0:1:0",
     .arguments = "key:key@0 full-block?:block{full:pure-token=FULL count?:integer=COUNT}",
     .history = "6.0.0 Added the `FULL` modifier.\n"
                "7.0.0 Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` "
                "and `lag` fields\n"
                "7.2.0 Added the `active-time` field, and changed the meaning of `seen-time`."},
    {.id = CommandId::kXlen,
     .since = "5.0.0",
     .summary = "How many entries a stream has.",
     .complexity = "O(1)",
     .key_specs = "RO @1 0:1:0",
     .arguments = "key:key@0"},
    {.id = CommandId::kXpending,
     .since = "5.0.0",
     .summary = "What was delivered to a group and not acknowledged.",
     .complexity = "O(N), N: entries looked at",
     .tips = "nondeterministic_output",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 group:string filters?:block{min-idle-time?:integer=IDLE>6.2.0 start:string end:string "
                  "count:integer consumer?:string}",
     .history = "6.2.0 Added the `IDLE` option and exclusive range intervals."},
    {.id = CommandId::kXrange,
     .since = "5.0.0",
     .summary = "The entries between two ids.",
     .complexity = "O(log N + M), N: entries, M: entries returned",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 start:string end:string count?:integer=COUNT",
     .history = "6.2.0 Added exclusive ranges."},
    {.id = CommandId::kXread,
     .since = "5.0.0",
     .summary = "The entries behind given ids of several streams; may wait for one.",
     .complexity = "O(N), N: entries returned",
     .key_specs = "RO access STREAMS/1 -1:1:2",
     .arguments = "count?:integer=COUNT milliseconds?:integer=BLOCK streams:block=STREAMS{key*:key@0 id*:string}"},
    {.id = CommandId::kXreadgroup,
     .since = "5.0.0",
     .summary = "New or pending entries of several streams, for a consumer of a group; may wait for one.",
     .complexity = "O(N), N: entries returned",
     .key_specs = "RO access STREAMS/4 -1:1:2",
     .arguments = "group-block:block=GROUP{group:string consumer:string} count?:integer=COUNT "
                  "milliseconds?:integer=BLOCK noack?:pure-token=NOACK streams:block=STREAMS{key*:key@0 id*:string}"},
    {.id = CommandId::kXrevrange,
     .since = "5.0.0",
     .summary = "The entries between two ids, the newest first.",
     .complexity = "O(log N + M), N: entries, M: entries returned",
     .key_specs = "RO access @1 0:1:0",
     .arguments = "key:key@0 end:string start:string count?:integer=COUNT",
     .history = "6.2.0 Added exclusive ranges."},
    {.id = CommandId::kXsetid,
     .since = "5.0.0",
     .summary = "Sets the last id of a stream.",
     .complexity = "O(1)",
     .key_specs = "RW update @1 0:1:0",
     .arguments = "key:key@0 last-id:string entries-added?:integer=ENTRIESADDED>7.0.0 "
                  "max-deleted-id?:string=MAXDELETEDID>7.0.0",
     .history = "7.0.0 Added the `entries_added` and `max_deleted_entry_id` arguments.",
     .system = true},
    {.id = CommandId::kXtrim,
     .since = "5.0.0",
     .summary = "Removes the oldest entries of a stream.",
     .complexity = "O(N), N: entries removed",
     .tips = "nondeterministic_output",
     .key_specs = "RW delete @1 0:1:0",
     .arguments = "key:key@0 trim:block{strategy:oneof{maxlen:pure-token=MAXLEN minid:pure-token=MINID>6.2.0} "
                  "operator?:oneof{equal:pure-token== approximately:pure-token=~} threshold:string "
                  "count?:integer=LIMIT>6.2.0}",
     .history = "6.2.0 Added the `MINID` trimming strategy and the `LIMIT` option."},
});

constexpr auto kGroups = std::to_array<DocsGroup>({{"stream", kStream}});

}  // namespace

std::span<const DocsGroup> docs_of_streams() {
  return kGroups;
}

}  // namespace redraft::commands
