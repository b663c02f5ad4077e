#include "server/store/stream_node.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/varint.h"
#include "server/store/listpack_size.h"
#include "server/store/object.h"

// An entry: its size, milliseconds behind the first id's, number (within the first id's millisecond behind that one's),
// 0 and the values, or the count of fields and names with values.

namespace redraft::store {
namespace {

// Longer nodes would be parts that are copied too long at once, whatever stream-node-max-bytes says.
constexpr std::uint64_t kBytesMax = std::uint64_t{64} << 10;

// An entry longer than this gets the room that it needs and no more.
constexpr std::size_t kLongEntry = 4096;

constexpr std::string_view kWhole = "a stream's node holds whole entries";

std::uint64_t next_number(std::string_view& from) {
  std::uint64_t value = 0;
  const bool whole = take_number(from, value);
  ensure(whole, kWhole);
  return value;
}

std::string_view next_bytes(std::string_view& from) {
  std::string_view value;
  const bool whole = take_bytes(from, value);
  ensure(whole, kWhole);
  return value;
}

}  // namespace

StreamNode::StreamNode(StreamId first, Fields fields, Epoch made_in) : epoch(made_in), first_(first), last_(first) {
  put_number(bytes_, fields.size() / 2);
  listpack_ = kListpackFrame + listpack_integer_size(static_cast<std::int64_t>(fields.size() / 2)) + 2;
  for (std::size_t i = 0; i < fields.size(); i += 2) {
    put_bytes(bytes_, fields[i]);
    listpack_ += listpack_size(fields[i]);
  }
  names_end_ = static_cast<std::uint32_t>(bytes_.size());
  append(first, fields);
}

bool StreamNode::full(std::size_t entry_bytes, std::uint64_t bytes_max, std::uint64_t entries_max) const {
  const std::uint64_t counters = listpack_integer_size(count_) + listpack_integer_size(deleted_);
  const std::uint64_t limit = bytes_max == 0 ? kBytesMax : std::min(bytes_max, kBytesMax);
  if (listpack_ + counters + entry_bytes >= limit) return true;
  return entries_max != 0 && std::uint64_t{count_} + deleted_ >= entries_max;
}

void StreamNode::append(StreamId id, Fields fields) {
  std::string_view shared = std::string_view(bytes_).substr(0, names_end_);
  bool same = next_number(shared) == fields.size() / 2;
  for (std::size_t i = 0; same && i < fields.size(); i += 2) same = next_bytes(shared) == fields[i];
  std::string entry;  // without its fields, which may be long
  put_number(entry, id.ms - first_.ms);
  put_number(entry, id.ms == first_.ms ? id.seq - first_.seq : id.seq);
  put_number(entry, same ? 0 : fields.size() / 2);
  const auto pairs = static_cast<std::int64_t>(fields.size() / 2);
  listpack_ += 2 + listpack_integer_size(static_cast<std::int64_t>(id.ms - first_.ms)) +
               listpack_integer_size(static_cast<std::int64_t>(id.seq - first_.seq)) +
               listpack_integer_size(same ? pairs + 3 : 2 * pairs + 4);
  if (!same) listpack_ += listpack_integer_size(pairs);
  const std::size_t first = same ? 1 : 0;
  const std::size_t step = same ? 2 : 1;
  std::size_t size = entry.size();
  for (std::size_t i = first; i < fields.size(); i += step) size += varint_size(fields[i].size()) + fields[i].size();
  if (size > kLongEntry) bytes_.reserve(bytes_.size() + varint_size(size) + size);
  put_number(bytes_, size);
  bytes_ += entry;
  for (std::size_t i = first; i < fields.size(); i += step) {
    put_bytes(bytes_, fields[i]);
    listpack_ += listpack_size(fields[i]);
  }
  last_ = id;
  ++count_;
}

void StreamNode::places(std::vector<Place>& places) const {
  places.clear();
  std::string_view rest = std::string_view(bytes_).substr(names_end_);
  while (!rest.empty()) {
    Place place;
    place.whole = static_cast<std::uint32_t>(bytes_.size() - rest.size());
    std::string_view entry = next_bytes(rest);
    place.end = static_cast<std::uint32_t>(bytes_.size() - rest.size());
    const std::uint64_t ms = next_number(entry);
    const std::uint64_t seq = next_number(entry);
    place.id = {first_.ms + ms, ms == 0 ? first_.seq + seq : seq};
    place.begin = static_cast<std::uint32_t>(place.end - entry.size());
    places.push_back(place);
  }
}

void StreamNode::shared_names(std::vector<std::string_view>& names) const {
  std::string_view rest = std::string_view(bytes_).substr(0, names_end_);
  for (std::uint64_t left = next_number(rest); left > 0; --left) names.push_back(next_bytes(rest));
}

void StreamNode::read(const Place& place, Fields names, std::vector<std::string_view>& fields) const {
  fields.clear();
  std::string_view rest = std::string_view(bytes_).substr(place.begin, place.end - place.begin);
  const std::uint64_t pairs = next_number(rest);
  if (pairs == 0) {
    for (const std::string_view name : names) {
      fields.push_back(name);
      fields.push_back(next_bytes(rest));
    }
    return;
  }
  for (std::uint64_t i = 0; i < 2 * pairs; ++i) fields.push_back(next_bytes(rest));
}

bool StreamNode::erase(StreamId id) {
  std::vector<Place> all;
  places(all);
  const auto found = std::ranges::lower_bound(all, id, {}, &Place::id);
  if (found == all.end() || found->id != id) return false;
  bytes_.erase(found->whole, found->end - found->whole);
  --count_;
  ++deleted_;
  return true;
}

void StreamNode::erase_front(std::size_t count) {
  if (count == 0) return;
  std::vector<Place> all;
  places(all);
  bytes_.erase(names_end_, all[count - 1].end - names_end_);
  count_ -= static_cast<std::uint32_t>(count);
  deleted_ += static_cast<std::uint32_t>(count);
}

void StreamNode::encode(std::string& to) const {
  put_number(to, last_.ms);
  put_number(to, last_.seq);
  put_number(to, count_);
  put_number(to, deleted_);
  put_number(to, names_end_);
  put_number(to, listpack_);
  put_bytes(to, bytes_);
}

Status StreamNode::decode(std::string_view from) {
  std::uint64_t count = 0;
  std::uint64_t deleted = 0;
  std::uint64_t names_end = 0;
  std::string_view packed;
  if (!take_number(from, last_.ms) || !take_number(from, last_.seq) || !take_number(from, count) ||
      !take_number(from, deleted) || !take_number(from, names_end) || !take_number(from, listpack_) ||
      !take_bytes(from, packed) || !from.empty() || names_end > packed.size() || count > packed.size() ||
      packed.size() > ~std::uint32_t{0}) {
    return malformed("stream node");
  }
  count_ = static_cast<std::uint32_t>(count);
  deleted_ = static_cast<std::uint32_t>(deleted);
  names_end_ = static_cast<std::uint32_t>(names_end);
  bytes_ = packed;
  return check();
}

// Every length inside fits, so that later reading meets no surprise.
Status StreamNode::check() const {
  const auto take_all = [](std::string_view& from, std::uint64_t count) {
    std::string_view one;
    for (; count > 0; --count) {
      if (!take_bytes(from, one)) return false;
    }
    return from.empty();
  };
  std::uint64_t names = 0;
  std::string_view shared = std::string_view(bytes_).substr(0, names_end_);
  if (!take_number(shared, names) || !take_all(shared, names)) return malformed("stream node: shared names");
  std::string_view rest = std::string_view(bytes_).substr(names_end_);
  std::uint64_t count = 0;
  StreamId previous = first_;
  for (; !rest.empty(); ++count) {
    std::string_view entry;
    std::uint64_t ms = 0;
    std::uint64_t seq = 0;
    std::uint64_t pairs = 0;
    if (!take_bytes(rest, entry) || !take_number(entry, ms) || !take_number(entry, seq) || !take_number(entry, pairs) ||
        !take_all(entry, pairs == 0 ? names : 2 * pairs)) {
      return malformed("stream entry");
    }
    const StreamId id{first_.ms + ms, ms == 0 ? first_.seq + seq : seq};
    if (id < previous || (count > 0 && id == previous) || id > last_) return malformed("stream entry: its id");
    previous = id;
  }
  return count == count_ ? Status(Done{}) : Status(malformed("stream node: count of entries"));
}

}  // namespace redraft::store
