#include <map>
#include <vector>

#include "server/commands/rdb/listpack.h"
#include "server/commands/rdb/streams.h"

namespace redraft::rdb {
namespace {

using store::StreamId;

constexpr std::int64_t kDeleted = 1;
constexpr std::int64_t kSameFields = 2;

StreamId raw_id(Reader& from) {
  StreamId id;
  for (std::uint64_t* part : {&id.ms, &id.seq}) {
    for (const char c : from.bytes(8)) *part = *part << 8 | static_cast<unsigned char>(c);
  }
  return id;
}

StreamId length_id(Reader& from) {
  const std::uint64_t ms = from.length();
  return {ms, from.length()};
}

// One listpack: the master entry with the fields that most entries share, then the entries, each with the difference of
// its id from the listpack's.
class NodeLoader {
 public:
  NodeLoader(store::Stream& stream, StreamId master, std::string_view blob, store::Steps& steps)
      : stream_(stream), master_(master), pack_(blob), steps_(steps) {}

  [[nodiscard]] bool load() {
    std::int64_t count = 0;
    std::int64_t deleted = 0;
    std::int64_t fields = 0;
    std::int64_t end = 0;
    if (!pack_.next_integer(count) || !pack_.next_integer(deleted) || !take_count(fields)) return false;
    if (!take_texts(static_cast<std::size_t>(fields), names_) || !pack_.next_integer(end) || end != 0) return false;
    std::int64_t live = 0;
    std::int64_t gone = 0;
    while (pack_.ok() && !pack_.at_end()) {
      if (!take_entry(live, gone)) return false;
      steps_.step();
    }
    return pack_.ok() && live == count && gone == deleted;
  }

 private:
  // A count of elements that follow: never more than could be there, since each takes two bytes and is taken one by
  // one.
  bool take_count(std::int64_t& count) { return pack_.next_integer(count) && count >= 0; }

  bool take_texts(std::size_t count, std::vector<std::string>& texts) {
    texts.clear();
    std::string_view element;
    for (; count > 0; --count) {
      if (!pack_.next(element, scratch_)) return false;
      texts.emplace_back(element);
    }
    return true;
  }

  bool take_entry(std::int64_t& live, std::int64_t& gone) {
    std::int64_t flags = 0;
    std::int64_t ms = 0;
    std::int64_t seq = 0;
    if (!pack_.next_integer(flags) || !pack_.next_integer(ms) || !pack_.next_integer(seq)) return false;
    const bool same_fields = (flags & kSameFields) != 0;
    std::int64_t fields = static_cast<std::int64_t>(names_.size());
    if (!same_fields && !take_count(fields)) return false;
    if (!take_texts(static_cast<std::size_t>(fields) * (same_fields ? 1 : 2), texts_)) return false;
    std::int64_t elements = 0;
    const std::int64_t expected = 3 + (same_fields ? fields : 2 * fields + 1);
    if (!pack_.next_integer(elements) || elements != expected) return false;
    if ((flags & kDeleted) != 0) {
      ++gone;
      return true;
    }
    ++live;
    const StreamId id{master_.ms + static_cast<std::uint64_t>(ms), master_.seq + static_cast<std::uint64_t>(seq)};
    return append(id, same_fields);
  }

  bool append(StreamId id, bool same_fields) {
    if (id <= stream_.last_id() || texts_.empty()) return false;
    views_.clear();
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (same_fields) views_.push_back(names_[i]);
      views_.push_back(texts_[i]);
    }
    stream_.append(id, views_);
    return true;
  }

  store::Stream& stream_;
  StreamId master_;
  ListpackReader pack_;
  store::Steps& steps_;
  std::vector<std::string> names_;
  std::vector<std::string> texts_;
  std::vector<std::string_view> views_;
  std::string scratch_;
};

struct Pending {
  std::uint64_t delivered_ms = 0;
  std::uint64_t count = 0;
};

class GroupLoader {
 public:
  GroupLoader(store::Stream& stream, ValueType type, Reader& from, store::Steps& steps)
      : stream_(stream), type_(type), from_(from), steps_(steps) {}

  [[nodiscard]] bool load() {
    std::string scratch;
    const std::string_view name = from_.string(scratch);
    const StreamId last_id = length_id(from_);
    std::int64_t read = store::ConsumerGroup::kUnknown;
    if (type_ != ValueType::kStreamListpacks) read = static_cast<std::int64_t>(from_.length());
    if (!from_.ok() || stream_.find_group(name) != nullptr) return false;
    store::ConsumerGroup& group = stream_.create_group(name, last_id, read);
    if (!load_pending()) return false;
    for (std::uint64_t left = from_.count(); left > 0; --left) {
      if (!load_consumer(group)) return false;
    }
    // Whatever is pending is some consumer's.
    return from_.ok() && pending_.empty();
  }

 private:
  bool load_pending() {
    for (std::uint64_t left = from_.count(16); left > 0; --left) {
      const StreamId id = raw_id(from_);
      const auto delivered_ms = from_.little<std::uint64_t>();
      const std::uint64_t count = from_.length();
      if (!from_.ok() || !pending_.emplace(id, Pending{delivered_ms, count}).second) return false;
      steps_.step();
    }
    return from_.ok();
  }

  bool load_consumer(store::ConsumerGroup& group) {
    std::string scratch;
    const std::string_view name = from_.string(scratch);
    const auto seen_ms = from_.little<std::uint64_t>();
    auto active_ms = static_cast<std::int64_t>(seen_ms);
    if (type_ == ValueType::kStreamListpacks3) active_ms = from_.little<std::int64_t>();
    if (!from_.ok() || group.find_consumer(name) != nullptr) return false;
    store::Consumer& consumer = group.create_consumer(name, seen_ms);
    consumer.active_ms = active_ms;
    for (std::uint64_t left = from_.count(16); left > 0; --left) {
      const auto found = pending_.find(raw_id(from_));
      if (!from_.ok() || found == pending_.end()) return false;
      group.deliver(found->first, consumer, found->second.delivered_ms, found->second.count);
      pending_.erase(found);
      steps_.step();
    }
    return from_.ok();
  }

  store::Stream& stream_;
  ValueType type_;
  Reader& from_;
  store::Steps& steps_;
  std::map<StreamId, Pending> pending_;
};

// Where the stream stands, behind its nodes.
bool load_position(store::Stream& stream, ValueType type, Reader& from) {
  const std::uint64_t length = from.length();
  const StreamId last_id = length_id(from);
  StreamId max_deleted_id;
  std::uint64_t added = length;
  if (type != ValueType::kStreamListpacks) {
    std::ignore = length_id(from);  // the first entry: it is found by itself
    max_deleted_id = length_id(from);
    added = from.length();
  }
  if (!from.ok() || length != stream.size() || last_id < stream.last_id()) return false;
  stream.set_ids(last_id, added, max_deleted_id);
  return true;
}

}  // namespace

bool load_stream(store::Store& store, ValueType type, Reader& from, store::Steps& steps,
                 std::unique_ptr<store::Object>& into) {
  auto stream = store.make_object<store::Stream>();
  std::string scratch;
  for (std::uint64_t left = from.count(); left > 0; --left) {
    Reader key(from.string(scratch));
    const StreamId master = raw_id(key);
    if (!key.ok() || !key.at_end()) return false;
    std::string blob_scratch;
    const std::string_view blob = from.string(blob_scratch);
    if (!from.ok() || !NodeLoader(*stream, master, blob, steps).load()) return false;
  }
  if (!load_position(*stream, type, from)) return false;
  for (std::uint64_t left = from.count(); left > 0; --left) {
    if (!GroupLoader(*stream, type, from, steps).load()) return false;
  }
  if (!from.ok()) return false;
  into = std::move(stream);
  return true;
}

}  // namespace redraft::rdb
