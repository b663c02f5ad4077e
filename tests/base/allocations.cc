#include "tests/base/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> count{0};

#ifndef REDRAFT_SANITIZED
void* counted(std::size_t size) noexcept {
  count.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size == 0 ? 1 : size);
}

void* counted_or_die(std::size_t size) noexcept {
  void* memory = counted(size);
  if (memory == nullptr) std::abort();
  return memory;
}
#endif

}  // namespace

std::uint64_t redraft::allocation_count() {
  return count.load(std::memory_order_relaxed);
}

#ifndef REDRAFT_SANITIZED
void* operator new(std::size_t size) {
  return counted_or_die(size);
}
void* operator new[](std::size_t size) {
  return counted_or_die(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif
