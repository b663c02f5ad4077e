#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace redraft {

// A queue in one circular buffer: no allocation per element once it has its size, where std::deque makes a block for
// every few. Elements that left are overwritten by a fresh `T`, so that what they held is let go. Growing moves
// elements.
template <class T>
class Ring {
 public:
  template <class Owner, class Element>
  class Cursor {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = Element&;
    using iterator_category = std::forward_iterator_tag;

    Cursor() = default;
    Cursor(Owner* ring, std::size_t position) : ring_(ring), position_(position) {}
    reference operator*() const { return (*ring_)[position_]; }
    Element* operator->() const { return &(*ring_)[position_]; }
    Cursor& operator++() {
      ++position_;
      return *this;
    }
    Cursor operator++(int) { return Cursor(ring_, position_++); }
    friend bool operator==(const Cursor&, const Cursor&) = default;

   private:
    Owner* ring_ = nullptr;
    std::size_t position_ = 0;
  };

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T& operator[](std::size_t position) { return slots_[(head_ + position) & (slots_.size() - 1)]; }
  [[nodiscard]] const T& operator[](std::size_t position) const {
    return slots_[(head_ + position) & (slots_.size() - 1)];
  }
  [[nodiscard]] T& front() { return slots_[head_]; }
  [[nodiscard]] const T& front() const { return slots_[head_]; }
  [[nodiscard]] T& back() { return (*this)[size_ - 1]; }
  [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }
  [[nodiscard]] auto begin() { return Cursor<Ring, T>(this, 0); }
  [[nodiscard]] auto end() { return Cursor<Ring, T>(this, size_); }
  [[nodiscard]] auto begin() const { return Cursor<const Ring, const T>(this, 0); }
  [[nodiscard]] auto end() const { return Cursor<const Ring, const T>(this, size_); }

  void push_back(T element) {
    if (size_ == slots_.size()) grow();
    (*this)[size_++] = std::move(element);
  }
  void pop_front() {
    slots_[head_] = T{};
    head_ = (head_ + 1) & (slots_.size() - 1);
    --size_;
  }
  void pop_back() {
    back() = T{};
    --size_;
  }
  void clear() {
    while (!empty()) pop_back();
  }
  // Gives the buffer of an empty queue back when it has more than `capacity` slots.
  void trim(std::size_t capacity) {
    if (empty() && slots_.size() > capacity) *this = Ring();
  }

 private:
  void grow() {
    std::vector<T> larger(std::max<std::size_t>(16, slots_.size() * 2));
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    slots_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> slots_;  // size 0 or a power of two
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace redraft
