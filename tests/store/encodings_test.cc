// What OBJECT ENCODING shows, and what small values cost.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "server/store/hash.h"
#include "server/store/list.h"
#include "server/store/part.h"
#include "server/store/set.h"
#include "server/store/sorted_set.h"

namespace redraft::store {
namespace {

// Names and borders of OBJECT ENCODING in Redis 7.2 (redis/redis:src/t_set.c, setTypeMaybeConvert).
TEST(Set, EncodingsChangeAtRedissBorders) {
  Shared shared;
  Set numbers(shared);
  for (int i = 0; i < 512; ++i) numbers.add(std::to_string(i));
  EXPECT_EQ(numbers.encoding(), "intset");
  numbers.add("512");
  EXPECT_EQ(numbers.encoding(), "hashtable");
  Set words(shared);
  for (int i = 0; i < 128; ++i) words.add("w" + std::to_string(i));
  EXPECT_EQ(words.encoding(), "listpack");
  words.add("one more");
  EXPECT_EQ(words.encoding(), "hashtable");
  Set wide(shared);
  wide.add(std::string(64, 'x'));
  EXPECT_EQ(wide.encoding(), "listpack");
  wide.add(std::string(65, 'x'));
  EXPECT_EQ(wide.encoding(), "hashtable");
  Set mixed(shared);
  mixed.add("1");
  mixed.add("a");
  EXPECT_EQ(mixed.encoding(), "listpack");
  Set many(shared);
  for (int i = 0; i < 200; ++i) many.add(std::to_string(i));
  many.add("a");
  EXPECT_EQ(many.encoding(), "hashtable");
}

// OBJECT ENCODING of lists in Redis 7.2 by the size of its listpack: list-max-listpack-size -2 is 8 KiB, integers are
// packed (redis/redis:src/t_list.c, src/listpack.c).
TEST(List, EncodingsChangeAtRedissBorders) {
  Shared shared;
  List numbers(shared);
  for (int i = 0; i < 2000; ++i) numbers.push_back(std::to_string(i));
  EXPECT_EQ(numbers.encoding(), "listpack");  // 128 of 2 bytes, 1872 of 3
  while (numbers.encoding() == "listpack") numbers.push_back("100");
  EXPECT_NEAR(static_cast<double>(numbers.size()), 2000 + (8192 - 7 - 128 * 2 - 1872 * 3) / 2.0, 3);
  while (numbers.encoding() == "quicklist") numbers.pop_back();
  EXPECT_NEAR(static_cast<double>(numbers.size()), 128 + (4096 - 7 - 128 * 2) / 3.0, 3);
  List wide(shared);
  wide.push_back(std::string(8185, 'x'));
  EXPECT_EQ(wide.encoding(), "listpack");
  wide.set(0, std::string(8186, 'x'));
  EXPECT_EQ(wide.encoding(), "quicklist");
  wide.set(0, "small");
  EXPECT_EQ(wide.encoding(), "listpack");
  shared.list_max_listpack_size = 3;
  List few(shared);
  for (int i = 0; i < 3; ++i) few.push_front("e");
  EXPECT_EQ(few.encoding(), "listpack");
  few.insert(1, "e");
  EXPECT_EQ(few.encoding(), "quicklist");
  few.erase(0, 3);
  EXPECT_EQ(few.encoding(), "listpack");
}

// An earlier version wrote large sets of the small encodings whole, as their only part.
TEST(Set, ReadsASmallEncodingWrittenAsOnePart) {
  for (const bool integers : {true, false}) {
    Shared shared;
    {
      std::string part(1, integers ? '\0' : '\1');
      put_number(part, 2000);
      for (std::uint64_t i = 0; i < 2000; ++i) {
        integers ? put_number(part, i) : put_bytes(part, "member:" + std::to_string(i));
      }
      std::string header(1, part[0]);
      put_number(header, 2000);
      Set set(shared);
      ASSERT_TRUE(set.restore_header(header));
      ASSERT_TRUE(set.restore_part(part));
      ASSERT_TRUE(set.restore_end());
      EXPECT_EQ(set.size(), 2000U);
      EXPECT_EQ(set.encoding(), integers ? "intset" : "listpack");
      EXPECT_TRUE(set.contains(integers ? "1999" : "member:1999"));
    }
    EXPECT_EQ(shared.memory, 0);
  }
}

// A million small values cost what their bytes do: an object of four words and one block.
TEST(Values, SmallOnesAreFourWords) {
  EXPECT_LE(sizeof(List), 32U);
  EXPECT_LE(sizeof(Set), 32U);
  EXPECT_LE(sizeof(Hash), 32U);
  EXPECT_LE(sizeof(SortedSet), 32U);
}

}  // namespace
}  // namespace redraft::store
