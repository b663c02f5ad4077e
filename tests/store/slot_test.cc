// Where a key belongs: the slot of its name, and what the store counts and lists by it.

#include "server/store/slot.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "server/store/store.h"
#include "tests/store/draw.h"

namespace redraft::store {
namespace {

// Bit by bit, as the definition of CRC16/XMODEM goes, for every length about the stride of the tables.
TEST(Slot, IsTheChecksumOfItsDefinition) {
  std::string key;
  Draw draw(7);
  for (std::size_t size = 0; size < 70; ++size) {
    std::uint32_t crc = 0;
    for (const char byte : key) {
      crc ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(byte)) << 8;
      for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    EXPECT_EQ(slot_of(key), crc % kSlotCount) << size;
    const char next = static_cast<char>(draw.below(256));
    key.push_back(next == '{' ? 'x' : next);
  }
}

TEST(Store, KeysOfASlotAreCountedAndListed) {
  Store store({.databases = 1, .hash_seed = 2});
  store.begin_entry(1, 1);
  for (int i = 0; i < 500; ++i) store.set_string(0, "{user}" + std::to_string(i), "v", 0);
  for (int i = 0; i < 500; ++i) store.set_string(0, std::to_string(i), "v", 0);
  EXPECT_EQ(slot_of("{user}1"), slot_of("user"));
  EXPECT_EQ(slot_of("123456789"), 0x31c3u % 16384);  // the Redis Cluster specification's own check value
  EXPECT_EQ(slot_of("foo{}{bar}"), slot_of("foo{}{bar}"));
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  const std::uint64_t count = store.count_keys_in_slot(0, slot_of("user"));
  EXPECT_GE(count, 500u);
  const std::vector<std::string> names = store.keys_in_slot(0, slot_of("user"), 1000);
  EXPECT_EQ(names.size(), count);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), count);
  EXPECT_EQ(store.keys_in_slot(0, slot_of("user"), 7).size(), 7u);
  std::uint64_t total = 0;
  for (std::uint32_t slot = 0; slot < kSlotCount; ++slot) total += store.count_keys_in_slot(0, slot);
  EXPECT_EQ(total, store.counts(0).keys);
}

}  // namespace
}  // namespace redraft::store
