#include "server/replica/pushes.h"

namespace redraft::replica {

void Pushes::send(Session& session, std::string_view bytes) {
  if (session.closing || session.closed) return;
  if (running_ > 0) {
    waiting_.push_back({session.id(), bytes.size()});
    bytes_ += bytes;
    return;
  }
  session.output() += bytes;
  report_(session);
}

void Pushes::flush() {
  std::size_t begin = 0;
  for (const Waiting& one : waiting_) {
    Session* session = sessions_.find(one.session);
    if (session != nullptr && !session->closing) {
      session->output().append(bytes_, begin, one.size);
      report_(*session);
    }
    begin += one.size;
  }
  waiting_.clear();
  bytes_.clear();
}

}  // namespace redraft::replica
