#include <xxhash.h>

#include <algorithm>
#include <array>
#include <string>

#include "server/store/store.h"

// The replicated state as a few bytes: all of it at once for DEBUG DIGEST and tests, in ranges for an audit.

namespace redraft::store {
namespace {

struct Digest {
  std::array<std::uint64_t, 3> sums{};
  // Sums, so that the order of keys does not count.
  void add(std::string_view text) {
    const XXH128_hash_t two = XXH3_128bits(text.data(), text.size());
    sums[0] += two.low64;
    sums[1] += two.high64;
    sums[2] += XXH3_64bits_withSeed(text.data(), text.size(), 1);
  }
  [[nodiscard]] std::string hex() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (int i = 0; i < 40; ++i) text.push_back(kDigits[sums[static_cast<std::size_t>(i / 16)] >> (i % 16 * 4) & 15]);
    return text;
  }
};

// Of a large value, if those are to be left out, only how large it is.
std::string describe(std::uint32_t db, const Key& key, bool whole, Breather& breather) {
  std::string text;
  put_number(text, db);
  put_bytes(text, key.name());
  text.push_back(static_cast<char>(key.type()));
  put_number(text, key.deadline_ms());
  if (key.object() != nullptr) {
    put_number(text, key.object()->size());
    // A string's digest must not depend on whether it lies in pages.
    if (whole || key.object()->units() <= Store::kAuditUnitsMax) put_number(text, key.object()->digest(breather));
  } else {
    std::string scratch;
    const std::string_view bytes = key.string(scratch);
    put_number(text, bytes.size());
    put_number(text, XXH3_64bits(bytes.data(), bytes.size()));
  }
  return text;
}

// What a key costs an audit.
std::uint64_t units_of(const Key& key) {
  const std::uint64_t units = key.object() == nullptr ? 0 : key.object()->units();
  return units > Store::kAuditUnitsMax ? 1 : units + 1;
}

}  // namespace

std::string Store::digest(Breather& breather) const {
  Digest digest;
  for (std::uint32_t db = 0; db < database_count(); ++db) {
    for_each_key(db, breather, [&](const Key& key) { digest.add(describe(db, key, true, breather)); });
  }
  digest.add(describe_rest());
  return digest.hex();
}

std::string Store::describe_rest() const {
  std::string rest;
  waiters_.encode(rest);
  scripts_.encode(rest);
  for (const auto& [name, value] : settings_) {
    put_bytes(rest, name);
    put_bytes(rest, value);
  }
  put_number(rest, next_user_);
  for (const auto& [name, user] : users_) {
    put_bytes(rest, name);
    put_number(rest, user.id);
    put_bytes(rest, user.rules);
  }
  watch_table_.encode(rest);
  return rest;
}

std::string Store::digest_of_rest(std::string_view more) const {
  Digest digest;
  digest.add(describe_rest());
  digest.add(more);
  return digest.hex();
}

std::string Store::digest_of(std::uint32_t db, std::string_view name) const {
  Digest digest;
  NoBreather breather;
  if (const Key* key = find(db, name)) digest.add(describe(0, *key, true, breather));
  return digest.hex();
}

// ---- Audit

AuditPlan Store::plan_audit(AuditPlace from, std::uint64_t units) const {
  AuditPlan plan{audit_end(), {}};
  std::uint64_t planned = 0;
  for (AuditPlace at = from; at.db < database_count(); at = {at.db + 1, 0, 0}) {
    const Database& database = *databases_[at.db];
    if (database.keys == 0) continue;
    for (; at.slot < kSlotCount; ++at.slot, at.hash = 0) {
      std::uint64_t next = at.hash;
      while (KeyTrie::Leaf* leaf = database.slot(at.slot).leaf_from(next, next)) {
        for (std::uint32_t i = 0; i < leaf->count; ++i) {
          const Key& key = *leaf->items()[i];
          planned += units_of(key);
          if (key.object() != nullptr && key.object()->units() > kAuditUnitsMax && !expired(key)) {
            plan.large.push_back({at.db, std::string(key.name()), key.object()->units()});
          }
        }
        const bool slot_ends = next == 0;
        if (planned >= units) {
          plan.end = slot_ends ? AuditPlace{at.db, at.slot + 1, 0} : AuditPlace{at.db, at.slot, next};
          return plan;
        }
        if (slot_ends) break;
      }
    }
  }
  return plan;
}

std::string Store::digest_of_range(AuditPlace from, AuditPlace end, Breather& breather) const {
  Digest digest;
  for (std::uint32_t db = from.db; db < database_count() && db <= end.db; ++db) {
    const std::uint32_t first = db == from.db ? from.slot : 0;
    const std::uint32_t last = db == end.db ? end.slot + (end.hash == 0 ? 0 : 1) : kSlotCount;
    // The tables' leaves reach over the ends of the range; keys count by their own hash.
    for_each_key(*databases_[db], first, std::min(last, kSlotCount), breather, [&](const Key& key) {
      const std::uint32_t slot = slot_of(key.name());
      const bool inside = slot != from.slot && slot != end.slot;
      const AuditPlace place{db, slot, inside ? 0 : hash_of(shared_.hash_seed, key.name())};
      if (place >= from && place < end) digest.add(describe(db, key, false, breather));
    });
  }
  return digest.hex();
}

std::string Store::digest_of_part(std::uint32_t db, std::string_view name, std::uint64_t first, std::uint64_t count,
                                  Breather& breather) const {
  Digest digest;
  const Key* key = db < database_count() ? find(db, name) : nullptr;
  const std::uint64_t units = key == nullptr || key->object() == nullptr ? 0 : key->object()->units();
  if (first >= units) return digest.hex();
  std::string text;
  text.push_back(static_cast<char>(key->type()));
  put_number(text, key->object()->digest_part(first, std::min(count, units - first), breather));
  digest.add(text);
  return digest.hex();
}

}  // namespace redraft::store
