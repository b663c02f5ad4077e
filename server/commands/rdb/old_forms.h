#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace redraft::rdb {

// What Redis packed small values into before listpacks, and sets of integers still: read from dumps, never written but
// for the intset. All are cursors over bytes that may be anything; see ListpackReader.

class ZiplistReader {
 public:
  explicit ZiplistReader(std::string_view blob);
  [[nodiscard]] bool next(std::string_view& element, std::string& scratch);
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  [[nodiscard]] std::size_t read_element(std::string_view from, std::string_view& element, std::string& scratch) const;
  bool fail();

  std::string_view rest_;
  std::size_t previous_size_ = 0;
  bool ok_ = true;
};

class ZipmapReader {
 public:
  explicit ZipmapReader(std::string_view blob);
  // Field and value in turn.
  [[nodiscard]] bool next(std::string_view& element, std::string& scratch);
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  bool fail();

  std::string_view rest_;
  bool is_value_ = false;
  bool ok_ = true;
};

class IntsetReader {
 public:
  explicit IntsetReader(std::string_view blob);
  [[nodiscard]] bool next(std::string_view& element, std::string& scratch);
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  std::size_t width_ = 0;
  bool any_ = false;
  std::int64_t last_ = 0;
  bool ok_ = true;
};

}  // namespace redraft::rdb
