#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "server/store/part.h"
#include "server/store/stream_id.h"

namespace redraft::store {

// Items in the order of their ids, in sorted chunks of at most 64 so that each is a part of the walk and an item costs
// little more than its own bytes. O(log n) to find, to put in and to take out. Item has a StreamId `id`. The first
// chunk covers everything before the second one, each other what lies from its first id on.
//
// Who changes something passes `before(chunk)`, which is called before each change of a chunk.
template <class Item>
class IdList {
 public:
  static constexpr std::size_t kChunkMax = 64;
  static constexpr std::size_t kChunkBytes = 80;  // of a chunk beside its items
  struct Chunk {
    Epoch epoch = 0;
    std::vector<Item> items;
  };
  using Chunks = std::map<StreamId, Chunk>;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t memory() const { return chunks_.size() * kChunkBytes + size_ * sizeof(Item); }
  [[nodiscard]] const Chunks& chunks() const { return chunks_; }
  [[nodiscard]] Chunks& chunks() { return chunks_; }

  [[nodiscard]] const Item* find(StreamId id) const {
    const Item* found = at_or_after(id);
    return found != nullptr && found->id == id ? found : nullptr;
  }
  // The first item whose id is not below; nullptr at the end.
  [[nodiscard]] const Item* at_or_after(StreamId id) const {
    auto chunk = chunk_of(chunks_, id);
    if (chunk == chunks_.end()) return nullptr;
    auto item = std::ranges::lower_bound(chunk->second.items, id, {}, &Item::id);
    if (item == chunk->second.items.end()) {
      if (++chunk == chunks_.end()) return nullptr;
      item = chunk->second.items.begin();
    }
    return &*item;
  }
  [[nodiscard]] const Item* last() const { return chunks_.empty() ? nullptr : &chunks_.rbegin()->second.items.back(); }
  // Calls visit(item) from the first id that is not below `from` until it answers false.
  template <class Visit>
  void for_each(StreamId from, Visit visit) const {
    auto chunk = chunk_of(chunks_, from);
    if (chunk == chunks_.end()) return;
    auto item = std::ranges::lower_bound(chunk->second.items, from, {}, &Item::id);
    for (;;) {
      for (; item != chunk->second.items.end(); ++item) {
        if (!visit(*item)) return;
      }
      if (++chunk == chunks_.end()) return;
      item = chunk->second.items.begin();
    }
  }

  // To be changed, but for its id; nullptr when it is not there.
  template <class Before>
  [[nodiscard]] Item* find_for_change(StreamId id, Before before) {
    const auto chunk = chunk_of(chunks_, id);
    if (chunk == chunks_.end()) return nullptr;
    const auto item = std::ranges::lower_bound(chunk->second.items, id, {}, &Item::id);
    if (item == chunk->second.items.end() || item->id != id) return nullptr;
    before(chunk->second);
    return &*item;
  }

  // Needs that its id is not there.
  template <class Before>
  Item& insert(Item item, Epoch epoch, Before before) {
    const StreamId id = item.id;
    auto chunk = chunk_of(chunks_, id);
    ++size_;
    const bool behind_all = chunk != chunks_.end() && std::next(chunk) == chunks_.end() &&
                            chunk->second.items.back().id < id && chunk->second.items.size() >= kChunkMax;
    if (chunk == chunks_.end() || behind_all) {
      return chunks_.emplace(id, Chunk{epoch, {std::move(item)}}).first->second.items.front();
    }
    before(chunk->second);
    if (chunk->second.items.size() >= kChunkMax) chunk = split(chunk, id, epoch);
    std::vector<Item>& items = chunk->second.items;
    if (id < chunk->first) {
      // The first chunk's name goes down with its first id.
      auto renamed = chunks_.extract(chunk);
      renamed.key() = id;
      chunks_.insert(std::move(renamed));
    }
    return *items.insert(std::ranges::lower_bound(items, id, {}, &Item::id), std::move(item));
  }

  template <class Before>
  bool erase(StreamId id, Before before) {
    const auto chunk = chunk_of(chunks_, id);
    if (chunk == chunks_.end()) return false;
    std::vector<Item>& items = chunk->second.items;
    const auto item = std::ranges::lower_bound(items, id, {}, &Item::id);
    if (item == items.end() || item->id != id) return false;
    before(chunk->second);
    items.erase(item);
    --size_;
    if (items.empty()) {
      chunks_.erase(chunk);
    } else {
      join_next(chunk, before);
    }
    return true;
  }

  // Of a restored list: a chunk as it was.
  [[nodiscard]] bool restore(Chunk chunk) {
    if (chunk.items.empty()) return false;
    size_ += chunk.items.size();
    const StreamId first = chunk.items.front().id;
    return chunks_.emplace(first, std::move(chunk)).second;
  }

 private:
  template <class Map>
  [[nodiscard]] static auto chunk_of(Map& chunks, StreamId id) {
    auto chunk = chunks.upper_bound(id);
    if (chunk != chunks.begin()) --chunk;
    return chunk;
  }

  // The half in which `id` belongs.
  typename Chunks::iterator split(typename Chunks::iterator chunk, StreamId id, Epoch epoch) {
    std::vector<Item>& items = chunk->second.items;
    const auto middle = items.begin() + static_cast<std::ptrdiff_t>(items.size() / 2);
    const StreamId first = middle->id;
    Chunk upper{epoch, std::vector<Item>(std::make_move_iterator(middle), std::make_move_iterator(items.end()))};
    items.erase(middle, items.end());
    const auto made = chunks_.emplace_hint(std::next(chunk), first, std::move(upper));
    return id < first ? chunk : made;
  }

  // Chunks that lost most of their items become one with their neighbour.
  template <class Before>
  void join_next(typename Chunks::iterator chunk, Before before) {
    std::vector<Item>& items = chunk->second.items;
    if (items.size() * 4 < items.capacity()) items.shrink_to_fit();
    const auto next = std::next(chunk);
    if (next == chunks_.end() || items.size() + next->second.items.size() > kChunkMax / 2) return;
    before(next->second);
    std::vector<Item>& others = next->second.items;
    items.insert(items.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
    chunks_.erase(next);
  }

  Chunks chunks_;
  std::size_t size_ = 0;
};

}  // namespace redraft::store
