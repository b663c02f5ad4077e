#include "server/store/stream.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace redraft::store {

Stream::~Stream() {
  groups_.clear();
  walk_.reset();
  restoring_.reset();
  shared_.memory -= static_cast<std::int64_t>(memory());
}

void Stream::add_bytes(std::int64_t bytes) {
  bytes_ += bytes;
  shared_.memory += bytes;
}

// ---- Nodes

void Stream::before_change(StreamNode& node) {
  if (must_copy(node.epoch)) put_part(shared_.walked, id(), node_part(node));
  node.epoch = shared_.epoch;
}

// The node leaves the stream. What the walk still needs becomes the walk's own, without a copy.
void Stream::take_node(Nodes::iterator node) {
  length_ -= node->second.count();
  add_bytes(-static_cast<std::int64_t>(node->second.memory()));
  if (must_copy(node->second.epoch)) {
    walk_->trimmed.push_back(nodes_.extract(node));
  } else {
    nodes_.erase(node);
  }
}

// Where an entry with this id would lie; end() when it is before all.
Stream::Nodes::iterator Stream::node_of(StreamId id) {
  auto node = nodes_.upper_bound(id);
  return node == nodes_.begin() ? nodes_.end() : std::prev(node);
}

void Stream::find_first() {
  Cursor cursor(*this, {}, kStreamIdMax);
  first_ = cursor.next() ? cursor.id() : StreamId{};
}

// ---- Entries

void Stream::append(StreamId id, Fields fields) {
  ensure(id > last_id_, "ids of a stream's entries only grow");
  std::size_t entry_bytes = 0;
  for (const std::string_view field : fields) entry_bytes += field.size();
  StreamNode* tail = nodes_.empty() ? nullptr : &nodes_.rbegin()->second;
  if (tail != nullptr && tail->full(entry_bytes, shared_.stream_node_max_bytes, shared_.stream_node_max_entries)) {
    tail->finish();
    tail = nullptr;
  }
  if (tail == nullptr) {
    StreamNode& made = nodes_.try_emplace(nodes_.end(), id, id, fields, shared_.epoch)->second;
    add_bytes(static_cast<std::int64_t>(made.memory()));
  } else {
    before_change(*tail);
    const std::size_t before = tail->bytes();
    tail->append(id, fields);
    add_bytes(static_cast<std::int64_t>(tail->bytes() - before));
  }
  last_id_ = id;
  ++entries_added_;
  if (++length_ == 1) first_ = id;
}

bool Stream::erase(StreamId id) {
  const auto node = node_of(id);
  if (node == nodes_.end() || !contains(id)) return false;
  if (node->second.count() == 1) {
    take_node(node);
  } else {
    before_change(node->second);
    const std::size_t before = node->second.bytes();
    node->second.erase(id);
    add_bytes(static_cast<std::int64_t>(node->second.bytes()) - static_cast<std::int64_t>(before));
    --length_;
  }
  max_deleted_id_ = std::max(max_deleted_id_, id);
  if (id == first_) find_first();
  return true;
}

bool Stream::contains(StreamId id) const {
  return Cursor(*this, id, id).next();
}

StreamId Stream::last_entry() const {
  Cursor cursor(*this, {}, kStreamIdMax, Cursor::Direction::kBackward);
  return cursor.next() ? cursor.id() : StreamId{};
}

void Stream::set_ids(StreamId last_id, std::uint64_t entries_added, StreamId max_deleted_id) {
  last_id_ = last_id;
  entries_added_ = entries_added;
  max_deleted_id_ = max_deleted_id;
}

// Whole nodes as long as they may go, then, unless only whole ones may, entries from the front of the next
// (redis/redis:src/t_stream.c, streamTrim).
std::uint64_t Stream::trim(const StreamTrim& trim, Breather& breather) {
  const bool by_length = trim.by == StreamTrim::By::kLength;
  std::uint64_t removed = 0;
  Steps steps(breather);
  while (!nodes_.empty()) {
    if (by_length && length_ <= trim.length) break;
    const auto front = nodes_.begin();
    StreamNode& node = front->second;
    const std::uint64_t entries = node.count();
    if (trim.limit != 0 && removed + entries > trim.limit) break;
    if (by_length ? length_ - entries >= trim.length : node.last() < trim.id) {
      take_node(front);
      removed += entries;
      steps.step();
      continue;
    }
    if (trim.whole_nodes) break;
    std::vector<StreamNode::Place> places;
    node.places(places);
    const auto kept = std::ranges::lower_bound(places, trim.id, {}, &StreamNode::Place::id);
    const std::uint64_t count = by_length ? length_ - trim.length : static_cast<std::uint64_t>(kept - places.begin());
    if (count == 0) break;
    before_change(node);
    const std::size_t before = node.bytes();
    node.erase_front(count);
    add_bytes(static_cast<std::int64_t>(node.bytes()) - static_cast<std::int64_t>(before));
    length_ -= count;
    removed += count;
    break;
  }
  if (removed > 0) find_first();
  return removed;
}

Stream::Cursor::Cursor(const Stream& stream, StreamId first, StreamId last, Direction direction)
    : stream_(&stream), first_(first), last_(last), direction_(direction) {
  node_ = stream.nodes_.upper_bound(direction == Direction::kForward ? first : last);
  if (node_ != stream.nodes_.begin()) {
    --node_;
  } else if (direction == Direction::kBackward) {
    node_ = stream.nodes_.end();
  }
}

void Stream::Cursor::enter() {
  entered_ = true;
  node_->second.places(places_);
  names_.clear();
  node_->second.shared_names(names_);
  const auto at = direction_ == Direction::kForward
                      ? std::ranges::lower_bound(places_, first_, {}, &StreamNode::Place::id)
                      : std::ranges::upper_bound(places_, last_, {}, &StreamNode::Place::id);
  at_ = static_cast<std::size_t>(at - places_.begin());
}

bool Stream::Cursor::next() {
  while (node_ != stream_->nodes_.end()) {
    if (!entered_) enter();
    if (direction_ == Direction::kForward) {
      if (at_ < places_.size()) {
        place_ = places_[at_++];
        return place_.id <= last_;
      }
      ++node_;
    } else {
      if (at_ > 0) {
        place_ = places_[--at_];
        return place_.id >= first_;
      }
      node_ = node_ == stream_->nodes_.begin() ? stream_->nodes_.end() : std::prev(node_);
    }
    entered_ = false;
  }
  return false;
}

Stream::Fields Stream::Cursor::fields() {
  node_->second.read(place_, names_, fields_);
  return fields_;
}

// ---- Groups

ConsumerGroup* Stream::find_group(std::string_view name) const {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

ConsumerGroup& Stream::create_group(std::string_view name, StreamId last_id, std::int64_t entries_read) {
  auto group = std::make_unique<ConsumerGroup>(*this, next_group_++, name, last_id, entries_read);
  ConsumerGroup& made = *group;
  groups_.emplace(name, std::move(group));
  return made;
}

void Stream::destroy_group(ConsumerGroup& group, Breather& breather) {
  auto owned = std::move(groups_.extract(group.name()).mapped());
  if (shared_.walking && in_parts && walk_ != nullptr) {
    walk_->destroyed.push_back(std::move(owned));
    return;
  }
  constexpr std::size_t kSlice = 64;
  for (std::size_t slice = kSlice; !owned->free_some(slice); slice = kSlice) breather.breathe();
}

}  // namespace redraft::store
