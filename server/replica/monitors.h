#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/commands/command.h"
#include "server/replica/host.h"
#include "server/replica/pushes.h"
#include "server/replica/sessions.h"

namespace redraft::replica {

// MONITOR's clients and the line that each of them gets for every command this node executes, passwords left out
// (redis.io/commands/monitor). `who` is a client's address, or the node that another one is connected to.
class Monitors {
 public:
  using Arguments = std::span<const std::string_view>;

  // Both outlive this.
  Monitors(Sessions& sessions, Pushes& pushes) : sessions_(sessions), pushes_(pushes) {}

  void add(Session& session);
  void remove(Session& session);
  // Ask first: a line is a lot of work beside most commands.
  [[nodiscard]] bool any() const { return !watchers_.empty(); }

  // `session` is null where the client is another node's.
  [[nodiscard]] static std::string name_of(const Session* session, std::uint64_t node);
  void show(Time now, std::string_view who, std::uint32_t db, const commands::Command& command, Arguments arguments);

  // A script's line comes before those of what it calls. All are kept until its end: one that was only tried runs
  // again.
  void script_begins(Time now, std::string_view who, std::uint32_t db, Arguments arguments);
  void script_calls(Time now, std::uint32_t db, const commands::Command& command, Arguments arguments);
  void script_ended(bool again);

  // While it lives and until `end` all lines go to it: those of a read that may have to wait and run again.
  class Held {
   public:
    explicit Held(Monitors& monitors) : monitors_(monitors), outer_(std::exchange(monitors.held_, &lines_)) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { end(); }
    void end() {
      if (!ended_) monitors_.held_ = outer_;
      ended_ = true;
    }
    // After `end`: what was held is sent.
    void show() {
      if (!lines_.empty()) monitors_.send(lines_);
    }

   private:
    Monitors& monitors_;
    std::string* outer_;
    std::string lines_;
    bool ended_ = false;
  };

 private:
  void send(std::string_view lines);

  Sessions& sessions_;
  Pushes& pushes_;
  std::set<std::uint64_t> watchers_;  // sessions
  std::string script_lines_;          // of the script that runs, if anybody watches
  std::string* held_ = nullptr;       // null: lines go out at once
};

}  // namespace redraft::replica
