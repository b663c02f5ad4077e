// store_memory_bench [keys [value bytes]]: resident memory per key and time per operation, on jemalloc as the server
// is.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "server/store/store.h"

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

std::string name_of(std::uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "key:%012llu", static_cast<unsigned long long>(number));
  return name;
}

template <class Work>
double nanoseconds_each(std::uint64_t times, Work work) {
  // Of this process's CPU, not of the wall: a busy machine distorts it less.
  const std::clock_t begin = std::clock();
  for (std::uint64_t i = 0; i < times; ++i) work(i);
  return static_cast<double>(std::clock() - begin) * (1e9 / CLOCKS_PER_SEC) / static_cast<double>(times);
}

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t keys = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1000000;
  const std::string value(count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 100, 'v');
  redraft::store::Store store({.databases = 16, .hash_seed = 1});
  const double before = resident_bytes();
  const double insert = nanoseconds_each(keys, [&](std::uint64_t i) { store.set_string(0, name_of(i), value, 0); });
  const double after = resident_bytes();
  const auto any = [&](std::uint64_t i) { return name_of(i * 0x9e3779b97f4a7c15u % keys); };
  const double overwrite = nanoseconds_each(keys, [&](std::uint64_t i) { store.set_string(0, any(i), value, 0); });
  std::uint64_t hits = 0;
  const double get = nanoseconds_each(keys, [&](std::uint64_t i) { hits += store.find(0, any(i)) != nullptr ? 1 : 0; });
  const double naming = nanoseconds_each(keys, [&](std::uint64_t i) { hits += any(i).size() == 0 ? 1 : 0; });
  std::printf("%llu keys of 16 bytes, values of %zu: %.1f bytes resident each, %.1f by used_memory\n",
              static_cast<unsigned long long>(keys), value.size(), (after - before) / static_cast<double>(keys),
              static_cast<double>(store.used_memory()) / static_cast<double>(keys));
  std::printf("insert %.0f ns, overwrite %.0f ns, get %.0f ns (%llu hits), of which naming the key %.0f ns\n", insert,
              overwrite, get, static_cast<unsigned long long>(hits), naming);
  store.begin_walk();
  std::string piece;
  double longest = 0;
  double total = 0;
  std::uint64_t slices = 0;
  for (bool more = true; more; ++slices) {
    piece.clear();
    const double took = nanoseconds_each(1, [&](std::uint64_t) { more = store.walk(piece); });
    longest = took > longest ? took : longest;
    total += took;
  }
  std::printf("walk: %llu slices, %.2f ms in all, longest %.2f ms\n", static_cast<unsigned long long>(slices),
              total / 1e6, longest / 1e6);
}
