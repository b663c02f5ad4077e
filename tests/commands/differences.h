#pragma once

#include <array>
#include <string_view>

namespace redraft::commands {

// Where a command differs from Redis 7.2, for docs/commands.md. A name ending in * stands for all that begin so.
struct Difference {
  std::string_view command;
  std::string_view text;
};

inline constexpr auto kDifferences = std::to_array<Difference>({
    {"acl|load", "Users are cluster state: the file's users replace those of all nodes through the log."},
    {"acl|setuser", "Through the log: the same on every node, and it survives a failover."},
    {"acl|deluser", "Through the log, as ACL SETUSER."},
    {"bgrewriteaof", "There is no append-only file to rewrite; starts a snapshot."},
    {"bgsave", "Writes a snapshot of this node in redraft's own format, without fork."},
    {"save", "Writes a snapshot of this node in redraft's own format; other clients go on."},
    {"bl*", "The waiting are replicated: after a failover clients are redirected and wait again on the new leader."},
    {"bz*", "As the blocking pops of lists."},
    {"client|pause", "Holds proposals on this node, never heartbeats; ends when the node stops leading."},
    {"client|kill", "Does not recall a write that was proposed."},
    {"client|unblock", "An entry of the log: the first of it, a time-out and a push wins."},
    {"cluster|addslots*", "Refused: one group has all slots."},
    {"cluster|delslots*", "Refused: one group has all slots."},
    {"cluster|flushslots", "Refused: one group has all slots."},
    {"cluster|setslot", "Refused: slots do not move."},
    {"cluster|promote", "redraft's own: makes learners voters."},
    {"cluster|demote", "redraft's own: makes voters learners."},
    {"cluster|replicate", "Refused: who leads is decided by an election."},
    {"cluster|reset", "Refused: members are decided by Raft."},
    {"cluster|meet", "Adds a node by its address: it joins as a learner and is promoted when it has caught up."},
    {"cluster|forget", "Removes a member, through the log."},
    {"cluster|audit", "redraft's own: compares the data of all nodes."},
    {"cluster|bumpepoch", "The epoch is the term: answers STILL and it."},
    {"cluster|set-config-epoch", "Refused: the epoch is the term."},
    {"cluster|failover", "Hands leadership over; no vote is forced."},
    {"cluster|saveconfig", "The configuration is in the log already."},
    {"config|set", "Names that can change a command's result are set for the whole cluster, through the log."},
    {"config|rewrite", "Leaves settings of the cluster out: the log has them."},
    {"debug",
     "The subcommands that test suites use. Knobs of parts that do not exist here are accepted and do nothing "
     "(CHANGE-REPL-ID, DICT-RESIZING, DROP-CLUSTER-PACKET-FILTER, LOG, PAUSE-CRON, QUICKLIST-PACKED-THRESHOLD, "
     "REPLYBUFFER, SET-DISABLE-DENY-SCRIPTS, SET-SKIP-CHECKSUM-VALIDATION), as is JMAP, which Redis does not "
     "know; what would reach into Redis's own memory or end it is refused."},
    {"dump", "Payloads are of RDB version 10, which Redis 7.0 takes too; 11 only where that keeps more."},
    {"eval*", "Ends with an error past its budgets, which are counted and not timed: the same on all nodes."},
    {"exec", "One entry of the log. Without a write it takes a read barrier and no entry."},
    {"failover", "Refused: FAILOVER is of Redis's own replication."},
    {"flush*", "SYNC and ASYNC are the same: the data are detached at once and freed in slices."},
    {"function|*", "Libraries are replicated and in the snapshot."},
    {"lastsave", "Of this node's last snapshot."},
    {"memory|*", "Of this node."},
    {"migrate",
     "Others are served while the target works; what they write meanwhile is not deleted, and an error names it. "
     "An error inside transactions and scripts."},
    {"module*", "There are no modules."},
    {"monitor", "Shows a write when it is applied, a read when it runs, of this node's clients."},
    {"object|freq", "Access clocks are the leader's own: after a failover they start anew."},
    {"object|idletime", "Access clocks are the leader's own: after a failover they start anew."},
    {"pfcount", "With a stale count it is a write, which remembers it; otherwise a read."},
    {"psync", "Refused: of Redis's own replication."},
    {"publish", "Accepted on every node; answers the receivers of that node."},
    {"randomkey", "Nil also when it finds only expired keys in bounded work."},
    {"readonly", "Reads on a node that does not lead are linearizable all the same, unless read-mode is stale."},
    {"replconf", "Refused: of Redis's own replication."},
    {"replicaof", "Refused: who follows whom is decided by an election."},
    {"slaveof", "Refused: who follows whom is decided by an election."},
    {"restore", "A payload is checked in full before anything changes, whatever sanitize-dump-payload says."},
    {"scan", "One call does bounded work whatever COUNT says; cursors stay below 2^53 and survive a failover."},
    {"script|*", "Loaded scripts are replicated and in the snapshot."},
    {"sentinel|*", "Answered by every node, for any master's name, from the cluster's own state."},
    {"shutdown", "A leader hands over first. Nothing need be saved."},
    {"slowlog|*", "Of this node; counts execution only, not the wait for the log."},
    {"spop", "Chooses by the seed of its entry: the same on every node."},
    {"srandmember", "Chooses by a seed of its own."},
    {"sync", "Refused: of Redis's own replication."},
    {"time", "Of this node's clock; what commands see is the log's."},
    {"wait", "Every acknowledged write is on a majority already; counts the nodes that have it on disk."},
    {"waitaof", "As WAIT: the log is what Redis's append-only file is."},
    {"xread", "With BLOCK it waits on its own node and takes no entry."},
    {"xadd", "`*` is an id of the log's clock."},
});

}  // namespace redraft::commands
