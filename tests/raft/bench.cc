#include "tests/raft/bench.h"

namespace redraft::raft::testing {

AppendEntries append(std::uint64_t term, std::uint64_t prev, std::uint64_t prev_term, std::vector<Entry> entries,
                     std::uint64_t commit) {
  AppendEntries message;
  message.term = Term{term};
  message.prev_log_index = LogIndex{prev};
  message.prev_log_term = Term{prev_term};
  message.commit_index = LogIndex{commit};
  message.round = 1;
  message.entries = std::move(entries);
  return message;
}

RequestVote vote_request(std::uint64_t term, std::uint64_t last, std::uint64_t last_term) {
  RequestVote request;
  request.term = Term{term};
  request.last_log_index = LogIndex{last};
  request.last_log_term = Term{last_term};
  return request;
}

void PrintTo(const Rule& rule, std::ostream* out) {
  *out << rule.sentence;
}

std::string rule_name(const ::testing::TestParamInfo<Rule>& info) {
  return info.param.name;
}

TEST_P(Paper, Rule) {
  SCOPED_TRACE(GetParam().sentence);
  GetParam().check();
}

}  // namespace redraft::raft::testing
