#include "server/scripting/heap.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace redraft::scripting {

namespace {

constexpr std::size_t kAlignment = std::size_t{1} << 32;
constexpr std::size_t kReserved = kAlignment + Heap::kRegionSize;

}  // namespace

Heap::Heap() {
  void* const reserved = mmap(nullptr, kReserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ensure(reserved != MAP_FAILED, "there is address space for a Lua state");
  reserved_ = static_cast<char*>(reserved);
  const auto address = reinterpret_cast<std::uintptr_t>(reserved_);
  base_ = reserved_ + ((address + kAlignment - 1) / kAlignment * kAlignment - address);
  commit(kCommitStep);
  header().top = (sizeof(Header) + kSmallStep - 1) / kSmallStep * kSmallStep;
}

Heap::~Heap() {
  munmap(reserved_, kReserved);
}

// Fresh pages are zero, as the system gives them.
void Heap::commit(std::size_t end) {
  if (end <= committed_) return;
  const std::size_t to = std::min(kRegionSize, (end + kCommitStep - 1) / kCommitStep * kCommitStep);
  // A refusal here would be this node's alone, so it must not become a script's error.
  ensure(mprotect(base_ + committed_, to - committed_, PROT_READ | PROT_WRITE) == 0,
         "the system has memory for a script within its budget");
  committed_ = to;
}

// Steps of 16 bytes up to 1 KiB, then four steps to each doubling.
Heap::SizeClass Heap::class_of(std::size_t size) {
  if (size <= kSmallMax) {
    const std::size_t index = (size + kSmallStep - 1) / kSmallStep;
    return {index, index * kSmallStep};
  }
  const auto power = static_cast<std::size_t>(std::bit_width(size - 1)) - 1;
  const std::size_t step = std::size_t{1} << (power - 2);
  const std::size_t steps = (size + step - 1) / step;  // 5 to 8
  return {kSmallClasses + (power - 10) * 4 + steps - 5, steps * step};
}

void* Heap::allocate(std::size_t size) {
  const SizeClass fit = class_of(size);
  std::uint32_t& first = header().free[fit.index];
  if (first != 0) {
    char* const block = base_ + first;
    std::memcpy(&first, block, sizeof first);
    return block;
  }
  const std::size_t begin = header().top;
  if (fit.size > kRegionSize - begin) return nullptr;
  commit(begin + fit.size);
  header().top = begin + fit.size;
  return base_ + begin;
}

void Heap::release(void* block, std::size_t size) {
  std::uint32_t& first = header().free[class_of(size).index];
  std::memcpy(block, &first, sizeof first);
  first = static_cast<std::uint32_t>(static_cast<char*>(block) - base_);
}

void* Heap::resize(void* block, std::size_t old_size, std::size_t size) {
  if (block == nullptr) old_size = 0;
  if (size == 0) {
    if (old_size != 0) release(block, old_size);
    header().used -= old_size;
    return nullptr;
  }
  if (size > old_size && (size >= kRegionSize || header().used - old_size + size > limit_)) return nullptr;
  void* to = block;
  if (old_size == 0 || class_of(old_size).index != class_of(size).index) {
    to = allocate(size);
    // Lua takes for granted that making a block smaller succeeds.
    if (to == nullptr && size < old_size) to = block;
    if (to == nullptr) return nullptr;
    if (old_size != 0 && to != block) {
      std::memcpy(to, block, std::min(old_size, size));
      release(block, old_size);
    }
  }
  header().used += size - old_size;
  return to;
}

std::string Heap::save() const {
  return {base_, header().top};
}

void Heap::restore(std::string_view image) {
  std::memcpy(base_, image.data(), image.size());
}

void Heap::trim() {
  if (committed_ == kCommitStep) return;
  // Dropped pages are zero when they are touched again, like those that were never used.
  madvise(base_ + kCommitStep, committed_ - kCommitStep, MADV_DONTNEED);
  ensure(mprotect(base_ + kCommitStep, committed_ - kCommitStep, PROT_NONE) == 0, "memory can be given back");
  committed_ = kCommitStep;
}

}  // namespace redraft::scripting
