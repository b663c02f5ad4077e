#include "server/commands/keyspace.h"

#include <algorithm>

#include "server/commands/arguments.h"

namespace redraft::commands {

namespace {

// A key was made or its value replaced: a list may be what somebody waits for.
void made(Context& context, const Place& place, bool is_new) {
  if (is_new) context.surroundings.notify(Event::kNew, "new", place.key, place.db);
  if (context.store.waiters().any()) context.store.waiters().mark_ready(place.db, place.key);
}

// nullptr in `object` for an absent key; false after WRONGTYPE.
template <class T>
bool object_as(Context& context, const store::Key* key, store::Type type, T*& object) {
  object = nullptr;
  if (key == nullptr) return true;
  if (key->type() != type) {
    context.reply.error(kWrongType);
    return false;
  }
  object = static_cast<T*>(key->object());
  return true;
}

void remove_empty(Context& context, std::string_view key, std::size_t size) {
  if (size > 0) return;
  remove_key(context, key);
  context.notify(Event::kGeneric, "del", key);
}

}  // namespace

std::string_view type_name(Context& context, std::string_view key) {
  const store::Key* found = context.store.find(context.db, key);
  return found == nullptr ? "none" : store::type_name(found->type());
}

bool remove_key(Context& context, std::string_view key) {
  return context.store.remove(context.db, key);
}

bool delete_key(Context& context, std::string_view key) {
  if (!remove_key(context, key)) return false;
  changed(context, key);
  context.notify(Event::kGeneric, "del", key);
  return true;
}

void move_value(Context& context, const Place& from, const Place& to) {
  context.store.rename(from.db, from.key, to.db, to.key);
  made(context, to, true);
  context.store.touch(from.db, from.key);
  context.store.touch(to.db, to.key);
}

void copy_value(Context& context, const Place& from, const Place& to) {
  context.store.copy(from.db, from.key, to.db, to.key, context.breather);
  made(context, to, true);
  context.store.touch(to.db, to.key);
}

std::optional<std::uint64_t> deadline_of(Context& context, std::string_view key) {
  const store::Key* found = context.store.find(context.db, key);
  if (found == nullptr || !found->has_deadline()) return std::nullopt;
  return found->deadline_ms();
}

void set_deadline(Context& context, std::string_view key, std::uint64_t deadline_ms) {
  context.store.set_deadline(context.db, key, deadline_ms);
}

bool clear_deadline(Context& context, std::string_view key) {
  if (!deadline_of(context, key)) return false;
  context.store.set_deadline(context.db, key, 0);
  return true;
}

bool find_for_read(Context& context, std::string_view key, const store::List*& list) {
  return object_as(context, context.store.find(context.db, key), store::Type::kList, list);
}

bool find_for_read(Context& context, std::string_view key, const store::Set*& set) {
  return object_as(context, context.store.find(context.db, key), store::Type::kSet, set);
}

bool find_for_write(Context& context, std::string_view key, store::List*& list) {
  return object_as(context, context.store.find_for_change(context.db, key), store::Type::kList, list);
}

bool find_for_write(Context& context, std::string_view key, store::Set*& set) {
  return object_as(context, context.store.find_for_change(context.db, key), store::Type::kSet, set);
}

store::List& create_list(Context& context, std::string_view key) {
  store::List& list = context.store.create_list(context.db, key);
  made(context, {context.db, key}, true);
  return list;
}

store::Set& create_set(Context& context, std::string_view key) {
  store::Set& set = context.store.create_set(context.db, key);
  made(context, {context.db, key}, true);
  return set;
}

void remove_if_empty(Context& context, std::string_view key, const store::List& list) {
  remove_empty(context, key, list.size());
}

void remove_if_empty(Context& context, std::string_view key, const store::Set& set) {
  remove_empty(context, key, set.size());
}

void push_element(store::List& list, End end, std::string_view element) {
  end == End::kHead ? list.push_front(element) : list.push_back(element);
}

void pop_element(store::List& list, End end) {
  end == End::kHead ? list.pop_front() : list.pop_back();
}

void answer_range(Context& context, const store::List& list, std::size_t first, std::size_t count) {
  if (count == 0) return;
  Breaths breaths(context);
  list.for_each(first, count, [&](std::string_view element) {
    context.reply.bulk(element);
    breaths.step();
  });
}

void pop_and_answer(Context& context, std::string_view key, store::List& list, End end, std::int64_t count) {
  std::uint64_t left = std::min<std::uint64_t>(static_cast<std::uint64_t>(count), list.size());
  context.reply.array(left);
  Breaths breaths(context);
  for (; left > 0; --left) {
    context.reply.bulk(element_at_end(list, end));
    pop_element(list, end);
    breaths.step();
  }
  popped(context, key, list, end);
}

void popped(Context& context, std::string_view key, const store::List& list, End end) {
  changed(context, key);
  context.notify(Event::kList, pop_event(end), key);
  remove_if_empty(context, key, list);
}

std::optional<std::size_t> find_element(Context& context, const store::List& list, std::string_view element) {
  std::optional<std::size_t> found;
  Breaths breaths(context);
  scan_elements(list, false, [&](std::size_t at, std::string_view candidate) {
    breaths.step();
    if (candidate == element) found = at;
    return !found;
  });
  return found;
}

// One walk finds the positions, then runs of neighbours are cut out from the tail, so that positions in front stay
// true.
std::uint64_t remove_elements(Context& context, store::List& list, std::string_view element, std::int64_t limit) {
  const auto wanted = static_cast<std::uint64_t>(limit < 0 ? -limit : limit);
  std::vector<std::size_t> found;
  Breaths breaths(context);
  scan_elements(list, limit < 0, [&](std::size_t at, std::string_view candidate) {
    breaths.step();
    if (candidate == element) found.push_back(at);
    return wanted == 0 || found.size() < wanted;
  });
  if (limit >= 0) std::reverse(found.begin(), found.end());
  for (std::size_t i = 0; i < found.size();) {
    std::size_t run = 1;
    while (i + run < found.size() && found[i + run] + run == found[i]) ++run;
    list.erase(found[i + run - 1], run);
    i += run;
    breaths.step();
  }
  return found.size();
}

void store_list(Context& context, std::string_view key, const std::vector<std::string>& elements) {
  const bool is_new = !context.store.remove(context.db, key);
  store::List& list = context.store.create_list(context.db, key);
  Breaths breaths(context);
  for (const std::string& element : elements) {
    list.push_back(element);
    breaths.step();
  }
  made(context, {context.db, key}, is_new);
}

void store_set(Context& context, std::string_view key, const std::vector<std::string>& members) {
  const bool is_new = !context.store.remove(context.db, key);
  store::Set& set = context.store.create_set(context.db, key);
  Breaths breaths(context);
  for (const std::string& member : members) {
    set.add(member);
    breaths.step();
  }
  made(context, {context.db, key}, is_new);
}

void answer_members(Context& context, const store::Set& set) {
  Breaths breaths(context);
  for_each_member(set, [&](std::string_view member) {
    context.reply.bulk(member);
    breaths.step();
    return true;
  });
}

void answer_set(Context& context, const store::Set* set) {
  context.reply.set(set == nullptr ? 0 : set->size());
  if (set != nullptr) answer_members(context, *set);
}

}  // namespace redraft::commands
