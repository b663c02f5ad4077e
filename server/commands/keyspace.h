#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/context.h"
#include "server/commands/list_end.h"
#include "server/store/breather.h"
#include "server/store/store.h"

namespace redraft::commands {

// What handlers do to keys, in Redis's terms, on top of the store: look one up as a type or answer WRONGTYPE; create,
// replace and remove with the events that Redis raises on the way; tell WATCH and the waiters.

// A long loop takes one step per element; every 256th lets peers and timers be served.
class Breaths {
 public:
  explicit Breaths(Context& context) : breather_(context.breather) {}
  void step() {
    if (++steps_ % 256 == 0) breather_.breathe();
  }

 private:
  store::Breather& breather_;
  std::uint32_t steps_ = 0;
};

// proto-max-bulk-len, which is cluster state: the bound on a string's size.
[[nodiscard]] inline std::uint64_t string_size_max(const Context& context) {
  return context.store.setting_number("proto-max-bulk-len", std::uint64_t{512} << 20);
}

struct Place {
  std::uint32_t db = 0;
  std::string_view key;
};

// Keys of any type.
[[nodiscard]] inline bool key_exists(Context& context, const Place& place) {
  return context.store.exists(place.db, place.key);
}
[[nodiscard]] inline bool key_exists(Context& context, std::string_view key) {
  return key_exists(context, Place{context.db, key});
}
[[nodiscard]] std::string_view type_name(Context& context, std::string_view key);  // "none" when there is no key
// Detaches the value in O(1); no event, no touch. False when there was none.
bool remove_key(Context& context, std::string_view key);
// DEL of one key: removes, touches, raises "del".
bool delete_key(Context& context, std::string_view key);
// The value with its deadline goes to the other place, whose old value is dropped; both are touched.
void move_value(Context& context, const Place& from, const Place& to);
// As above, but a copy: the first stays.
void copy_value(Context& context, const Place& from, const Place& to);
// Written: for WATCH. Not called where nothing changed.
inline void changed(Context& context, std::string_view key) {
  context.store.touch(context.db, key);
}

// Deadlines, absolute, in milliseconds of the logical clock. The key exists.
[[nodiscard]] std::optional<std::uint64_t> deadline_of(Context& context, std::string_view key);
void set_deadline(Context& context, std::string_view key, std::uint64_t deadline_ms);
bool clear_deadline(Context& context, std::string_view key);  // false when it had none
// Looks up a container; nullptr when the key is absent, false when WRONGTYPE was answered.
[[nodiscard]] bool find_for_read(Context& context, std::string_view key, const store::List*& list);
[[nodiscard]] bool find_for_read(Context& context, std::string_view key, const store::Set*& set);
[[nodiscard]] bool find_for_write(Context& context, std::string_view key, store::List*& list);
[[nodiscard]] bool find_for_write(Context& context, std::string_view key, store::Set*& set);
// The key is absent. Raises "new"; a list's waiters will be served.
store::List& create_list(Context& context, std::string_view key);
store::Set& create_set(Context& context, std::string_view key);
// A container that lost elements and is empty now: removes it and raises "del".
void remove_if_empty(Context& context, std::string_view key, const store::List& list);
void remove_if_empty(Context& context, std::string_view key, const store::Set& set);

// Lists.
void push_element(store::List& list, End end, std::string_view element);
void pop_element(store::List& list, End end);
[[nodiscard]] inline std::string_view element_at_end(const store::List& list, End end) {
  return end == End::kHead ? list.front() : list.back();
}
void answer_range(Context& context, const store::List& list, std::size_t first, std::size_t count);
// Pops up to `count` (> 0) elements and answers them as an array, in the order of popping; then as `popped`.
void pop_and_answer(Context& context, std::string_view key, store::List& list, End end, std::int64_t count);
// After an element left: touches, raises the pop's event, removes an empty list.
void popped(Context& context, std::string_view key, const store::List& list, End end);
[[nodiscard]] std::optional<std::size_t> find_element(Context& context, const store::List& list,
                                                      std::string_view element);
// LREM: up to |limit| equal elements (0: all), from the tail when negative.
std::uint64_t remove_elements(Context& context, store::List& list, std::string_view element, std::int64_t limit);

// Calls visit(position, element) from the head, or from the tail, until it answers false.
template <class Visit>
void scan_elements(const store::List& list, bool backwards, Visit visit) {
  const std::size_t size = list.size();
  if (size == 0) return;
  store::List::Cursor cursor = list.cursor(backwards ? size - 1 : 0);
  for (std::size_t i = 0; i < size; ++i) {
    if (!visit(backwards ? size - 1 - i : i, cursor.value())) return;
    if (i + 1 < size) backwards ? cursor.previous() : cursor.next();
  }
}

// Sets, in their dense order.
void answer_members(Context& context, const store::Set& set);
void answer_set(Context& context, const store::Set* set);  // as a RESP3 set; nullptr is empty
// Calls visit(member) until it answers false. The set does not change meanwhile.
template <class Visit>
void for_each_member(const store::Set& set, Visit visit) {
  constexpr std::size_t kSlice = 64;
  std::uint64_t cursor = 0;
  bool goes_on = true;
  do {
    cursor = set.scan(cursor, kSlice, [&](std::string_view member) { goes_on = goes_on && visit(member); });
  } while (goes_on && cursor != 0);
}

// Puts a new container in the place of whatever the key held. The elements are copies, since what is replaced may be
// where they come from. `members` has no duplicates.
void store_list(Context& context, std::string_view key, const std::vector<std::string>& elements);
void store_set(Context& context, std::string_view key, const std::vector<std::string>& members);

}  // namespace redraft::commands
