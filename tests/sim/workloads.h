#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>

#include "tests/sim/workload.h"

namespace redraft::sim {

[[nodiscard]] std::uint64_t number_in(const resp::Reply& reply);  // 0 for null

// INCR and GET: neither lost nor doubled.
class Counters final : public Workload {
 public:
  explicit Counters(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "counters"; }
  void step(Client& client, std::function<void()> done) override;
  bool can_only_read() const override { return true; }
  std::vector<Command> final_reads() override;
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  static constexpr std::size_t kCounters = 3;
  std::array<OrderHistory, kCounters> histories_;
};

// SET and GET, strictly linearizable.
class Registers final : public Workload {
 public:
  explicit Registers(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "registers"; }
  void step(Client& client, std::function<void()> done) override;
  bool can_only_read() const override { return true; }
  std::vector<Command> final_reads() override;
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  static constexpr std::size_t kRegisters = 4;
  std::array<RegisterHistory, kRegisters> histories_;
  std::uint64_t next_value_ = 0;
};

// RPUSH answers the place, which the element keeps.
class Lists final : public Workload {
 public:
  explicit Lists(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "lists"; }
  void step(Client& client, std::function<void()> done) override;
  bool can_only_read() const override { return true; }
  std::vector<Command> final_reads() override { return {{"LRANGE", "list", "0", "-1"}}; }
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  OrderHistory order_;
  ElementHistory elements_;
  std::map<std::uint64_t, std::string> places_;
  std::uint64_t next_element_ = 0;
};

// WATCH, GET, MULTI, SET, EXEC: each value is made by one winner.
class CompareAndSet final : public Workload {
 public:
  explicit CompareAndSet(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "compare-and-set"; }
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override { return {{"GET", "cas"}}; }
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  void commit(Client& client, std::uint64_t value, const std::function<void()>& done);
  OrderHistory order_;
};

// Transfers in MULTI: the sum stays.
class Bank final : public Workload {
 public:
  explicit Bank(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "bank"; }
  std::vector<Command> set_up() override;
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override;
  Verdict verdict(const std::vector<resp::Reply>& finals) override { return sum_of(finals[0]); }

 private:
  static constexpr std::size_t kAccounts = 5;
  static constexpr std::size_t kEach = 1000;
  [[nodiscard]] Verdict sum_of(const resp::Reply& accounts);
};

// SET PX: a key goes not before its time, and never comes back.
class Expiry final : public Workload {
 public:
  Expiry(Schedule& schedule, std::uint64_t early_us) : Workload(schedule), early_us_(early_us) {}
  std::string_view name() const override { return "expiry"; }
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override;
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  static constexpr std::uint64_t kLife_ms = 2000;
  struct Key {
    std::string name;
    std::uint64_t begin_us = 0;
    std::uint64_t end_us = kNever;
    std::uint64_t life_us = 0;
    std::uint64_t gone_us = kNever;
  };
  void saw(Key& key, std::uint64_t begin_us, bool there);
  const std::uint64_t early_us_;
  std::deque<std::shared_ptr<Key>> keys_;
  std::uint64_t next_key_ = 0;
};

// SADD and SPOP: no member is popped twice.
class SetPops final : public Workload {
 public:
  explicit SetPops(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "set pops"; }
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override { return {{"SMEMBERS", "set"}}; }
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  ElementHistory elements_;
  std::uint64_t next_element_ = 0;
};

// RPUSH and BLPOP: at most one receiver per element, and none is lost.
class Queue final : public Workload {
 public:
  explicit Queue(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "queue"; }
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override { return {{"LRANGE", "queue", "0", "-1"}}; }
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  ElementHistory elements_;
  std::uint64_t next_element_ = 0;
};

// Reads and writes mixed in one pipeline: replies in order, and each read sees the write before it.
class Pipelines final : public Workload {
 public:
  explicit Pipelines(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "pipelines"; }
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override;
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  OrderHistory order_;
  std::map<std::uint64_t, RegisterHistory> own_;  // by client
  std::uint64_t next_value_ = 0;
};

// Any command on few keys: judged by the replay alone.
class Mix final : public Workload {
 public:
  explicit Mix(Schedule& schedule);
  std::string_view name() const override { return "mix"; }
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override;
  Verdict verdict(const std::vector<resp::Reply>&) override { return std::nullopt; }

 private:
  [[nodiscard]] Command any(Random& random) const;
  std::vector<std::size_t> offered_;
};

// Every type of value, scripts and functions: judged by the replay with one undisturbed node.
class Types final : public Workload {
 public:
  explicit Types(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "types"; }
  std::vector<Command> set_up() override;
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override;
  Verdict verdict(const std::vector<resp::Reply>&) override { return std::nullopt; }
};

// Values larger than an entry: all or nothing of them.
class Large final : public Workload {
 public:
  explicit Large(Schedule& schedule) : Workload(schedule) {}
  std::string_view name() const override { return "large"; }
  void step(Client& client, std::function<void()> done) override;
  std::vector<Command> final_reads() override { return {{"GET", "large"}}; }
  Verdict verdict(const std::vector<resp::Reply>& finals) override;

 private:
  [[nodiscard]] static std::string expand(std::uint64_t number);
  // The number it stands for; 0 and noticed when it is not whole.
  [[nodiscard]] std::string condense(const resp::Reply& value);
  RegisterHistory history_;
  std::uint64_t next_value_ = 0;
};

}  // namespace redraft::sim
