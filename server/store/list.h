#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/list_chunk.h"
#include "server/store/object.h"

namespace redraft::store {

// A list of strings: a row of chunks of at most about 4 KiB, each with its elements packed back to back, so both ends
// are O(1) and the middle is found by chunk counts. A chunk is a part of the walk. Most lists are one chunk and have
// nothing else.
class List final : public Object {
 public:
  explicit List(Shared& shared) : Object(shared) { shared_.memory += kBaseBytes; }
  ~List() override;

  // Views are valid until the list changes. Indexes count from the front and must exist.
  void push_front(std::string_view element);
  void push_back(std::string_view element);
  [[nodiscard]] std::string_view front() const;
  [[nodiscard]] std::string_view back() const;
  void pop_front();
  void pop_back();
  [[nodiscard]] std::string_view at(std::size_t index) const;
  void set(std::size_t index, std::string_view element);
  void insert(std::size_t index, std::string_view element);  // before the element at `index`; size() appends
  void erase(std::size_t index, std::size_t count);

  // Walks elements in either direction. Any change of the list ends it.
  class Cursor {
   public:
    Cursor(const List& list, std::size_t index) : list_(&list), index_(index) { list.locate(index, chunk_, offset_); }
    [[nodiscard]] bool valid() const { return index_ < list_->size(); }
    [[nodiscard]] std::string_view value() const;
    void next();
    void previous();

   private:
    const List* list_ = nullptr;
    std::size_t index_ = 0;
    std::size_t chunk_ = 0;
    std::size_t offset_ = 0;
  };
  [[nodiscard]] Cursor cursor(std::size_t index) const { return Cursor(*this, index); }
  // Calls visit(std::string_view) for `count` elements from `index` on, which exist; it must not change the list.
  template <class Visit>
  void for_each(std::size_t index, std::size_t count, Visit visit) const {
    std::size_t place = 0;
    std::size_t offset = 0;
    locate(index, place, offset);
    for (; count > 0; ++place, offset = 0) {
      const ListChunk& chunk = chunks()[place];
      for (; count > 0 && offset < chunk.bytes(); --count) {
        const ListChunk::Element element = chunk.at(offset);
        visit(element.bytes);
        offset += element.size;
      }
    }
  }

  [[nodiscard]] Type type() const override { return Type::kList; }
  [[nodiscard]] std::string_view encoding() const override { return quicklist_ ? "quicklist" : "listpack"; }
  [[nodiscard]] std::size_t size() const override { return totals().count; }
  [[nodiscard]] std::size_t memory() const override;
  [[nodiscard]] bool small() const override { return chunks().size() <= 1 && totals().bytes <= ListChunk::kBytesMax; }
  void encode(std::string& to) const override;
  [[nodiscard]] Status decode(std::string_view from) override;
  void begin_walk(std::string& to) override;
  [[nodiscard]] bool walk(std::string& to, std::size_t bytes_max) override;
  [[nodiscard]] Status restore_header(std::string_view from) override;
  [[nodiscard]] Status restore_part(std::string_view from) override;
  [[nodiscard]] Status restore_end() override;
  [[nodiscard]] std::uint64_t digest(Breather& breather) const override;
  [[nodiscard]] std::uint64_t digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const override;
  [[nodiscard]] std::unique_ptr<Object> copy(Breather& breather) const override;
  [[nodiscard]] bool free_some(std::size_t& elements) override;

 private:
  static constexpr std::int64_t kBaseBytes = 32;
  static constexpr std::int64_t kChunkBytes = 48;  // of a chunk beside its elements, and what the allocator rounds up
  static constexpr std::int64_t kRowBytes = 80;

  // Of some chunks.
  struct Totals {
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::size_t listpack = 0;
  };
  [[nodiscard]] static Totals totals_of(const ListChunk& chunk) {
    return {chunk.count(), chunk.bytes(), chunk.listpack()};
  }

  // More than one chunk, in the order of the list. Removed ones leave a gap in front, so that both ends cost little.
  struct Row {
    std::vector<ListChunk> chunks;
    std::size_t first = 0;  // the gap's end
    Totals totals;
    std::size_t walk_next = 0;

    void insert(std::size_t place, ListChunk chunk);
    void erase(std::size_t place);
  };

  [[nodiscard]] std::span<ListChunk> chunks() {
    if (is_row_) return std::span(row_->chunks).subspan(row_->first);
    return {&only_, only_ ? std::size_t{1} : 0};
  }
  [[nodiscard]] std::span<const ListChunk> chunks() const {
    if (is_row_) return std::span(row_->chunks).subspan(row_->first);
    return {&only_, only_ ? std::size_t{1} : 0};
  }
  [[nodiscard]] Totals totals() const {
    if (is_row_) return row_->totals;
    return only_ ? totals_of(only_) : Totals();
  }
  void become_row();
  // Adds and takes away, modulo the types.
  void count(const Totals& added, const Totals& removed);
  void locate(std::size_t index, std::size_t& chunk, std::size_t& offset) const;
  // Changes the chunk at a place after the walk has it; `change(chunk)` may leave it empty, which ends it.
  template <class Change>
  void change(std::size_t place, Change change);
  void before_change(ListChunk& chunk);
  // OBJECT ENCODING changes where Redis's does (redis/redis:src/t_list.c, listTypeTryConversion).
  void before_growth(std::string_view element);
  enum class Shrunk : std::uint8_t { kTo, kToHalf };
  void after_shrinking(Shrunk shrunk);
  // Fills a place in front of what is there.
  void add_chunk(std::size_t place, ListChunk chunk);
  void remove_chunk(std::size_t place);
  void insert_at(std::size_t place, std::size_t offset, std::string_view element);
  void write_part(std::string& to, const ListChunk& chunk) const;

  bool quicklist_ = false;
  bool is_row_ = false;
  union {
    ListChunk only_ = {};  // nothing in an empty list
    Row* row_;
  };
};

}  // namespace redraft::store
