#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/context.h"
#include "server/commands/script_host.h"
#include "server/store/breather.h"
#include "server/store/store.h"

namespace redraft::commands {

// Runs a text of command lines against a store, the way a replica applies entries, and returns the same text with the
// replies that were given, so that a script is its own expectation:
//
//   RPUSH l a b                 a request, in redis-cli's quoting
//       => :2                   its reply: CRLF as a space, bytes outside ASCII as \xHH
//   ~ SMEMBERS s                a reply whose elements come in no promised order is shown sorted
//   two> BLPOP q 0              sent by the connection "two"; without a prefix by "one"
//       => (waits)
//   RPUSH q x
//       => :1
//       two => *2 $1 q $1 x     what a waiting connection got by this command
//   @clock +1000                the logical clock moves on
//   @resp two 3                 the connection speaks RESP3
//   @unblock two timeout        the entry kUnblockWaiter (timeout, unblocked, error, closed)
//   @gone two                   "two" is connected to another node: waits and is served, but unseen here
//   @events on                  keyspace events are shown, as `! class:name db:key`
//   #                           a comment
class ScriptRunner final : public Surroundings, public store::Breather {
 public:
  explicit ScriptRunner(store::Store& store);

  [[nodiscard]] std::string run(std::string_view script);
  // From here on, e.g. after a restore, entries go to this store; connections and clock stay.
  void use(store::Store& store) { store_ = &store; }
  // Called before each entry.
  void before_each(std::function<void()> action) { before_each_ = std::move(action); }

  [[nodiscard]] std::uint64_t breaths() const { return breaths_; }
  [[nodiscard]] std::uint64_t clock_ms() const { return clock_ms_; }

  resp::Writer* waiting_client(const Origin& origin) override;
  void notify(Event event, std::string_view name, std::string_view key, std::uint32_t db) override;
  ScriptHost* script_host() override { return &script_host_; }
  void breathe() override { ++breaths_; }

 private:
  struct Connection {
    std::string name;
    std::uint64_t id = 0;
    std::uint64_t number = 0;
    std::uint32_t db = 0;
    resp::Writer::Protocol protocol = resp::Writer::Protocol::kResp2;
    bool waiting = false;
    bool elsewhere = false;
    bool in_multi = false;
    std::vector<std::vector<std::string>> queued;
    std::string output;
    std::unique_ptr<resp::Writer> writer;
  };

  Connection& connection(std::string_view name);
  void direct(std::string_view line);
  void request(std::string_view line);
  void submit(Connection& sender, const std::vector<std::string>& arguments, bool sorted);
  void unblock(Connection& waiter, std::string_view reason);
  void answer(Connection& sender, const std::vector<std::string>& arguments, resp::Writer& reply, bool may_block,
              bool& blocked);
  void transact(Connection& sender, resp::Writer& reply);
  void show_served();

  store::Store* store_;
  ScriptHost script_host_;
  std::map<std::string, Connection, std::less<>> connections_;
  std::vector<std::string> served_;  // names, in the order of their replies
  std::function<void()> before_each_;
  std::string text_;
  std::string events_;
  bool show_events_ = false;
  std::uint64_t clock_ms_ = 1'700'000'000'000;
  std::uint64_t index_ = 0;
  std::uint64_t breaths_ = 0;
};

}  // namespace redraft::commands
