#include "tests/sim/client.h"

#include <algorithm>
#include <charconv>

namespace redraft::sim {

std::string to_text(const Command& command) {
  std::string text;
  for (const std::string& argument : command) {
    if (!text.empty()) text += ' ';
    text += argument.size() > 40 ? argument.substr(0, 40) + "..." : argument;
  }
  return text;
}

std::string encode(const Command& command) {
  std::string bytes = "*" + std::to_string(command.size()) + "\r\n";
  for (const std::string& argument : command) {
    bytes += "$" + std::to_string(argument.size()) + "\r\n";
    bytes += argument;
    bytes += "\r\n";
  }
  return bytes;
}

Client::Client(std::uint64_t id, std::uint64_t seed, Schedule& schedule, Trace& trace, Ledger& ledger,
               std::vector<Node*> nodes)
    : id_(id), random_(seed), schedule_(schedule), trace_(trace), ledger_(ledger), nodes_(std::move(nodes)) {
  target_ = random_.below(nodes_.size());
}

void Client::run(std::vector<Command> commands, const Options& options, Done done) {
  ensure(!busy(), "a client runs one request at a time");
  commands_ = std::move(commands);
  answers_.assign(commands_.size(), {});
  answered_ = 0;
  sent_ = false;
  options_ = options;
  done_ = std::move(done);
  deadline_us_ = schedule_.now_us() + options.patience_us;
  ++requests;
  const std::uint64_t request = ++request_;
  schedule_.at(deadline_us_, [this, request] {
    if (request != request_ || !busy()) return;
    ++timeouts;
    trace_.note(schedule_.now_us(), "client timeout", id_);
    end_connection();
    finish();
  });
  if (options.connection != 0 && (!connected_ || token_ != options.connection)) {
    finish();
  } else if (connected_) {
    transmit();
  } else {
    connect();
  }
}

void Client::connect() {
  if (connecting_) return;
  connecting_ = true;
  const std::uint64_t token = ++token_;
  Node& node = *nodes_[target_];
  schedule_.after(random_.between(node.client_delay_low_us, node.client_delay_high_us), [this, token, &node] {
    if (token != token_) return;
    const std::uint64_t number = node.client_connects(*this, token);
    schedule_.after(random_.between(node.client_delay_low_us, node.client_delay_high_us), [this, token, number, &node] {
      if (token != token_) {
        if (number != 0) node.client_closes(number);
        return;
      }
      connecting_ = false;
      if (number == 0) {
        target_ = random_.below(nodes_.size());
        try_again(random_.between(5'000, 60'000));
        return;
      }
      connected_ = true;
      number_ = number;
      last_arrival_us_ = 0;
      input_.clear();
      skip_replies_ = 0;
      replies_ = 0;
      if (follower_reads) {
        skip_replies_ = 1;
        std::string bytes;
        send({"READONLY"}, bytes);
        to_node(std::move(bytes));
      }
      if (busy()) transmit();
    });
  });
}

void Client::transmit() {
  sent_ = true;
  answered_ = 0;
  std::string bytes;
  for (const Command& command : commands_) send(command, bytes);
  trace_.note(schedule_.now_us(), "request", id_, target_ + 1, bytes);
  // Bytes come as TCP cuts them.
  if (random_.chance(1, 8) && bytes.size() > 1) {
    const std::size_t cut = random_.between(1, bytes.size() - 1);
    to_node(bytes.substr(0, cut));
    bytes.erase(0, cut);
  }
  to_node(std::move(bytes));
}

void Client::send(const Command& command, std::string& bytes) {
  bytes += encode(command);
  ledger_.sent(target_ + 1, number_, {.command = command, .client = id_, .begin_us = schedule_.now_us()});
}

void Client::to_node(std::string bytes) {
  Node& node = *nodes_[target_];
  last_arrival_us_ = std::max(
      last_arrival_us_, schedule_.now_us() + random_.between(node.client_delay_low_us, node.client_delay_high_us));
  schedule_.at(last_arrival_us_, [&node, number = number_, bytes = std::move(bytes)]() mutable {
    node.client_sends(number, std::move(bytes));
  });
}

void Client::on_bytes(std::uint64_t token, std::string_view bytes) {
  if (token != token_ || !connected_) return;
  input_ += bytes;
  take_replies();
}

void Client::take_replies() {
  std::size_t begin = 0;
  while (busy() && sent_ && answered_ < commands_.size()) {
    const resp::ReplyRead read = resp::read_reply(std::string_view(input_).substr(begin));
    ensure(read.outcome != resp::ReplyRead::Outcome::kError, "a node answers in RESP");
    if (read.outcome == resp::ReplyRead::Outcome::kIncomplete) break;
    begin += read.consumed;
    Operation& operation = ledger_.find(target_ + 1, number_, ++replies_)->operation;
    operation.end_us = schedule_.now_us();
    operation.fate = judge(read.reply);
    operation.reply = read.reply;
    if (skip_replies_ > 0) {
      --skip_replies_;
      continue;
    }
    answers_[answered_].fate = operation.fate;
    answers_[answered_].reply = read.reply;
    ++answered_;
  }
  input_.erase(0, begin);
  if (busy() && sent_ && answered_ == commands_.size()) answered();
}

Fate Client::judge(const resp::Reply& reply) {
  if (reply.type != resp::Reply::Type::kError) return Fate::kDone;
  const std::string_view text = reply.text;
  if (text.starts_with("INDOUBT")) return Fate::kUnknown;
  for (const std::string_view word : {"MOVED ", "CLUSTERDOWN ", "LOADING ", "MASTERDOWN ", "READONLY ", "EXECABORT ",
                                      "TRYAGAIN ", "MISCONF ", "ERR EXEC without MULTI"}) {
    if (text.starts_with(word)) return Fate::kRefused;
  }
  return Fate::kDone;
}

// All replies are there. What was certainly not executed goes to where the leader is said to be.
void Client::answered() {
  const bool refused =
      std::ranges::all_of(answers_, [](const Answer& answer) { return answer.fate == Fate::kRefused; });
  const auto elsewhere =
      std::ranges::find_if(answers_, [](const Answer& answer) { return answer.fate == Fate::kRefused; });
  if (elsewhere != answers_.end()) {
    const std::string text = elsewhere->reply.text;
    const bool moved = text.starts_with("MOVED ");
    std::size_t port = 0;
    if (moved) std::from_chars(text.data() + text.rfind(':') + 1, text.data() + text.size(), port);
    const bool known = port > 7000 && port <= 7000 + nodes_.size();
    end_connection();
    target_ = known ? port - 7001 : random_.below(nodes_.size());
    if (refused && options_.follow && options_.connection == 0) {
      try_again(known ? random_.between(0, 3'000) : random_.between(10'000, 60'000));
      return;
    }
  }
  finish();
}

void Client::try_again(std::uint64_t delay_us) {
  if (!busy()) return;
  sent_ = false;
  answers_.assign(commands_.size(), {.fate = Fate::kRefused});
  schedule_.after(delay_us, [this, request = request_] {
    if (request == request_ && busy() && !connected_) connect();
  });
}

void Client::on_closed(std::uint64_t token) {
  if (token != token_ || (!connected_ && !connecting_)) return;
  const bool sent = sent_ && connected_;
  end_connection();
  target_ = random_.below(nodes_.size());
  if (!busy()) return;
  if (sent) {
    finish();
  } else {
    try_again(random_.between(1'000, 30'000));
  }
}

void Client::hang_up() {
  if (!connected_) return;
  const bool sent = sent_;
  end_connection();
  if (!busy()) return;
  if (sent) {
    finish();
  } else {
    try_again(1'000);
  }
}

void Client::aim_at(std::uint64_t node) {
  if (busy()) return;
  end_connection();
  target_ = node - 1;
}

void Client::end_connection() {
  if (connected_) {
    Node& node = *nodes_[target_];
    const std::uint64_t at = std::max(last_arrival_us_, schedule_.now_us() + node.client_delay_low_us);
    schedule_.at(at, [&node, number = number_] { node.client_closes(number); });
  }
  ++token_;
  connected_ = connecting_ = false;
  input_.clear();
}

void Client::finish() {
  const bool never_sent = !sent_;
  for (std::size_t i = answered_; i < answers_.size(); ++i) {
    answers_[i].fate = never_sent ? Fate::kRefused : Fate::kUnknown;
  }
  // The next request may be begun inside.
  const Done done = std::exchange(done_, nullptr);
  const std::vector<Answer> answers = std::exchange(answers_, {});
  answered_ = 0;
  sent_ = false;
  commands_.clear();
  done(answers);
}

}  // namespace redraft::sim
