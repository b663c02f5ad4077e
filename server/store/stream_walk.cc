#include <xxhash.h>

#include <utility>

#include "server/store/stream.h"

// Streams in snapshots, as digests and copies, and how their memory goes.

namespace redraft::store {

std::string Stream::node_part(const StreamNode& node) {
  std::string body(1, kNode);
  put_number(body, node.first().ms);
  put_number(body, node.first().seq);
  node.encode(body);
  return body;
}

std::string Stream::header() const {
  std::uint64_t consumers = 0;
  std::uint64_t pending = 0;
  for (const auto& [name, group] : groups_) {
    consumers += group->consumers().size();
    pending += group->pending().size();
  }
  std::string body;
  for (const std::uint64_t number :
       {last_id_.ms, last_id_.seq, max_deleted_id_.ms, max_deleted_id_.seq, entries_added_, next_group_,
        std::uint64_t{nodes_.size()}, std::uint64_t{groups_.size()}, consumers, pending}) {
    put_number(body, number);
  }
  return body;
}

void Stream::encode(std::string& to) const {
  put_bytes(to, header());
  for (const auto& [first, node] : nodes_) put_bytes(to, node_part(node));
  for (const auto& [name, group] : groups_) group->encode(to);
}

Status Stream::decode(std::string_view from) {
  std::string_view part;
  if (!take_bytes(from, part)) return malformed("stream");
  if (Status header = restore_header(part); !header) return header;
  while (!from.empty()) {
    if (!take_bytes(from, part)) return malformed("stream");
    if (Status restored = restore_part(part); !restored) return restored;
  }
  return restore_end();
}

void Stream::begin_walk(std::string& to) {
  to += header();
  walk_ = std::make_unique<Walk>();
  for (const auto& [name, group] : groups_) group->begin_walk();
}

// Nodes are only added behind the place reached, and with the walk's own epoch.
bool Stream::walk(std::string& to, std::size_t bytes_max) {
  if (walk_ == nullptr) return true;
  const std::size_t begin = to.size();
  const auto room = [&] { return to.size() - begin < bytes_max ? bytes_max - (to.size() - begin) : 0; };
  for (; !walk_->trimmed.empty(); walk_->trimmed.pop_front()) {
    if (room() == 0) return false;
    put_part(to, id(), node_part(walk_->trimmed.front().mapped()));
  }
  for (auto at = nodes_.lower_bound(walk_->next_node); at != nodes_.end(); ++at) {
    if (at->second.epoch >= shared_.epoch) continue;
    walk_->next_node = at->first;
    if (room() == 0) return false;
    put_part(to, id(), node_part(at->second));
    at->second.epoch = shared_.epoch;
  }
  walk_->next_node = kStreamIdMax;
  for (auto at = groups_.lower_bound(walk_->next_group); at != groups_.end(); ++at) {
    walk_->next_group = at->first;
    if (room() == 0 || !at->second->walk(to, room())) return false;
  }
  for (; !walk_->destroyed.empty(); walk_->destroyed.pop_front()) {
    if (room() == 0 || !walk_->destroyed.front()->walk(to, room())) return false;
  }
  walk_.reset();
  return true;
}

Status Stream::restore_header(std::string_view from) {
  restoring_ = std::make_unique<Restoring>();
  for (std::uint64_t* number :
       {&last_id_.ms, &last_id_.seq, &max_deleted_id_.ms, &max_deleted_id_.seq, &entries_added_, &next_group_,
        &restoring_->nodes, &restoring_->groups, &restoring_->consumers, &restoring_->pending}) {
    if (!take_number(from, *number)) return malformed("stream header");
  }
  return from.empty() ? Status(Done{}) : Status(malformed("stream header"));
}

Status Stream::restore_part(std::string_view from) {
  if (from.empty()) return malformed("part of a stream");
  const char kind = from.front();
  from.remove_prefix(1);
  if (kind == kNode) {
    StreamId first;
    if (!take_number(from, first.ms) || !take_number(from, first.seq)) return malformed("stream node");
    const auto [node, is_new] = nodes_.try_emplace(first, first);
    if (!is_new) return malformed("stream node: it is there twice");
    node->second.epoch = shared_.epoch;
    if (Status decoded = node->second.decode(from); !decoded) return decoded;
    length_ += node->second.count();
    add_bytes(static_cast<std::int64_t>(node->second.memory()));
    return Done{};
  }
  std::uint64_t number = 0;
  if (!take_number(from, number)) return malformed("part of a consumer group");
  std::unique_ptr<ConsumerGroup>& group = restoring_->by_number[number];
  if (group == nullptr) group = std::make_unique<ConsumerGroup>(*this, number);
  return group->restore(kind, from);
}

Status Stream::restore_end() {
  if (restoring_ == nullptr || nodes_.size() != restoring_->nodes) return malformed("stream: nodes are missing");
  StreamId last;
  for (const auto& [first, node] : nodes_) {
    if (first < last || node.last() < first || node.last() > last_id_) return malformed("stream: order of its nodes");
    last = node.last();
  }
  std::uint64_t consumers = 0;
  std::uint64_t pending = 0;
  for (auto& [number, group] : restoring_->by_number) {
    if (!group->restore_end()) return malformed("consumer group");
    consumers += group->consumers().size();
    pending += group->pending().size();
    std::string name = group->name();
    if (!groups_.emplace(std::move(name), std::move(group)).second) return malformed("consumer group: its name");
  }
  if (groups_.size() != restoring_->groups || consumers != restoring_->consumers || pending != restoring_->pending) {
    return malformed("stream: parts of its groups are missing");
  }
  restoring_.reset();
  find_first();
  return Done{};
}

namespace {

std::uint64_t digest_of_entry(Stream::Cursor& at, std::uint64_t before, std::string& scratch) {
  scratch.clear();
  put_number(scratch, at.id().ms);
  put_number(scratch, at.id().seq);
  for (const std::string_view field : at.fields()) put_bytes(scratch, field);
  return XXH3_64bits_withSeed(scratch.data(), scratch.size(), before);
}

}  // namespace

std::uint64_t Stream::digest_of_header() const {
  std::string body;
  for (const std::uint64_t number :
       {last_id_.ms, last_id_.seq, max_deleted_id_.ms, max_deleted_id_.seq, entries_added_}) {
    put_number(body, number);
  }
  return XXH3_64bits(body.data(), body.size());
}

std::uint64_t Stream::digest(Breather& breather) const {
  Steps steps(breather);
  std::string scratch;
  std::uint64_t digest = digest_of_header();
  for (Cursor at(*this, {}, kStreamIdMax); at.next();) {
    steps.step();
    digest = digest_of_entry(at, digest, scratch);
  }
  for (const auto& [name, group] : groups_) digest = digest * 31 + group->digest(steps);
  return digest;
}

// The groups are with the last entries.
std::uint64_t Stream::digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const {
  Steps steps(breather);
  std::string scratch;
  std::uint64_t digest = digest_of_header();
  const bool last = first + count == length_;
  auto node = nodes_.begin();
  for (; node != nodes_.end() && node->second.count() <= first; ++node) {
    steps.step();
    first -= node->second.count();
  }
  Cursor at(*this, node == nodes_.end() ? kStreamIdMax : node->first, kStreamIdMax);
  for (; first > 0 && at.next(); --first) steps.step();
  for (; count > 0 && at.next(); --count) {
    steps.step();
    digest = digest_of_entry(at, digest, scratch);
  }
  if (!last) return digest;
  for (const auto& [name, group] : groups_) digest = digest * 31 + group->digest(steps);
  return digest;
}

std::unique_ptr<Object> Stream::copy(Breather& breather) const {
  auto made = std::make_unique<Stream>(shared_);
  Steps steps(breather);
  for (const auto& [first, node] : nodes_) {
    steps.step();
    StreamNode& other = made->nodes_.emplace_hint(made->nodes_.end(), first, node)->second;
    other.epoch = shared_.epoch;
    made->add_bytes(static_cast<std::int64_t>(other.memory()));
  }
  made->length_ = length_;
  made->last_id_ = last_id_;
  made->first_ = first_;
  made->max_deleted_id_ = max_deleted_id_;
  made->entries_added_ = entries_added_;
  made->next_group_ = next_group_;
  for (const auto& [name, group] : groups_) made->groups_.emplace(name, group->copy(*made, steps));
  return made;
}

bool Stream::free_some(std::size_t& elements) {
  for (; elements > 0 && !nodes_.empty(); --elements) take_node(nodes_.begin());
  while (elements > 0 && !groups_.empty()) {
    if (!groups_.begin()->second->free_some(elements)) return false;
    groups_.erase(groups_.begin());
    if (elements > 0) --elements;
  }
  return nodes_.empty() && groups_.empty();
}

}  // namespace redraft::store
