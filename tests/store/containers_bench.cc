// store_containers_bench hashes|sorted-sets|hash|sorted-set [items]: resident memory and time for each of a million
// small hashes or sorted sets of five, or for each field or member of one with a million; on jemalloc as the server is.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "server/store/store.h"
#include "tests/store/draw.h"

namespace redraft::store {
namespace {

double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  long total = 0;
  long resident = 0;
  const int read = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return read == 2 ? static_cast<double>(resident) * 4096 : 0;
}

std::string numbered(std::string_view prefix, std::uint64_t number) {
  return std::string(prefix) + std::to_string(number);
}

void small_hash(Store& store, std::uint64_t i, Draw& draw) {
  Hash& hash = store.create_hash(0, numbered("user:", i));
  hash.set("name", numbered("user", i));
  hash.set("email", numbered("u", i) + "@mail.org");
  hash.set("age", std::to_string(draw.below(100)));
  hash.set("visits", std::to_string(draw.below(100000)));
  hash.set("city", "Berlin");
}

void small_sorted_set(Store& store, std::uint64_t i, Draw& draw) {
  SortedSet& set = store.create_sorted_set(0, numbered("board:", i));
  for (int member = 0; member < 5; ++member) {
    set.set(numbered("player:", draw.below(100000)), static_cast<double>(draw.below(100000)));
  }
}

int run(std::string_view what, std::uint64_t items) {
  Store store({.databases = 16, .hash_seed = 1});
  Draw draw(1);
  Hash* hash = what == "hash" ? &store.create_hash(0, "big") : nullptr;
  SortedSet* set = what == "sorted-set" ? &store.create_sorted_set(0, "big") : nullptr;
  const double before = resident_bytes();
  const std::clock_t begin = std::clock();
  for (std::uint64_t i = 0; i < items; ++i) {
    if (what == "hashes") small_hash(store, i, draw);
    if (what == "sorted-sets") small_sorted_set(store, i, draw);
    if (hash != nullptr) hash->set(numbered("field:", i), numbered("value:", draw.below(1000000)));
    if (set != nullptr) set->set(numbered("player:", i), static_cast<double>(draw.below(1000000000)));
  }
  const double nanoseconds = static_cast<double>(std::clock() - begin) * (1e9 / CLOCKS_PER_SEC);
  const auto count = static_cast<double>(items);
  std::printf("%.*s: %.1f bytes resident each, %.1f by used_memory, %.0f ns each\n", static_cast<int>(what.size()),
              what.data(), (resident_bytes() - before) / count, static_cast<double>(store.used_memory()) / count,
              nanoseconds / count);
  if (set == nullptr) return 0;
  std::uint64_t sum = 0;
  const std::clock_t asked = std::clock();
  for (std::uint64_t i = 0; i < items; ++i) sum += set->rank(numbered("player:", draw.below(items))).value_or(0);
  std::printf("rank: %.0f ns each (mean %.0f)\n",
              static_cast<double>(std::clock() - asked) * (1e9 / CLOCKS_PER_SEC) / count,
              static_cast<double>(sum) / count);
  return 0;
}

}  // namespace
}  // namespace redraft::store

int main(int count, char** arguments) {
  const std::uint64_t items = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1000000;
  return redraft::store::run(count > 1 ? arguments[1] : "hashes", items);
}
