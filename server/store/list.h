#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/listpack_size.h"
#include "server/store/object.h"

namespace redraft::store {

// A list of strings: a row of chunks of at most about 4 KiB, each with its elements packed back to back, so both ends
// are O(1) and the middle is found by chunk counts. A chunk is a part of the walk.
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
    Cursor(const List& list, std::size_t index) { list.locate(index, chunk_, offset_), list_ = &list, index_ = index; }
    [[nodiscard]] bool valid() const { return index_ < list_->size_; }
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
    while (count > 0) {
      const Chunk& chunk = *chunks_[place++];
      for (; count > 0 && offset < chunk.bytes.size(); --count) {
        std::size_t size = 0;
        visit(element_at(chunk, offset, size));
        offset += size;
      }
      if (count > 0) offset = chunks_[place]->begin;
    }
  }

  [[nodiscard]] Type type() const override { return Type::kList; }
  [[nodiscard]] std::string_view encoding() const override { return quicklist_ ? "quicklist" : "listpack"; }
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] std::size_t memory() const override { return kBaseBytes + bytes_ + chunks_.size() * kChunkBytes; }
  [[nodiscard]] bool small() const override { return chunks_.size() <= 1 && bytes_ <= kChunkMax; }
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
  static constexpr std::size_t kChunkMax = 4096;
  static constexpr std::int64_t kBaseBytes = 96;
  static constexpr std::size_t kChunkBytes = 64;

  // Elements lie in bytes[begin, size): length, bytes, and the whole element's size again so that it can be walked
  // backwards.
  struct Chunk {
    Epoch epoch = 0;
    std::uint32_t count = 0;
    std::uint32_t begin = 0;
    std::uint32_t ordinal = 0;  // its place when the walk began
    std::size_t listpack = 0;   // what its elements would take in a listpack of Redis
    std::string bytes;
    [[nodiscard]] std::size_t used() const { return bytes.size() - begin; }
  };

  // In the order of the list. Removed ones leave a gap in front, so that both ends cost little; most lists have one.
  class Row {
   public:
    [[nodiscard]] std::size_t size() const { return chunks_.size() - first_; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] auto begin() { return chunks_.begin() + first_; }
    [[nodiscard]] auto end() { return chunks_.end(); }
    [[nodiscard]] auto begin() const { return chunks_.begin() + first_; }
    [[nodiscard]] auto end() const { return chunks_.end(); }
    [[nodiscard]] const std::unique_ptr<Chunk>& operator[](std::size_t place) const { return chunks_[first_ + place]; }
    [[nodiscard]] std::unique_ptr<Chunk>& operator[](std::size_t place) { return chunks_[first_ + place]; }
    [[nodiscard]] const std::unique_ptr<Chunk>& front() const { return chunks_[first_]; }
    [[nodiscard]] const std::unique_ptr<Chunk>& back() const { return chunks_.back(); }
    void insert(std::size_t place, std::unique_ptr<Chunk> chunk);
    void erase(std::size_t place);
    void resize(std::size_t size) { chunks_.resize(first_ + size); }

   private:
    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::uint32_t first_ = 0;
  };

  // For so many bytes more. A string doubles by itself, which would waste half of every small list.
  void make_room(Chunk& chunk, std::size_t bytes) const;
  void locate(std::size_t index, std::size_t& chunk, std::size_t& offset) const;
  void before_change(Chunk& chunk);
  // OBJECT ENCODING changes where Redis's does (redis/redis:src/t_list.c, listTypeTryConversion).
  void before_growth(std::string_view element);
  enum class Shrunk : std::uint8_t { kTo, kToHalf };
  void after_shrinking(Shrunk shrunk);
  void count(Chunk& chunk, std::string_view element);
  void discount(Chunk& chunk, std::string_view element);
  void count_again(Chunk& chunk);
  Chunk& new_chunk(std::size_t place);
  void remove_chunk(std::size_t place);
  void write_part(std::string& to, const Chunk& chunk) const;
  void add_bytes(std::int64_t bytes);
  [[nodiscard]] static std::size_t encoded_size(std::string_view element);
  static void encode_element(std::string& to, std::string_view element);
  // `size`: of all that the element takes.
  [[nodiscard]] static std::string_view element_at(const Chunk& chunk, std::size_t offset, std::size_t& size) {
    // Most have one byte of length in front and one behind.
    const std::string_view rest = std::string_view(chunk.bytes).substr(offset);
    if (!rest.empty()) {
      const auto length = static_cast<std::uint8_t>(rest.front());
      size = std::size_t{length} + 2;
      if (length < 0x7f && size <= rest.size()) return rest.substr(1, length);
    }
    return long_element_at(chunk, offset, size);
  }
  [[nodiscard]] static std::string_view long_element_at(const Chunk& chunk, std::size_t offset, std::size_t& size);
  [[nodiscard]] static std::size_t last_offset(const Chunk& chunk, std::size_t end);
  [[nodiscard]] static Status check_chunk(const Chunk& chunk);

  Row chunks_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::size_t listpack_ = kListpackFrame;
  bool quicklist_ = false;
  std::size_t walk_next_ = 0;
};

}  // namespace redraft::store
