#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/store/breather.h"
#include "server/store/id_list.h"
#include "server/store/part.h"
#include "server/store/stream_id.h"

namespace redraft::store {

class Stream;

// A consumer of a group, and which entries it has been given and has not acknowledged.
struct Consumer {
  struct Owned {
    StreamId id;
  };
  std::string name;
  std::uint64_t number = 0;     // within its group, never reused
  std::uint64_t seen_ms = 0;    // when it last asked
  std::int64_t active_ms = -1;  // when it last got something; -1: never
  IdList<Owned> owned;
  Epoch epoch = 0;
};

// An entry that was delivered and not acknowledged.
struct Delivery {
  StreamId id;
  std::uint64_t delivered_ms = 0;
  std::uint64_t count = 0;
  Consumer* consumer = nullptr;  // never null outside of restoring
};

// A consumer group of a stream (redis.io/topics/streams): what was delivered last, its consumers by name, and the list
// of pending entries. Its own fields, each consumer, and each chunk of pending entries are parts of the stream's walk.
// Belongs to its stream.
class ConsumerGroup {
 public:
  using Consumers = std::map<std::string_view, std::unique_ptr<Consumer>>;
  static constexpr std::int64_t kUnknown = -1;  // of entries_read

  ConsumerGroup(Stream& stream, std::uint64_t number) : stream_(stream), number_(number) {}
  ConsumerGroup(Stream& stream, std::uint64_t number, std::string_view name, StreamId last_id,
                std::int64_t entries_read);
  ConsumerGroup(const ConsumerGroup&) = delete;
  ConsumerGroup& operator=(const ConsumerGroup&) = delete;
  ~ConsumerGroup();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] StreamId last_id() const { return last_id_; }
  // How many of the stream's entries were ever read up to last_id(); kUnknown where deletions hide it.
  [[nodiscard]] std::int64_t entries_read() const { return entries_read_; }
  void set_position(StreamId last_id, std::int64_t entries_read);

  [[nodiscard]] const Consumers& consumers() const { return consumers_; }
  [[nodiscard]] Consumer* find_consumer(std::string_view name) const;
  // The name is new.
  Consumer& create_consumer(std::string_view name, std::uint64_t now_ms);
  // With what is pending for it; that many.
  std::uint64_t remove_consumer(Consumer& consumer, Breather& breather);
  void saw(Consumer& consumer, std::uint64_t now_ms);
  void served(Consumer& consumer, std::uint64_t now_ms);

  [[nodiscard]] const IdList<Delivery>& pending() const { return pending_; }
  // The entry is pending for this consumer from now on, whoever had it before.
  void deliver(StreamId id, Consumer& consumer, std::uint64_t delivered_ms, std::uint64_t count);
  // False when it was not pending.
  bool acknowledge(StreamId id);

  // ---- For its stream
  void begin_walk();
  [[nodiscard]] bool walk(std::string& to, std::size_t bytes_max);
  // All parts, each as put_bytes.
  void encode(std::string& to) const;
  // What stands behind the group's number in a part of this kind.
  [[nodiscard]] Status restore(char kind, std::string_view from);
  // Joins what restore() brought; false when something is missing.
  [[nodiscard]] bool restore_end();
  [[nodiscard]] std::uint64_t digest(Steps& steps) const;
  [[nodiscard]] std::unique_ptr<ConsumerGroup> copy(Stream& stream, Steps& steps) const;
  // Takes a chunk or a consumer at a time off `elements`; true when nothing is left.
  [[nodiscard]] bool free_some(std::size_t& elements);

  static constexpr char kHead = 'g';
  static constexpr char kConsumer = 'c';
  static constexpr char kPending = 'p';

 private:
  using Chunk = IdList<Delivery>::Chunk;
  enum class Walked : std::uint8_t { kHead, kConsumers, kPending, kAll };

  // Both in the table and in the lists of consumers.
  static constexpr std::int64_t kPendingBytes = sizeof(Delivery) + sizeof(Consumer::Owned) + 4;
  static constexpr std::int64_t kConsumerBytes = sizeof(Consumer) + 80;
  static constexpr std::int64_t kGroupBytes = 300;

  void before_change();
  void before_change(Consumer& consumer);
  [[nodiscard]] auto before_chunk();
  [[nodiscard]] std::string head_part() const;
  [[nodiscard]] std::string consumer_part(const Consumer& consumer) const;
  [[nodiscard]] std::string pending_part(const Chunk& chunk) const;
  void write(std::string& to, const std::string& body) const;
  void own(Consumer& consumer, StreamId id);
  static void disown(Consumer& consumer, StreamId id);
  void count_bytes(std::int64_t bytes);
  [[nodiscard]] Consumer& numbered(std::uint64_t number);

  Stream& stream_;
  std::uint64_t number_;
  std::string name_;
  StreamId last_id_;
  std::int64_t entries_read_ = kUnknown;
  std::uint64_t next_consumer_ = 1;
  Consumers consumers_;
  IdList<Delivery> pending_;
  std::int64_t bytes_ = 0;
  Epoch epoch_ = 0;

  // The walk: what comes next.
  Walked walked_ = Walked::kAll;
  std::string walk_consumer_;
  StreamId walk_pending_;

  // While it is restored: consumers by number, which parts name before theirs has come.
  std::map<std::uint64_t, std::unique_ptr<Consumer>> restored_;
  bool restored_head_ = false;
};

}  // namespace redraft::store
