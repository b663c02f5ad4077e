#pragma once

#include <string_view>
#include <type_traits>

#include "server/commands/arguments.h"
#include "server/commands/context.h"
#include "server/commands/keyspace.h"
#include "server/store/store.h"

namespace redraft::commands {

// What the handlers of hashes and sorted sets do to keys, on top of keyspace.h, and what they share with those of sets.

template <class T>
inline constexpr store::Type kTypeOf = std::is_same_v<T, store::Hash> ? store::Type::kHash : store::Type::kSortedSet;

// nullptr when the key is absent; false when WRONGTYPE was answered.
template <class T>
[[nodiscard]] bool container_of(Context& context, const store::Key* key, T*& container) {
  container = nullptr;
  if (key == nullptr) return true;
  if (key->type() != kTypeOf<std::remove_const_t<T>>) {
    context.reply.error(kWrongType);
    return false;
  }
  container = static_cast<T*>(key->object());
  return true;
}
[[nodiscard]] inline bool find_for_read(Context& context, std::string_view key, const store::Hash*& hash) {
  return container_of(context, context.store.find(context.db, key), hash);
}
[[nodiscard]] inline bool find_for_read(Context& context, std::string_view key, const store::SortedSet*& set) {
  return container_of(context, context.store.find(context.db, key), set);
}
[[nodiscard]] inline bool find_for_write(Context& context, std::string_view key, store::Hash*& hash) {
  return container_of(context, context.store.find_for_change(context.db, key), hash);
}
[[nodiscard]] inline bool find_for_write(Context& context, std::string_view key, store::SortedSet*& set) {
  return container_of(context, context.store.find_for_change(context.db, key), set);
}

// The key is absent. Raises "new".
[[nodiscard]] inline store::Hash& create_hash(Context& context, std::string_view key) {
  store::Hash& hash = context.store.create_hash(context.db, key);
  context.notify(Event::kNew, "new", key);
  return hash;
}
// The key was removed just now and gets another value: its waiters will be served.
[[nodiscard]] inline store::SortedSet& replace_with_sorted_set(Context& context, std::string_view key) {
  store::SortedSet& set = context.store.create_sorted_set(context.db, key);
  if (context.store.waiters().any()) context.store.waiters().mark_ready(context.db, key);
  return set;
}
// The key is absent. Raises "new"; its waiters will be served.
[[nodiscard]] inline store::SortedSet& create_sorted_set(Context& context, std::string_view key) {
  store::SortedSet& set = replace_with_sorted_set(context, key);
  context.notify(Event::kNew, "new", key);
  return set;
}

// A container that lost elements and is empty now: removes it and raises "del".
template <class T>
void remove_if_empty(Context& context, std::string_view key, const T& container) {
  if (container.size() > 0) return;
  remove_key(context, key);
  context.notify(Event::kGeneric, "del", key);
}

// SREM, HDEL and ZREM: the elements from argument 2 on. Answers how many were there.
template <class T>
void remove_elements(Context& context, Event event, std::string_view name) {
  const std::string_view key = context.argument(1);
  T* container = nullptr;
  if (!find_for_write(context, key, container)) return;
  if (container == nullptr) return context.reply.integer(0);
  std::int64_t removed = 0;
  Breaths breaths(context);
  for (const std::string_view element : context.arguments.subspan(2)) {
    if (container->remove(element)) ++removed;
    if (container->size() == 0) break;
    breaths.step();
  }
  if (removed > 0) {
    changed(context, key);
    context.notify(event, name, key);
    remove_if_empty(context, key, *container);
  }
  context.reply.integer(removed);
}

}  // namespace redraft::commands
