#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/replica/sessions.h"

namespace redraft::replica {

// What a client gets without having asked for it just now: published messages, invalidations, MONITOR's lines. It goes
// straight into the session's output, which holds replies of commands that ran already; so it leaves in the order of
// execution. While a command runs its own reply may be half written, and all pushes wait for its end.
class Pushes {
 public:
  // `report` is told of each session that has got output. Both outlive this.
  Pushes(Sessions& sessions, std::function<void(Session&)> report) : sessions_(sessions), report_(std::move(report)) {}

  // Around the execution of a command; they nest.
  class Running {
   public:
    explicit Running(Pushes& pushes) : pushes_(pushes) { ++pushes_.running_; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      if (--pushes_.running_ == 0 && !pushes_.waiting_.empty()) pushes_.flush();
    }

   private:
    Pushes& pushes_;
  };

  // One whole push or message, encoded for that session's protocol. A session that is closing gets nothing more.
  void send(Session& session, std::string_view bytes);

 private:
  struct Waiting {
    std::uint64_t session;
    std::size_t size;  // of its bytes in `bytes_`
  };
  void flush();

  Sessions& sessions_;
  std::function<void(Session&)> report_;
  std::uint32_t running_ = 0;
  std::vector<Waiting> waiting_;
  std::string bytes_;
};

}  // namespace redraft::replica
