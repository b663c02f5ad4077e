#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "raft/raft.h"
#include "server/commands/context.h"
#include "server/commands/script_host.h"
#include "server/commands/waiters.h"
#include "server/replica/audit.h"
#include "server/replica/blocked_clients.h"
#include "server/replica/events.h"
#include "server/replica/eviction.h"
#include "server/replica/fragments.h"
#include "server/replica/host.h"
#include "server/replica/logical_clock.h"
#include "server/replica/membership.h"
#include "server/replica/migrations.h"
#include "server/replica/monitors.h"
#include "server/replica/node_actions.h"
#include "server/replica/peers.h"
#include "server/replica/pipeline.h"
#include "server/replica/pubsub.h"
#include "server/replica/pushes.h"
#include "server/replica/read_rounds.h"
#include "server/replica/read_waits.h"
#include "server/replica/replica.h"
#include "server/replica/sessions.h"
#include "server/replica/snapshots.h"
#include "server/replica/statistics.h"
#include "server/replica/storage.h"
#include "server/replica/timings.h"
#include "server/replica/tracking.h"
#include "server/replica/users.h"
#include "server/store/breather.h"
#include "server/store/store.h"

namespace redraft::replica {

// The inside of a Replica: what its parts are and how an input goes through them. One class because one thread owns one
// state; its functions are grouped in files by what they are about, named below. Parts that reach back into it are its
// friends: what has state of its own that nothing else looks at is one of them.
class Engine final : public commands::Surroundings,
                     public commands::ScriptHost::Watcher,
                     public store::Breather,
                     public Peers::Listener,
                     public Membership::Node,
                     public Snapshots::Node {
 public:
  using Arguments = std::span<const std::string_view>;

  Engine(Settings& settings, Host& host, std::uint64_t seed, Time now);
  ~Engine() override;

  // lifecycle.cc
  void start(std::unique_ptr<Recovered> recovered);
  void advance(Time now);
  void end_turn();
  void disk_done(DiskDone done);
  void bulk_done(BulkDone done);
  void call_done(const ServerCallDone& done) { migrations_.call_done(done); }
  void terminate(int exit_status);

  void loading_progress(std::uint64_t bytes_read, std::uint64_t bytes_total) {
    loading_bytes_read_ = bytes_read;
    loading_bytes_total_ = bytes_total;
  }

  // requests.cc
  [[nodiscard]] Session& client_connected(ClientAddress address);
  [[nodiscard]] std::span<char> input_space(Session& session, std::size_t suggested);
  void client_input(Session& session, std::size_t size);
  void process(Session& session);
  void client_closed(Session& session);
  [[nodiscard]] bool admit_admin(const ClientAddress& address) const;

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] Settings& settings() { return settings_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] Statistics& statistics() { return statistics_; }
  [[nodiscard]] const raft::Raft* raft() const { return raft_.get(); }
  [[nodiscard]] store::Store* store() { return store_.get(); }
  [[nodiscard]] Sessions& sessions() { return sessions_; }
  [[nodiscard]] Peers& peers() { return peers_; }

  // Peers::Listener (peers.h), in messages.cc
  void peer_message(raft::Envelope envelope) override;
  void peer_ready(std::uint64_t node) override;
  void peer_lost(std::uint64_t node) override;
  void peer_refused(std::uint64_t node) override;
  void peer_status(std::uint64_t node, const PeerStatus& status) override;
  void transfer_asked(std::uint64_t to_node) override;
  void settings_forwarded(SharedBytes command) override;
  void audit_reported(std::uint64_t node, std::uint64_t index, std::string digest) override;  // auditing.cc
  void cluster_agreed(const ClusterId& cluster, const raft::Configuration& configuration) override;
  void bulk_frame(std::uint64_t from, SharedBytes frame) override;
  void relay_ready(std::uint64_t node) override { events_.relay_ready(node); }
  void relay_frame(std::uint64_t from, std::uint64_t boot, SharedBytes frame) override {
    events_.relay_frame(from, boot, std::move(frame));
  }

  // Membership::Node, in belonging.cc
  [[nodiscard]] const raft::Raft* group() const override { return removed_ ? nullptr : raft_.get(); }
  [[nodiscard]] raft::ProposalStatus change_members(std::vector<raft::MemberChange> changes) override;
  void answer_change(std::uint64_t session, const std::string& error) override;
  void assigned(const ClusterId& cluster, std::uint64_t node) override;
  void was_removed(const std::string& sentence) override;
  void must_join(const std::string& sentence) override;

  // Snapshots::Node, in messages.cc
  [[nodiscard]] store::Store& live_store() override { return *store_; }
  [[nodiscard]] const Fragments& live_fragments() const override { return fragments_; }
  [[nodiscard]] raft::SnapshotMetadata present_state() const override;
  void tell_raft(raft::Input input) override { later_.push_back(std::move(input)); }
  bool send_bulk(std::uint64_t to, std::string header, SharedBytes bytes) override {
    return peers_.send_bulk(to, std::move(header), std::move(bytes));
  }
  void snapshot_over(const std::optional<Error>& error) override;

  // commands::Surroundings
  resp::Writer* waiting_client(const commands::Origin& origin) override { return blocked_.serve(origin); }
  void notify(commands::Event event, std::string_view name, std::string_view key, std::uint32_t db) override {
    events_.notify(event, name, key, db);
  }
  std::uint64_t publish_applied(std::string_view channel, std::string_view message, bool sharded) override {
    return events_.publish_applied(channel, message, sharded);
  }
  [[nodiscard]] std::string refusal(std::uint32_t user, const commands::Command& command,
                                    Arguments arguments) const override {
    return users_.refusal(user, command, arguments);
  }
  void refused(const commands::Command& command, Arguments arguments) override {
    note_denial(command, arguments, "lua");
  }

  commands::ScriptHost* script_host() override { return &script_host_; }

  // commands::ScriptHost::Watcher, in scripting.cc
  void script_runs(commands::ScriptHost::Running& running) override;
  void script_begins(const commands::Context& context) override;
  void script_calls(std::uint32_t db, const commands::Command& command, Arguments arguments) override;
  void script_ended(bool again) override;
  void script_logs(int level, std::string_view line) override;
  [[nodiscard]] bool script_lacks_memory() const override;

  // store::Breather
  void breathe() override { host_.pump(); }

 private:
  friend class BlockedClients;
  friend class Events;
  friend class Migrations;
  friend class NodeActions;

  class ReplyScope;  // reply_scope.h

  // A command out of a committed entry.
  struct Applied {
    std::uint64_t node;
    const CommandHeader& header;
    Arguments arguments;
    std::uint64_t seed;
    std::uint64_t clock_ms;
  };
  enum class Outcome : std::uint8_t { kNotExecuted, kUnknown };
  struct Parked {
    std::uint64_t until_us;
    std::uint64_t session;
  };

  static constexpr std::uint64_t kDoubtAfter_us = 2'000'000;
  static constexpr std::uint64_t kStopBound_us = 1'000'000;
  static constexpr std::string_view kDisputedError =
      "MISCONF The nodes' copies of the data differ and no majority agrees: see their logs";

  // requests.cc
  bool take(Session& session, Arguments arguments);
  [[nodiscard]] std::string objection(Session& session, const commands::Command* command, Arguments arguments);
  bool refuse(Session& session, const commands::Command* command, std::string_view why);
  bool refuse_exec(Session& session, std::string_view why);
  void drop_http(Session& session);
  bool take_local(Session& session, const commands::Command& command, Arguments arguments);
  bool take_caching(Session& session);
  bool take_data(Session& session, const commands::Command& command, Arguments arguments);
  [[nodiscard]] bool changes_count(const Session& session, const commands::Command& command, Arguments arguments) const;
  void take_read(Session& session, const commands::Command& command, Arguments arguments, bool tries = false);
  void place_read(Session& session, Pending pending);
  bool propose(Session& session, commands::CommandId id, const commands::Command& command, Arguments arguments);
  bool refuse_write(Session& session);
  [[nodiscard]] bool room_for(std::size_t size) const;
  [[nodiscard]] bool may_close() const;
  void propose_for(Session& session, commands::CommandId id, const commands::Command& command, Arguments arguments);
  void run_local(Session& session, const commands::Command& command, Arguments arguments, resp::Writer& reply);
  void answer_local(Session& session, const commands::Command& command, Arguments arguments, resp::Writer& reply,
                    bool in_transaction);
  void answer(Session& session, const std::function<void(resp::Writer&)>& write);
  void close_after_replies(Session& session);
  void drop_consumed_input(Session& session);
  void count(Session& session, const commands::Command& command);
  void report_output(Session& session);
  // A reply was written from `begin` on: INFO's errorstats.
  void count_errors(const Session& session, std::size_t begin);
  // A command ran for a client of this node: commandstats, SLOWLOG, LATENCY. Execution only (redis-semantics,
  // "Node-local things").
  void executed(const Session& session, const commands::Command& command, Arguments arguments, std::uint64_t begin_ns,
                bool failed);
  void resume(Session& session, Hold hold);
  void process_resumed();
  [[nodiscard]] bool debug_allowed(const Session& session) const;
  [[nodiscard]] std::uint64_t connection_of(const Session& session) const { return connection_of_id(session.id()); }
  [[nodiscard]] std::uint64_t connection_of_id(std::uint64_t id) const { return boot_ << 32 | id; }

  // scripting.cc
  bool take_script(Session& session, const commands::Command& command, Arguments arguments);
  [[nodiscard]] Arguments for_log(const commands::Command& command, Arguments arguments, commands::CommandId& id,
                                  std::vector<std::string_view>& replaced);
  bool move_to_log(Session& session, Pending& head, Arguments arguments);
  // Why the command may not run beside the script under way, as an error line; empty when it may.
  [[nodiscard]] std::string_view busy_error(const Session& session, const commands::Command& command) const;

  // evicting.cc
  void adopt_memory_settings();
  void make_room();
  [[nodiscard]] bool out_of_memory(const Session& session, const commands::Command& command);
  void apply_eviction(commands::Context& context, bool own);

  // transactions.cc
  [[nodiscard]] static bool transaction_control(commands::CommandId id);
  bool take_transaction_control(Session& session, const commands::Command& command, Arguments arguments);
  bool take_watch(Session& session, const commands::Command& command, Arguments arguments);
  void run_watch(Session& session, Arguments arguments);
  bool queue(Session& session, const commands::Command& command, Arguments arguments);
  bool take_exec(Session& session, const commands::Command& command);
  void forget_transaction(Session& session);
  void run_transaction(commands::Context& context, Session* session);
  void run_queued(commands::Context& context, Session* session, const commands::Command& command, Arguments arguments);
  bool refuse_queued(commands::Context& context, const commands::Command& command, Arguments arguments);
  void run_queued_local(Session* session, const commands::Command& command, Arguments arguments, resp::Writer& reply);

  // reading.cc
  bool begin_read_round(bool hold);
  void pass_read_rounds();
  [[nodiscard]] std::size_t prefetch_reads(std::span<Session* const> sessions);
  void cancel_reads();
  void drain(Session& session);
  bool run_read(Session& session);
  bool execute_read(Session& session, Pending& head, Arguments arguments);
  [[nodiscard]] bool still_leads(const Pending& read) const;
  void wait_for_entry(Session& session, Pending& read);
  void wait_for_round(Session& session, Pending& read);

  // waiting_reads.cc
  void begin_read_wait(Session& session, Pending& head, commands::ReadWait wait);
  void end_read_wait(Session& session);
  void wake_reads();
  void finish_read_wait(Session& session, bool with_error);
  void time_out_reads();
  void restart_read_waits();

  // applying.cc
  void apply_committed();
  void apply(const raft::Entry& entry);
  bool take_own_batch(const raft::Entry& entry, Batch& mine);
  void apply_commands(const Payload& payload, Batch* mine);
  void apply_command(const Applied& applied, Session* session);
  void apply_for_nobody(const Applied& applied, bool gone);
  void answer_overtaken(Session& session);
  bool apply_for(const Applied& applied, Session& session);
  void serve_expired(std::uint64_t clock_ms);
  bool execute_applied(const Applied& applied, Session* session, resp::Writer& reply);
  bool execute_command(commands::Context& context, commands::CommandId id, const Session* session);
  void answered_write(Session& session);
  void settled_write(Session& session, const commands::Command* command);
  void finish_batch(Batch batch);
  void apply_setting(commands::Context& context);
  void apply_users(commands::Context& context);
  void answer_forwarder(const commands::Context& context, std::string_view reply);
  void note_denial(const commands::Command& command, Arguments arguments, std::string_view context);
  void adopt_cluster_settings();
  // The entry was in the log when this node started: its events are not raised again (pitfall G5).
  [[nodiscard]] bool replaying() const { return applied_ <= replay_end_; }
  void feed_monitors(const Session* session, std::uint64_t node, std::uint32_t db, const commands::Command& command,
                     Arguments arguments);
  void monitor_applied(const Applied& applied);

  // fragmenting.cc
  void encode_in_pieces(std::string& to, const CommandHeader& header, Arguments arguments);
  void begin_fragments(Session& session, const Pending& pending, const CommandHeader& header, Arguments arguments);
  void propose_fragments();
  void cancel_fragments();
  bool apply_fragment(commands::Context& context, const Applied& applied, Session* session);

  // outcomes.cc
  bool take_elsewhere(Session& session, const commands::Command& command, Arguments arguments);
  void redirect(Session& session, const commands::Command& command, Arguments arguments, resp::Writer& reply);
  void release_parked(bool leader_is_known);
  void lose_batch(Batch batch, Outcome outcome);
  void lose_write(Session& session, const CommandHeader& header, Arguments arguments, Outcome outcome);
  void doubt_old_batches();

  // messages.cc
  void refuse_overwritten(const raft::Envelope& envelope);
  void swap_in_snapshot();

  // belonging.cc
  void form_cluster();
  [[nodiscard]] bool founding_failed(bool founded_alone) const;
  void follow_configuration();
  void link_to_initial_members();
  void leave();
  [[nodiscard]] bool own_host_is_guessed() const;
  [[nodiscard]] MemberAddress own_address() const;

  // auditing.cc
  void audit();
  void propose_words(commands::CommandId id, const std::vector<std::string>& words);
  [[nodiscard]] std::string digest_of(const AuditRange& range);
  void apply_audit(const commands::Context& context, std::uint64_t from);
  void apply_verdict(const commands::Context& context, std::uint64_t from);
  void adopt_dispute();
  void condemn(const AuditVerdict& verdict);
  void retire();

  // lifecycle.cc
  void start_raft();
  void feed(raft::Input input);
  void feed_later();
  void log_leader(const raft::LeaderStatus& status);
  void carry_out(raft::Output& output);
  void send_durable_promises();
  void note_space(const DiskDone& done);
  [[nodiscard]] PeerStatus status();
  void send(const raft::Envelope& envelope);
  void plan_spread();
  void close_batch();
  void note_clock(const raft::Entry& entry);
  void note_clock(std::uint64_t clock_ms);
  void expire();
  void sample_statistics();
  void ask_to_wake();
  void go_on_stopping();
  [[nodiscard]] std::uint64_t next_seed() { return random_.next(); }
  [[nodiscard]] bool cluster_enabled() const;

  // leading.cc
  void settle_role();
  void begin_leading();
  void seed_settings();
  void seed_users();
  void begin_term();
  void step_down_clients();
  [[nodiscard]] bool raft_leads() const;
  // Raft leads and the term's first entry is on its way: commands may be proposed.
  [[nodiscard]] bool leading() const;
  // Another node leads.
  [[nodiscard]] bool leader_known() const;
  [[nodiscard]] std::size_t voters() const;
  [[nodiscard]] std::optional<MemberAddress> leader_address() const;

  struct Promises {
    raft::Ticket after;
    std::vector<raft::Envelope> envelopes;
  };

  Settings& settings_;
  Host& host_;
  commands::Random random_;
  Time now_;
  Time started_;
  Phase phase_ = Phase::kLoading;
  std::uint64_t loading_bytes_read_ = 0;
  std::uint64_t loading_bytes_total_ = 0;
  Statistics statistics_;
  Timings timings_;

  // Who this node is; all 0 while loading.
  std::uint64_t node_ = 0;
  std::uint64_t boot_ = 0;
  raft::Incarnation incarnation_;
  ClusterId cluster_{};
  wal::Identity identity_;
  bool founding_ = false;        // this node founds the cluster and has not led yet
  raft::Configuration forming_;  // the first one, if this node founds the cluster

  std::unique_ptr<raft::Raft> raft_;  // none before the cluster is formed
  raft::Restored restored_;           // for it, until then
  raft::Output output_;               // reused by every step
  bool feeding_ = false;
  std::vector<raft::Input> later_;  // what came up while an output was carried out
  std::deque<Promises> promises_;   // wait for their ticket
  raft::Ticket durable_;
  struct Syncing {
    raft::Ticket ticket;
    std::uint64_t since_us = 0;
  };
  std::deque<Syncing> syncing_;  // entries on their way to this node's disk
  std::unique_ptr<store::Store> store_;
  Fragments fragments_;
  Eviction eviction_;
  commands::ScriptHost script_host_;
  Sessions sessions_;
  Users users_;
  Pushes pushes_;
  PubSub pubsub_;
  Tracking tracking_;
  Monitors monitors_{sessions_, pushes_};
  raft::LogIndex replay_end_;    // the last index in the log when this node started
  bool expiry_is_quiet_ = true;  // until what was due when this node started is freed
  std::uint64_t executing_ = 0;  // the session whose command runs
  bool caching_ = false;         // CLIENT CACHING came before the request that runs
  bool more_is_due_ = false;     // keys whose deadline has passed are left for the next turn
  Pipeline pipeline_;
  ReadRounds reads_;
  ReadWaits read_waits_;
  LogicalClock clock_;
  Peers peers_;
  Membership membership_;
  Events events_{*this};
  BlockedClients blocked_{*this};
  Migrations migrations_{*this};
  NodeActions actions_{*this};
  std::uint64_t http_logged_us_ = 0;
  bool removed_ = false;      // a member of its cluster no more
  bool removal_due_ = false;  // and clients are to be told
  Snapshots snapshots_;
  Audit audit_;
  std::optional<AuditRange> disputed_;  // copies differ there and nobody knows whose is right: no writes
  bool condemned_ = false;              // this node's state differs from the majority's
  bool condemned_durably_ = false;      // and its next start knows
  bool retired_ = false;                // and its clients are gone

  // Committed and not applied. A pump inside a long command adds to it; only apply_committed takes from it.
  std::deque<raft::Entry> committed_;
  bool applying_ = false;
  bool busy_ = false;        // inside Host::serve_busy_clients
  bool installing_ = false;  // a received snapshot is to be swapped in between two entries
  raft::LogIndex reported_applied_;
  raft::LogIndex applied_;
  raft::Term applied_term_;
  std::uint64_t applied_commands_ = ReadPlace::kWhole;  // of the entry `applied_`
  std::uint64_t resolved_batch_ = 0;                    // own batches up to this one are applied or lost
  std::uint64_t last_clock_ms_ = 0;                     // newest clock in an entry that was proposed here or applied

  // What Raft said, acted upon between applies (settle_role).
  bool role_change_due_ = false;
  bool reads_lost_ = false;
  bool became_leader_ = false;
  bool configuration_change_due_ = false;
  bool serving_leader_ = false;  // leads as far as clients are concerned
  std::uint64_t stepped_down_us_ = 0;
  std::uint64_t last_leader_ = 0;

  std::uint64_t last_tick_us_ = 0;
  raft::LogIndex held_back_from_;   // as the core told; 0: nothing is
  std::uint64_t spread_at_us_ = 0;  // 0: nothing to spread
  std::uint64_t last_status_us_ = 0;
  std::uint64_t last_sample_us_ = 0;
  std::uint64_t last_expiry_entry_us_ = 0;
  std::uint64_t stopping_since_us_ = 0;
  int exit_status_ = 0;

  // Sessions that wait for something other than their own log entries.
  std::vector<Parked> parked_;
  std::vector<std::uint64_t> back_pressured_;
  std::vector<std::uint64_t> resumed_;
  std::deque<InPieces> fragmenting_;

  std::uint64_t wait_timeout_ms_ = 0;  // of the blocking command just applied
  bool active_expire_ = true;
  bool disk_full_ = false;
  bool commit_stalled_ = false;  // leading, and a majority's disks take nothing
  std::uint64_t commit_progress_us_ = 0;
  std::uint64_t disk_full_since_us_ = 0;
  std::string scratch_;  // replies nobody reads
  std::vector<std::string_view> apply_arguments_;
  std::vector<std::string_view> lookahead_arguments_;
  std::deque<std::vector<std::string_view>> read_commands_;
  std::size_t read_depth_ = 0;
};

}  // namespace redraft::replica
