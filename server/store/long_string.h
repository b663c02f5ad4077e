#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/object.h"

namespace redraft::store {

// A string too long to lie in its key's block: pages of 4 KiB, each a part of the walk, so that a change of one byte in
// 512 MiB copies one page for a snapshot.
class LongString final : public Object {
 public:
  explicit LongString(Shared& shared) : Object(shared) { shared_.memory += kBaseBytes; }
  ~LongString() override;

  // Grows with zero bytes up to `offset` where the string is shorter.
  void write(std::size_t offset, std::string_view bytes);
  // Appends [offset, offset + count), as far as it is there.
  void read(std::size_t offset, std::size_t count, std::string& to) const;
  // The bytes from `offset`, which lies inside, to the end of its page: all of it without a copy. Valid until a change.
  [[nodiscard]] std::string_view piece(std::size_t offset) const {
    return std::string_view(pages_[offset / kPageSize].bytes).substr(offset % kPageSize);
  }

  [[nodiscard]] Type type() const override { return Type::kString; }
  [[nodiscard]] std::string_view encoding() const override { return "raw"; }
  [[nodiscard]] std::size_t size() const override { return size_; }
  [[nodiscard]] std::size_t memory() const override { return static_cast<std::size_t>(kBaseBytes + bytes_); }
  [[nodiscard]] bool small() const override { return false; }
  void encode(std::string& to) const override { read(0, size_, to); }
  [[nodiscard]] Status decode(std::string_view from) override;
  void begin_walk(std::string& to) override;
  [[nodiscard]] bool walk(std::string& to, std::size_t bytes_max) override;
  [[nodiscard]] Status restore_header(std::string_view from) override;
  [[nodiscard]] Status restore_part(std::string_view from) override;
  [[nodiscard]] Status restore_end() override;
  [[nodiscard]] std::uint64_t digest(Breather& breather) const override;
  [[nodiscard]] std::uint64_t units() const override { return pages_.size(); }
  [[nodiscard]] std::uint64_t digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const override;
  [[nodiscard]] std::unique_ptr<Object> copy(Breather& breather) const override;
  [[nodiscard]] bool free_some(std::size_t& elements) override;

 private:
  static constexpr std::size_t kPageSize = 4080;  // with what a std::string adds, one block of 4 KiB
  static constexpr std::int64_t kBaseBytes = 96;
  struct Page {
    Epoch epoch = 0;
    std::string bytes;  // kPageSize but for the last
  };

  Page& page(std::size_t number);
  void before_change(std::size_t number);
  void write_part(std::string& to, std::size_t number) const;
  void add_bytes(std::int64_t bytes) {
    bytes_ += bytes;
    shared_.memory += bytes;
  }

  std::vector<Page> pages_;
  std::size_t size_ = 0;
  std::int64_t bytes_ = 0;
  std::size_t walk_next_ = 0;
  std::size_t walk_size_ = 0;
};

}  // namespace redraft::store
