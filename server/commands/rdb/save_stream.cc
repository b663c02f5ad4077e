#include <algorithm>
#include <vector>

#include "base/little_endian.h"
#include "server/commands/rdb/listpack.h"
#include "server/commands/rdb/streams.h"
#include "server/commands/rdb/values.h"

namespace redraft::rdb {
namespace {

using store::StreamId;

constexpr std::int64_t kSameFields = 2;

void put_raw_id(std::string& to, StreamId id) {
  for (const std::uint64_t part : {id.ms, id.seq}) {
    for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<char>(part >> shift & 0xff));
  }
}

void put_length_id(std::string& to, StreamId id) {
  put_length(to, id.ms);
  put_length(to, id.seq);
}

void put_milliseconds(std::string& to, std::uint64_t ms) {
  char bytes[8];
  store_little(bytes, ms);
  to.append(bytes, sizeof bytes);
}

// Never as an integer or packed: the id is 16 bytes to whoever reads it.
void put_plain(std::string& to, std::string_view bytes) {
  put_length(to, bytes.size());
  to += bytes;
}

// The entries of one node as a listpack. The first entry's fields are the master's.
class NodeWriter {
 public:
  explicit NodeWriter(StreamId master) : master_(master) {}

  void add(StreamId id, store::Stream::Fields fields) {
    if (count_++ == 0) {
      for (std::size_t i = 0; i < fields.size(); i += 2) names_.emplace_back(fields[i]);
    }
    const bool same = fields.size() == names_.size() * 2 && shares_names(fields);
    entries_.push_back({});
    Entry& entry = entries_.back();
    entry.id = id;
    entry.same_fields = same;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!same || i % 2 == 1) entry.texts.emplace_back(fields[i]);
    }
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  void write(std::string& to) const {
    ListpackWriter pack;
    pack.add_integer(static_cast<std::int64_t>(count_));
    pack.add_integer(0);
    pack.add_integer(static_cast<std::int64_t>(names_.size()));
    for (const std::string& name : names_) pack.add(name);
    pack.add_integer(0);
    for (const Entry& entry : entries_) {
      pack.add_integer(entry.same_fields ? kSameFields : 0);
      pack.add_integer(static_cast<std::int64_t>(entry.id.ms - master_.ms));
      pack.add_integer(static_cast<std::int64_t>(entry.id.seq - master_.seq));
      if (!entry.same_fields) pack.add_integer(static_cast<std::int64_t>(entry.texts.size() / 2));
      for (const std::string& text : entry.texts) pack.add(text);
      const std::size_t elements = entry.texts.size() + (entry.same_fields ? 3 : 4);
      pack.add_integer(static_cast<std::int64_t>(elements));
    }
    std::string key;
    put_raw_id(key, master_);
    put_plain(to, key);
    put_string(to, pack.finish());
  }

 private:
  struct Entry {
    StreamId id;
    bool same_fields = false;
    std::vector<std::string> texts;
  };
  [[nodiscard]] bool shares_names(store::Stream::Fields fields) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (fields[2 * i] != names_[i]) return false;
    }
    return true;
  }

  StreamId master_;
  std::uint64_t count_ = 0;
  std::vector<std::string> names_;
  std::vector<Entry> entries_;
};

void save_nodes(const store::Stream& stream, std::string& to, store::Steps& steps) {
  std::vector<StreamId> masters;
  stream.for_each_node([&](StreamId first) { masters.push_back(first); });
  std::string nodes;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < masters.size(); ++i) {
    StreamId last = store::kStreamIdMax;
    if (i + 1 < masters.size()) {
      last = masters[i + 1];
      std::ignore = last.decrement();
    }
    NodeWriter node(masters[i]);
    store::Stream::Cursor cursor(stream, masters[i], last);
    while (cursor.next()) {
      node.add(cursor.id(), cursor.fields());
      steps.step();
    }
    if (node.count() == 0) continue;
    node.write(nodes);
    ++count;
  }
  put_length(to, count);
  to += nodes;
}

bool keeps_activity(const store::Stream& stream) {
  return std::ranges::any_of(stream.groups(), [](const auto& group) {
    return std::ranges::any_of(group.second->consumers(), [](const auto& consumer) {
      return consumer.second->active_ms != static_cast<std::int64_t>(consumer.second->seen_ms);
    });
  });
}

void save_group(const store::ConsumerGroup& group, bool with_activity, std::string& to, store::Steps& steps) {
  put_string(to, group.name());
  put_length_id(to, group.last_id());
  put_length(to, static_cast<std::uint64_t>(group.entries_read()));
  put_length(to, group.pending().size());
  group.pending().for_each({}, [&](const store::Delivery& delivery) {
    put_raw_id(to, delivery.id);
    put_milliseconds(to, delivery.delivered_ms);
    put_length(to, delivery.count);
    steps.step();
    return true;
  });
  put_length(to, group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) {
    put_string(to, name);
    put_milliseconds(to, consumer->seen_ms);
    if (with_activity) put_milliseconds(to, static_cast<std::uint64_t>(consumer->active_ms));
    put_length(to, consumer->owned.size());
    consumer->owned.for_each({}, [&](const store::Consumer::Owned& owned) {
      put_raw_id(to, owned.id);
      steps.step();
      return true;
    });
  }
}

}  // namespace

// The third form keeps when consumers last got something; 7.0 cannot read it, so it is taken only where that differs
// from when they last asked.
std::uint16_t save_stream(const store::Stream& stream, std::string& to, store::Steps& steps) {
  const bool with_activity = keeps_activity(stream);
  to.push_back(static_cast<char>(with_activity ? ValueType::kStreamListpacks3 : ValueType::kStreamListpacks2));
  save_nodes(stream, to, steps);
  put_length(to, stream.size());
  put_length_id(to, stream.last_id());
  put_length_id(to, stream.first_entry());
  put_length_id(to, stream.max_deleted_id());
  put_length(to, stream.entries_added());
  put_length(to, stream.groups().size());
  for (const auto& [name, group] : stream.groups()) save_group(*group, with_activity, to, steps);
  return with_activity ? kVersionMax : kVersionWritten;
}

}  // namespace redraft::rdb
