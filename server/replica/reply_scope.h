#pragma once

#include <cstddef>

#include "server/replica/engine.h"

namespace redraft::replica {

// Around everything that writes to a session's output: tells the host, and drops the reply where CLIENT REPLY wants
// none.
class Engine::ReplyScope {
 public:
  ReplyScope(Engine& engine, Session& session, bool silent)
      : engine_(engine), session_(session), silent_(silent), begin_(session.output().size()) {}
  ReplyScope(const ReplyScope&) = delete;
  ReplyScope& operator=(const ReplyScope&) = delete;
  ~ReplyScope() {
    engine_.count_errors(session_, begin_);
    if (silent_) session_.output().resize(begin_);
    engine_.report_output(session_);
  }

 private:
  Engine& engine_;
  Session& session_;
  bool silent_;
  std::size_t begin_;
};

}  // namespace redraft::replica
