#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/little_endian.h"
#include "server/commands/random.h"
#include "server/commands/rdb/crc64.h"
#include "server/commands/rdb/listpack.h"
#include "server/commands/rdb/lzf.h"
#include "server/commands/rdb/skip.h"
#include "server/commands/rdb/values.h"
#include "server/store/stream.h"

namespace redraft::rdb {
namespace {

using namespace std::string_literals;

class Payloads : public testing::Test {
 protected:
  Payloads() : store_(store::Options{.databases = 1, .hash_seed = 7}) { store_.begin_entry(1, 1'700'000'000'000); }

  std::string save(std::string_view name) {
    std::string payload;
    seal_payload(payload, save_value(*store_.find(0, name), payload, breather_));
    return payload;
  }
  // Puts what a payload holds at `name`; false when it is refused.
  bool load(std::string_view name, std::string_view payload) {
    const Result<std::string_view> opened = open_payload(payload);
    return opened && load_bytes(name, *opened);
  }
  bool load_bytes(std::string_view name, std::string_view bytes) {
    Reader reader(bytes);
    const std::uint8_t type = reader.byte();
    Result<Loaded> loaded = load_value(store_, type, reader, breather_);
    if (!loaded || !reader.at_end()) return false;
    if (loaded->object == nullptr) {
      store_.set_string(0, name, loaded->string, 0);
    } else {
      store_.put_object(0, name, std::move(loaded->object), 0);
    }
    return true;
  }
  void expect_kept(std::string_view name) {
    const std::string payload = save(name);
    Reader over(std::string_view(payload).substr(1, payload.size() - 11));
    EXPECT_TRUE(skip_value(static_cast<std::uint8_t>(payload[0]), over) && over.at_end()) << name;
    ASSERT_TRUE(load("copy", payload)) << name;
    const store::Key* key = store_.find(0, name);
    const store::Key* copy = store_.find(0, "copy");
    EXPECT_EQ(copy->encoding(), key->encoding()) << name;
    if (key->object() != nullptr) {
      ASSERT_NE(copy->object(), nullptr);
      EXPECT_EQ(copy->object()->size(), key->object()->size()) << name;
      EXPECT_EQ(copy->object()->digest(breather_), key->object()->digest(breather_)) << name;
    } else {
      std::string one;
      std::string two;
      EXPECT_EQ(copy->string(one), key->string(two)) << name;
    }
  }

  // Elements of all lengths and integer widths; `i` tells them apart.
  static std::string element(std::uint64_t i) {
    switch (i % 7) {
      case 0:
        return std::to_string(i);
      case 1:
        return std::to_string(-static_cast<std::int64_t>(i * i * i * i * 31));
      case 2:
        return "word" + std::to_string(i);
      case 3:
        return std::string(20 + i % 60, 'a') + std::to_string(i);
      case 4:
        return std::to_string(i) + std::string(100 + i, 'b');
      case 5:
        return "\x00\xff\r\n"s + std::to_string(i);
      default:
        return std::to_string(i * 40000000000);
    }
  }

  void fill(std::size_t count) {
    const std::string tail = std::to_string(count);
    auto& list = store_.create_list(0, "list" + tail);
    auto& set = store_.create_set(0, "set" + tail);
    auto& integers = store_.create_set(0, "integers" + tail);
    auto hash = store_.make_object<store::Hash>();
    auto sorted = store_.make_object<store::SortedSet>();
    for (std::size_t i = 0; i < count; ++i) {
      list.push_back(element(i));
      set.add(element(i));
      integers.add(std::to_string(static_cast<std::int64_t>(i * i * i * i) - 50));
      hash->set(element(i), element(i * 3 + 1));
      sorted->set(element(i), static_cast<double>(i * i) / 7 - 5);
    }
    store_.put_object(0, "hash" + tail, std::move(hash), 0);
    store_.put_object(0, "sorted" + tail, std::move(sorted), 0);
  }
  std::vector<std::string> names() {
    std::vector<std::string> found;
    store_.for_each_key(0, breather_, [&](const store::Key& key) { found.emplace_back(key.name()); });
    return found;
  }
  void fill_stream(std::string_view name, std::uint64_t entries) {
    auto stream = store_.make_object<store::Stream>();
    for (std::uint64_t i = 1; i <= entries; ++i) {
      const std::string value = element(i);
      const std::vector<std::string_view> usual{"field", value, "other", "x"};
      const std::vector<std::string_view> unusual{"strange", value};
      stream->append({1000 + i / 3, i % 3}, i % 5 == 0 ? unusual : usual);
    }
    if (entries > 10) {
      stream->erase({1001, 1});
      auto& group = stream->create_group("group", {1001, 0}, 4);
      auto& consumer = group.create_consumer("consumer", 500);
      group.served(consumer, 500);
      group.deliver({1000, 1}, consumer, 400, 2);
      group.deliver({1001, 0}, consumer, 500, 1);
      stream->create_group("empty", {}, store::ConsumerGroup::kUnknown);
    }
    store_.put_object(0, name, std::move(stream), 0);
  }
  void fill_all() {
    for (const std::size_t count : {1, 5, 150, 700}) fill(count);
    fill_stream("stream", 400);
    fill_stream("short", 3);
    fill_stream("none", 0);
    store_.set_string(0, "text", "some text", 0);
    store_.set_string(0, "number", "12345", 0);
    store_.set_string(0, "long", std::string(20000, 'x') + "tail", 0);
    store_.set_string(0, "empty", "", 0);
  }

  store::Store store_;
  store::NoBreather breather_;
};

TEST_F(Payloads, ChecksumIsJones) {
  EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9cau);
  EXPECT_EQ(crc64(crc64(0, "12345"), "6789"), 0xe9c6d914c4b8d9cau);
}

TEST_F(Payloads, LzfGivesBackWhatItPacked) {
  commands::Random random(1);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    const std::uint64_t letters = 1 + random.below(round % 2 == 0 ? 3 : 200);
    for (std::uint64_t size = random.below(3000); bytes.size() < size;) {
      bytes.push_back(static_cast<char>(random.below(letters)));
    }
    std::string packed;
    if (!lzf_pack(bytes, bytes.size(), packed)) continue;
    std::string whole;
    ASSERT_TRUE(lzf_expand(packed, bytes.size(), whole)) << round;
    EXPECT_EQ(whole, bytes) << round;
  }
  std::string packed;
  EXPECT_TRUE(lzf_pack(std::string(1000, 'x'), 100, packed));
  std::string small;
  EXPECT_FALSE(lzf_pack("abcdefgh", 4, small));
  EXPECT_TRUE(small.empty());
}

TEST_F(Payloads, EveryTypeIsKept) {
  fill_all();
  for (const std::string& name : names()) expect_kept(name);
}

// What redis-server 7.0.15 answers to DUMP, and what it takes.
TEST_F(Payloads, SmallOnesAreRedisBytes) {
  store_.set_string(0, "number", "1", 0);
  EXPECT_EQ(save("number").substr(0, 5), "\x00\xc0\x01\x0a\x00"s);
  store_.set_string(0, "text", "hello", 0);
  EXPECT_EQ(save("text").substr(0, 9), "\x00\x05hello\x0a\x00"s);
  auto hash = store_.make_object<store::Hash>();
  hash->set("f", "1");
  hash->set("g", "text");
  store_.put_object(0, "hash", std::move(hash), 0);
  EXPECT_EQ(save("hash").substr(0, 25),
            "\x10\x15\x15\x00\x00\x00\x04\x00\x81"s
            "f"
            "\x02\x01\x01\x81"s
            "g"
            "\x02\x84"s
            "text"
            "\x05\xff\x0a\x00"s);
}

struct Recorded {
  const char* what;
  std::string bytes;
  const char* encoding;
  std::size_t size;
};

// The forms of earlier Redis versions, from their descriptions in redis/redis:src/ziplist.c, zipmap.c, intset.c.
TEST_F(Payloads, EarlierFormsAreRead) {
  const std::string ziplist =
      "\x19\x00\x00\x00\x16\x00\x00\x00\x04\x00"s
      "\x00\x01"s
      "a"
      "\x03\xf2"s
      "\x02\x01"s
      "b"
      "\x03\xfe\x63"s
      "\xff"s;
  ASSERT_EQ(ziplist.size(), 0x19u - 3u);
  std::string sized = ziplist;
  store_little(sized.data(), static_cast<std::uint32_t>(sized.size()));
  const auto blob = [](const std::string& bytes) { return std::string(1, static_cast<char>(bytes.size())) + bytes; };
  const std::string intset = "\x02\x00\x00\x00\x03\x00\x00\x00\xfe\xff\x01\x00\x07\x00"s;
  const std::string zipmap =
      "\x02\x01"s
      "f"
      "\x01\x00"s
      "v"
      "\x01"s
      "g"
      "\x02\x01"s
      "ww"
      "_"
      "\xff"s;
  const std::vector<Recorded> all{
      {"list",
       "\x01\x02\x01"s
       "a"
       "\xc0\x05"s,
       "listpack", 2},
      {"list of a ziplist", "\x0a"s + blob(sized), "listpack", 4},
      {"quicklist of ziplists", "\x0e\x02"s + blob(sized) + blob(sized), "listpack", 8},
      {"set",
       "\x02\x02\x01"s
       "a"
       "\x01"s
       "b",
       "listpack", 2},
      {"intset", "\x0b"s + blob(intset), "intset", 3},
      {"sorted set with scores as text",
       "\x03\x02\x01"s
       "a"
       "\x03"s
       "1.5"
       "\x01"s
       "b"
       "\xff"s,
       "listpack", 2},
      {"sorted set of a ziplist", "\x0c"s + blob(sized), "listpack", 2},
      {"hash of a ziplist", "\x0d"s + blob(sized), "listpack", 2},
      {"zipmap", "\x09"s + blob(zipmap), "listpack", 2},
      {"hash",
       "\x04\x01\x01"s
       "f"
       "\xc1\x39\x30"s,
       "listpack", 1},
      {"packed string",
       "\x00\xc3\x04\x0a"s
       "\x00"s
       "a"
       "\xe0\x00"s,
       "raw", 0},
  };
  for (const Recorded& one : all) {
    if (one.size == 0) {
      // Nine references to the one literal.
      ASSERT_TRUE(load_bytes("k", "\x00\xc3\x05\x0a\x00\x61\xe0\x00\x00"s)) << one.what;
      std::string scratch;
      EXPECT_EQ(store_.find(0, "k")->string(scratch), std::string(10, 'a'));
      continue;
    }
    ASSERT_TRUE(load_bytes("k", one.bytes)) << one.what;
    EXPECT_EQ(store_.find(0, "k")->encoding(), one.encoding) << one.what;
    EXPECT_EQ(store_.find(0, "k")->object()->size(), one.size) << one.what;
  }
}

TEST_F(Payloads, WhatDoesNotFitIsRefused) {
  store_.set_string(0, "k", "text", 0);
  const std::string good = save("k");
  EXPECT_FALSE(load("x", ""));
  EXPECT_FALSE(load("x", "short"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(load("x", bad)) << i;
  }
  std::string newer(good.substr(0, good.size() - 10));
  seal_payload(newer, kVersionMax + 1);
  EXPECT_FALSE(load("x", newer));
  for (const std::string& bytes : {
           "\x01\x00"s,  // an empty list
           "\x02\x02\x01"s
           "a"
           "\x01"s
           "a",  // a member twice
           "\x04\x02\x01"s
           "f"
           "\x01"s
           "v"
           "\x01"s
           "f"
           "\x01"s
           "v",  // a field twice
           "\x05\x01\x01"s
           "a"
           "\x00\x00\x00\x00\x00\x00\xf8\x7f"s,          // no number
           "\x02\x81\xff\xff\xff\xff\xff\xff\xff\xff"s,  // more members than there could be
           "\x00\xc3\x01\x81\x00\x00\x00\xff\xff\xff\xff\xff"s
           "a",                                                 // more bytes than a packed string could hold
           "\x06\x01"s, "\x07\x01"s, "\x08\x01"s, "\x16\x01"s,  // modules, unknown types
           "\x00\x01"s
           "ab",                                                         // something behind the value
           "\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x02\x00\x01\x00"s,  // integers out of order
       }) {
    EXPECT_FALSE(load_bytes("x", bytes)) << testing::PrintToString(bytes);
  }
  EXPECT_EQ(store_.find(0, "x"), nullptr);
}

// Whatever is done to a payload, it leads to a value that can be saved again or to a refusal, and the memory count
// comes back to where it was.
TEST_F(Payloads, DamagedOnesDoNoHarm) {
  fill_all();
  commands::Random random(5);
  const std::vector<std::string> all = names();
  std::vector<std::string> payloads;
  for (const std::string& name : all) payloads.push_back(save(name));
  const std::uint64_t memory = store_.used_memory();
  int taken = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string& payload = payloads[random.below(payloads.size())];
    std::string bytes = payload.substr(0, payload.size() - 10);
    for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
      // Near the beginning is where the structure lies.
      const std::uint64_t at =
          random.below(random.below(2) == 0 ? std::min<std::size_t>(40, bytes.size()) : bytes.size());
      switch (random.below(4)) {
        case 0:
          bytes.resize(at);
          break;
        case 1:
          bytes.insert(at, 1, static_cast<char>(random.below(256)));
          break;
        default:
          bytes[at] = static_cast<char>(random.below(256));
      }
      if (bytes.empty()) break;
    }
    if (load_bytes("damaged", bytes)) {
      ++taken;
      std::ignore = save("damaged");
      store_.remove(0, "damaged");
    }
    store_.free_some(1u << 20);
  }
  EXPECT_GT(taken, 50);
  EXPECT_EQ(store_.used_memory(), memory);
}

}  // namespace
}  // namespace redraft::rdb
