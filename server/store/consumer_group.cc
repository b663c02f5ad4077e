#include "server/store/consumer_group.h"

#include <xxhash.h>

#include <utility>

#include "server/store/stream.h"

namespace redraft::store {
namespace {

// A consumer's own list is made again from the group's, so the walk does not look at its chunks.
constexpr auto kNothing = [](auto&) {};

void put_id(std::string& to, StreamId id) {
  put_number(to, id.ms);
  put_number(to, id.seq);
}

bool take_id(std::string_view& from, StreamId& id) {
  return take_number(from, id.ms) && take_number(from, id.seq);
}

}  // namespace

ConsumerGroup::ConsumerGroup(Stream& stream, std::uint64_t number, std::string_view name, StreamId last_id,
                             std::int64_t entries_read)
    : stream_(stream),
      number_(number),
      name_(name),
      last_id_(last_id),
      entries_read_(entries_read),
      epoch_(stream.shared_.epoch) {
  count_bytes(kGroupBytes);
}

ConsumerGroup::~ConsumerGroup() {
  count_bytes(-bytes_);
}

void ConsumerGroup::count_bytes(std::int64_t bytes) {
  bytes_ += bytes;
  stream_.add_bytes(bytes);
}

// ---- Parts

void ConsumerGroup::write(std::string& to, const std::string& body) const {
  put_part(to, stream_.id(), body);
}

void ConsumerGroup::before_change() {
  if (stream_.must_copy(epoch_)) write(stream_.shared_.walked, head_part());
  epoch_ = stream_.shared_.epoch;
}

void ConsumerGroup::before_change(Consumer& consumer) {
  if (stream_.must_copy(consumer.epoch)) write(stream_.shared_.walked, consumer_part(consumer));
  consumer.epoch = stream_.shared_.epoch;
}

auto ConsumerGroup::before_chunk() {
  return [this](Chunk& chunk) {
    if (stream_.must_copy(chunk.epoch)) write(stream_.shared_.walked, pending_part(chunk));
    chunk.epoch = stream_.shared_.epoch;
  };
}

std::string ConsumerGroup::head_part() const {
  std::string body(1, kHead);
  put_number(body, number_);
  put_bytes(body, name_);
  put_id(body, last_id_);
  put_number(body, static_cast<std::uint64_t>(entries_read_));
  put_number(body, next_consumer_);
  return body;
}

std::string ConsumerGroup::consumer_part(const Consumer& consumer) const {
  std::string body(1, kConsumer);
  put_number(body, number_);
  put_number(body, consumer.number);
  put_bytes(body, consumer.name);
  put_number(body, consumer.seen_ms);
  put_number(body, static_cast<std::uint64_t>(consumer.active_ms));
  return body;
}

std::string ConsumerGroup::pending_part(const Chunk& chunk) const {
  std::string body(1, kPending);
  put_number(body, number_);
  put_number(body, chunk.items.size());
  for (const Delivery& delivery : chunk.items) {
    put_id(body, delivery.id);
    put_number(body, delivery.delivered_ms);
    put_number(body, delivery.count);
    put_number(body, delivery.consumer->number);
  }
  return body;
}

// ---- Consumers and what is pending

void ConsumerGroup::set_position(StreamId last_id, std::int64_t entries_read) {
  before_change();
  last_id_ = last_id;
  entries_read_ = entries_read;
}

Consumer* ConsumerGroup::find_consumer(std::string_view name) const {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : found->second.get();
}

Consumer& ConsumerGroup::create_consumer(std::string_view name, std::uint64_t now_ms) {
  before_change();
  auto consumer = std::make_unique<Consumer>();
  consumer->name = name;
  consumer->number = next_consumer_++;
  consumer->seen_ms = now_ms;
  consumer->epoch = stream_.shared_.epoch;
  count_bytes(kConsumerBytes + static_cast<std::int64_t>(name.size()));
  Consumer& made = *consumer;
  consumers_.emplace(made.name, std::move(consumer));
  return made;
}

std::uint64_t ConsumerGroup::remove_consumer(Consumer& consumer, Breather& breather) {
  const std::uint64_t pending = consumer.owned.size();
  Steps steps(breather);
  consumer.owned.for_each({}, [&](const Consumer::Owned& owned) {
    steps.step();
    return pending_.erase(owned.id, before_chunk());
  });
  count_bytes(-kConsumerBytes - static_cast<std::int64_t>(consumer.name.size()) -
              static_cast<std::int64_t>(pending) * kPendingBytes);
  before_change(consumer);
  consumers_.erase(consumers_.find(consumer.name));
  return pending;
}

void ConsumerGroup::saw(Consumer& consumer, std::uint64_t now_ms) {
  before_change(consumer);
  consumer.seen_ms = now_ms;
}

void ConsumerGroup::served(Consumer& consumer, std::uint64_t now_ms) {
  before_change(consumer);
  consumer.active_ms = static_cast<std::int64_t>(now_ms);
}

void ConsumerGroup::own(Consumer& consumer, StreamId id) {
  consumer.owned.insert(Consumer::Owned{id}, stream_.shared_.epoch, kNothing);
}

void ConsumerGroup::disown(Consumer& consumer, StreamId id) {
  consumer.owned.erase(id, kNothing);
}

void ConsumerGroup::deliver(StreamId id, Consumer& consumer, std::uint64_t delivered_ms, std::uint64_t count) {
  Delivery* delivery = pending_.find_for_change(id, before_chunk());
  if (delivery == nullptr) {
    pending_.insert(Delivery{id, delivered_ms, count, &consumer}, stream_.shared_.epoch, before_chunk());
    count_bytes(kPendingBytes);
    own(consumer, id);
    return;
  }
  if (delivery->consumer != &consumer) {
    disown(*delivery->consumer, id);
    own(consumer, id);
  }
  *delivery = {id, delivered_ms, count, &consumer};
}

bool ConsumerGroup::acknowledge(StreamId id) {
  const Delivery* delivery = pending_.find(id);
  if (delivery == nullptr) return false;
  disown(*delivery->consumer, id);
  pending_.erase(id, before_chunk());
  count_bytes(-kPendingBytes);
  return true;
}

// ---- Snapshot, digest, copy, freeing

void ConsumerGroup::begin_walk() {
  walked_ = Walked::kHead;
  walk_consumer_.clear();
  walk_pending_ = {};
}

// What comes behind the place reached and was not there when the walk began has the walk's epoch already.
bool ConsumerGroup::walk(std::string& to, std::size_t bytes_max) {
  const std::size_t begin = to.size();
  const Epoch epoch = stream_.shared_.epoch;
  const auto full = [&] { return to.size() - begin >= bytes_max; };
  if (walked_ == Walked::kHead) {
    if (std::exchange(epoch_, epoch) < epoch) write(to, head_part());
    walked_ = Walked::kConsumers;
  }
  if (walked_ == Walked::kConsumers) {
    for (auto at = consumers_.lower_bound(walk_consumer_); at != consumers_.end(); ++at) {
      if (full()) {
        walk_consumer_ = at->first;
        return false;
      }
      if (std::exchange(at->second->epoch, epoch) < epoch) write(to, consumer_part(*at->second));
    }
    walked_ = Walked::kPending;
  }
  if (walked_ == Walked::kPending) {
    auto& chunks = pending_.chunks();
    for (auto at = chunks.lower_bound(walk_pending_); at != chunks.end(); ++at) {
      if (full()) {
        walk_pending_ = at->first;
        return false;
      }
      if (std::exchange(at->second.epoch, epoch) < epoch) write(to, pending_part(at->second));
    }
    walked_ = Walked::kAll;
  }
  return true;
}

void ConsumerGroup::encode(std::string& to) const {
  put_bytes(to, head_part());
  for (const auto& [name, consumer] : consumers_) put_bytes(to, consumer_part(*consumer));
  for (const auto& [first, chunk] : pending_.chunks()) put_bytes(to, pending_part(chunk));
}

Consumer& ConsumerGroup::numbered(std::uint64_t number) {
  std::unique_ptr<Consumer>& consumer = restored_[number];
  if (consumer == nullptr) {
    consumer = std::make_unique<Consumer>();
    consumer->epoch = stream_.shared_.epoch;
  }
  return *consumer;
}

Status ConsumerGroup::restore(char kind, std::string_view from) {
  std::uint64_t number = 0;
  std::string_view name;
  if (kind == kHead) {
    std::uint64_t read = 0;
    if (std::exchange(restored_head_, true) || !take_bytes(from, name) || !take_id(from, last_id_) ||
        !take_number(from, read) || !take_number(from, next_consumer_) || !from.empty()) {
      return malformed("consumer group");
    }
    name_ = name;
    entries_read_ = static_cast<std::int64_t>(read);
    epoch_ = stream_.shared_.epoch;
    count_bytes(kGroupBytes);
    return Done{};
  }
  if (!take_number(from, number)) return malformed("part of a consumer group");
  if (kind == kConsumer) {
    std::uint64_t active = 0;
    Consumer& consumer = numbered(number);
    if (number == 0 || consumer.number != 0 || !take_bytes(from, name) || !take_number(from, consumer.seen_ms) ||
        !take_number(from, active) || !from.empty()) {
      return malformed("consumer");
    }
    consumer.number = number;
    consumer.name = name;
    consumer.active_ms = static_cast<std::int64_t>(active);
    count_bytes(kConsumerBytes + static_cast<std::int64_t>(name.size()));
    return Done{};
  }
  if (kind != kPending || number > from.size()) return malformed("part of a consumer group");
  Chunk chunk{stream_.shared_.epoch, {}};
  chunk.items.reserve(number);
  for (; number > 0; --number) {
    Delivery delivery;
    std::uint64_t consumer = 0;
    if (!take_id(from, delivery.id) || !take_number(from, delivery.delivered_ms) ||
        !take_number(from, delivery.count) || !take_number(from, consumer) ||
        (!chunk.items.empty() && delivery.id <= chunk.items.back().id)) {
      return malformed("pending entry");
    }
    delivery.consumer = &numbered(consumer);
    chunk.items.push_back(delivery);
    count_bytes(kPendingBytes);
  }
  return from.empty() && pending_.restore(std::move(chunk)) ? Status(Done{}) : Status(malformed("pending entries"));
}

bool ConsumerGroup::restore_end() {
  for (auto& [number, consumer] : restored_) {
    if (consumer->number == 0) return false;
    const std::string_view name = consumer->name;
    if (!consumers_.emplace(name, std::move(consumer)).second) return false;
  }
  restored_.clear();
  bool in_order = true;
  const StreamId* previous = nullptr;
  pending_.for_each({}, [&](const Delivery& delivery) {
    in_order = previous == nullptr || *previous < delivery.id;
    previous = &delivery.id;
    if (in_order) own(*delivery.consumer, delivery.id);
    return in_order;
  });
  return restored_head_ && in_order;
}

std::uint64_t ConsumerGroup::digest(Steps& steps) const {
  std::uint64_t digest = 1;
  const auto add = [&](const std::string& body) {
    steps.step();
    digest = XXH3_64bits_withSeed(body.data(), body.size(), digest);
  };
  // Not by parts: how what is pending lies in chunks, and who has which number, is no content.
  std::string head = name_;
  put_id(head, last_id_);
  put_number(head, static_cast<std::uint64_t>(entries_read_));
  add(head);
  for (const auto& [name, consumer] : consumers_) {
    std::string body(name);
    put_number(body, consumer->seen_ms);
    put_number(body, static_cast<std::uint64_t>(consumer->active_ms));
    add(body);
  }
  pending_.for_each({}, [&](const Delivery& delivery) {
    std::string body = delivery.consumer->name;
    put_id(body, delivery.id);
    put_number(body, delivery.delivered_ms);
    put_number(body, delivery.count);
    add(body);
    return true;
  });
  return digest;
}

std::unique_ptr<ConsumerGroup> ConsumerGroup::copy(Stream& stream, Steps& steps) const {
  auto made = std::make_unique<ConsumerGroup>(stream, number_, name_, last_id_, entries_read_);
  for (const auto& [name, consumer] : consumers_) {
    steps.step();
    made->create_consumer(name, consumer->seen_ms).active_ms = consumer->active_ms;
  }
  pending_.for_each({}, [&](const Delivery& delivery) {
    steps.step();
    made->deliver(delivery.id, *made->find_consumer(delivery.consumer->name), delivery.delivered_ms, delivery.count);
    return true;
  });
  return made;
}

bool ConsumerGroup::free_some(std::size_t& elements) {
  for (auto& chunks = pending_.chunks(); elements > 0 && !chunks.empty(); --elements) chunks.erase(chunks.begin());
  for (; elements > 0 && !consumers_.empty(); --elements) consumers_.erase(consumers_.begin());
  return pending_.chunks().empty() && consumers_.empty();
}

}  // namespace redraft::store
