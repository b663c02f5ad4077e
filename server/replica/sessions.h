#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "server/replica/session.h"

namespace redraft::replica {

// All client connections of this node, in the order of their ids. Owns them: a session lives until the host has closed
// it and neither a batch nor a read round names it.
class Sessions {
 public:
  Session& open(ClientAddress address);
  // Forgets the session as soon as nothing refers to it.
  void close(Session& session);
  void acquire(Session& session) { ++session.references; }
  void release(Session& session);

  [[nodiscard]] Session* find(std::uint64_t id);
  // Connected ones only.
  [[nodiscard]] std::size_t count() const { return by_id_.size() - closed_; }
  template <class Visit>
  void for_each(Visit visit) {
    for (auto& [id, session] : by_id_) {
      if (!session->closed) visit(*session);
    }
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [id, session] : by_id_) {
      if (!session->closed) visit(std::as_const(*session));
    }
  }

 private:
  std::map<std::uint64_t, std::unique_ptr<Session>> by_id_;
  std::uint64_t next_id_ = 1;
  std::size_t closed_ = 0;  // closed and still referred to
};

}  // namespace redraft::replica
