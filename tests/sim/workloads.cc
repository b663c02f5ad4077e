#include "tests/sim/workloads.h"

#include "resp/number.h"

// The workloads with a life of their own: expiry, pops, pipelines, fragments.

namespace redraft::sim {

using Type = resp::Reply::Type;

// ---- Expiry

void Expiry::step(Client& client, std::function<void()> done) {
  if (keys_.empty() || client.random().chance(1, 3)) {
    auto key = std::make_shared<Key>();
    key->name = "expiry:" + std::to_string(++next_key_);
    key->begin_us = now();
    const std::uint64_t life_ms = client.random().skewed(10, kLife_ms);
    key->life_us = life_ms * 1000;
    keys_.push_back(key);
    if (keys_.size() > 12) keys_.pop_front();
    client.run({{"SET", key->name, "there", "PX", std::to_string(life_ms)}},
               [this, key, done](const std::vector<Answer>& answers) {
                 if (got(answers[0], Type::kSimple)) key->end_us = now();
                 done();
               });
    return;
  }
  const std::shared_ptr<Key> key = keys_[client.random().below(keys_.size())];
  client.run({{"GET", key->name}}, [this, key, begin = now(), done](const std::vector<Answer>& answers) {
    if (got_bulk_or_null(answers[0])) saw(*key, begin, answers[0].reply.type == Type::kBulk);
    done();
  });
}

void Expiry::saw(Key& key, std::uint64_t begin_us, bool there) {
  if (there) {
    if (key.gone_us < begin_us) {
      notice(key.name + " was gone at " + std::to_string(key.gone_us) + " us and is back for a read that began at " +
             std::to_string(begin_us) + " us");
    }
    return;
  }
  if (begin_us <= key.end_us) return;  // perhaps not there yet
  key.gone_us = std::min(key.gone_us, now());
  // Two clocks that are each wrong by half a thousandth.
  if (now() + early_us_ < key.begin_us + key.life_us - key.life_us / 500) {
    notice(key.name + " with a life of " + std::to_string(key.life_us) + " us, set at " + std::to_string(key.begin_us) +
           " us, was gone at " + std::to_string(now()) + " us");
  }
}

std::vector<Command> Expiry::final_reads() {
  std::vector<Command> reads;
  for (const auto& key : keys_) reads.push_back({"GET", key->name});
  return reads;
}

Verdict Expiry::verdict(const std::vector<resp::Reply>& finals) {
  for (std::size_t i = 0; i < finals.size(); ++i) {
    if (finals[i].type == Type::kBulk) return keys_[i]->name + " is there long after its time";
  }
  return std::nullopt;
}

// ---- SetPops

void SetPops::step(Client& client, std::function<void()> done) {
  if (client.random().chance(1, 2)) {
    const std::string element = std::to_string(client.id()) + "." + std::to_string(++next_element_);
    elements_.adding(element);
    client.run({{"SADD", "set", element}}, [this, element, done](const std::vector<Answer>& answers) {
      if (answers[0].fate == Fate::kRefused) elements_.refused(element);
      if (got(answers[0], Type::kInteger)) elements_.added(element);
      done();
    });
    return;
  }
  client.run({{"SPOP", "set"}}, [this, done](const std::vector<Answer>& answers) {
    if (answers[0].fate == Fate::kUnknown) elements_.taken_unknown();
    if (got_bulk_or_null(answers[0]) && answers[0].reply.type == Type::kBulk) elements_.taken(answers[0].reply.text);
    done();
  });
}

Verdict SetPops::verdict(const std::vector<resp::Reply>& finals) {
  for (const resp::Reply& member : finals[0].elements) elements_.left(member.text);
  return elements_.check("set");
}

// ---- Queue

void Queue::step(Client& client, std::function<void()> done) {
  if (client.random().chance(1, 2)) {
    const std::string element = std::to_string(client.id()) + "." + std::to_string(++next_element_);
    elements_.adding(element);
    client.run({{"RPUSH", "queue", element}}, [this, element, done](const std::vector<Answer>& answers) {
      if (answers[0].fate == Fate::kRefused) elements_.refused(element);
      if (got(answers[0], Type::kInteger)) elements_.added(element);
      done();
    });
    return;
  }
  const std::string timeout = client.random().chance(1, 2) ? "0.05" : "0.4";
  client.run({{"BLPOP", "queue", timeout}}, [this, done](const std::vector<Answer>& answers) {
    const Answer& answer = answers[0];
    if (answer.fate == Fate::kUnknown) elements_.taken_unknown();
    const bool nothing = answer.fate == Fate::kDone && answer.reply.type == Type::kNullArray;
    if (!nothing && got(answer, Type::kArray)) elements_.taken(answer.reply.elements.at(1).text);
    done();
  });
}

Verdict Queue::verdict(const std::vector<resp::Reply>& finals) {
  for (const resp::Reply& element : finals[0].elements) elements_.left(element.text);
  return elements_.check("queue");
}

// ---- Pipelines

void Pipelines::step(Client& client, std::function<void()> done) {
  const std::string own = "own:" + std::to_string(client.id());
  const std::string first = std::to_string(++next_value_);
  const std::string second = std::to_string(++next_value_);
  const std::uint64_t begin = now();
  RegisterHistory& history = own_[client.id()];
  const std::size_t first_write = history.begin_write(begin, first);
  const std::size_t second_write = history.begin_write(begin, second);
  const std::size_t change = order_.begin_change(begin);
  const std::size_t read = order_.begin_read(begin);
  client.run({{"SET", own, first},
              {"GET", own},
              {"INCR", "piped"},
              {"PING", first},
              {"GET", "piped"},
              {"SET", own, second},
              {"GET", own}},
             {.follow = false}, [=, this, &history](const std::vector<Answer>& answers) {
               if (answers[0].fate == Fate::kRefused) history.refused(first_write);
               if (answers[5].fate == Fate::kRefused) history.refused(second_write);
               if (answers[2].fate == Fate::kRefused) order_.refused(change);
               if (got(answers[0], Type::kSimple)) history.wrote(first_write, now());
               if (got(answers[5], Type::kSimple)) history.wrote(second_write, now());
               if (got(answers[2], Type::kInteger)) {
                 order_.answered(change, now(), static_cast<std::uint64_t>(answers[2].reply.integer));
               }
               if (got_bulk_or_null(answers[1])) {
                 history.read(begin, now(), answers[1].reply.text);
                 if (answers[0].fate == Fate::kDone && answers[1].reply.text != first)
                   notice("GET missed the first SET");
               }
               if (got_bulk_or_null(answers[6])) {
                 history.read(begin, now(), answers[6].reply.text);
                 if (answers[5].fate == Fate::kDone && answers[6].reply.text != second) {
                   notice("GET missed the second SET");
                 }
               }
               if (got(answers[3], Type::kBulk) && answers[3].reply.text != first) notice("PING got another's reply");
               if (got_bulk_or_null(answers[4])) {
                 order_.answered(read, now(), number_in(answers[4].reply));
                 if (answers[2].fate == Fate::kDone &&
                     number_in(answers[4].reply) < static_cast<std::uint64_t>(answers[2].reply.integer)) {
                   notice("GET missed the INCR before it");
                 }
               }
               done();
             });
}

std::vector<Command> Pipelines::final_reads() {
  std::vector<Command> reads{{"GET", "piped"}};
  for (const auto& [client, history] : own_) reads.push_back({"GET", "own:" + std::to_string(client)});
  return reads;
}

Verdict Pipelines::verdict(const std::vector<resp::Reply>& finals) {
  order_.answered(order_.begin_read(now()), now(), number_in(finals[0]));
  if (Verdict broken = order_.check("piped")) return broken;
  std::size_t i = 1;
  for (auto& [client, history] : own_) {
    history.read(now(), now(), finals[i++].text);
    if (Verdict broken = history.check("own:" + std::to_string(client))) return broken;
  }
  return std::nullopt;
}

// ---- Large

std::string Large::expand(std::uint64_t number) {
  // A megabyte and more, different at every place.
  const std::size_t size = (std::size_t{1} << 20) + (number * 7919 % 5) * 300'000;
  std::string value = std::to_string(number) + ":";
  Random random(number);
  const std::string block = random.letters(997);
  while (value.size() < size) value += block;
  return value;
}

std::string Large::condense(const resp::Reply& value) {
  if (value.type == Type::kNull) return {};
  std::string number = value.text.substr(0, value.text.find(':'));
  const auto parsed = resp::parse_int64(number);
  if (!parsed || value.text != expand(static_cast<std::uint64_t>(*parsed))) {
    notice("the value of " + number + " is not whole: " + std::to_string(value.text.size()) + " bytes");
  }
  return number;
}

void Large::step(Client& client, std::function<void()> done) {
  if (client.random().chance(1, 2)) {
    const std::uint64_t number = ++next_value_;
    const std::size_t operation = history_.begin_write(now(), std::to_string(number));
    client.run({{"SET", "large", expand(number)}}, [this, operation, done](const std::vector<Answer>& answers) {
      if (answers[0].fate == Fate::kRefused) history_.refused(operation);
      if (got(answers[0], Type::kSimple)) history_.wrote(operation, now());
      done();
    });
    return;
  }
  client.run({{"GET", "large"}}, [this, begin = now(), done](const std::vector<Answer>& answers) {
    if (got_bulk_or_null(answers[0])) history_.read(begin, now(), condense(answers[0].reply));
    done();
  });
}

Verdict Large::verdict(const std::vector<resp::Reply>& finals) {
  history_.read(now(), now(), condense(finals[0]));
  if (noticed_) return noticed_;
  return history_.check("large");
}

}  // namespace redraft::sim
