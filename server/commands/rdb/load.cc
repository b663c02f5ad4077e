#include <cmath>
#include <utility>

#include "resp/number.h"
#include "server/commands/rdb/listpack.h"
#include "server/commands/rdb/old_forms.h"
#include "server/commands/rdb/streams.h"
#include "server/commands/rdb/values.h"

namespace redraft::rdb {
namespace {

constexpr std::uint64_t kContainerPlain = 1;
constexpr std::uint64_t kContainerPacked = 2;

// What is being made of a value, and with what it is read. Functions answer false when the bytes do not fit.
class Loader {
 public:
  Loader(store::Store& store, Reader& from, store::Breather& breather) : store_(store), from_(from), steps_(breather) {}

  [[nodiscard]] bool load(ValueType type, Loaded& into) {
    switch (type) {
      case ValueType::kString:
        into.string = from_.string(scratch_);
        return from_.ok();
      case ValueType::kList:
      case ValueType::kListZiplist:
      case ValueType::kListQuicklist:
      case ValueType::kListQuicklist2:
        return make(into, [&](store::List& list) { return load_list(type, list); });
      case ValueType::kSet:
      case ValueType::kSetIntset:
      case ValueType::kSetListpack:
        return make(into, [&](store::Set& set) { return load_set(type, set); });
      case ValueType::kHash:
      case ValueType::kHashZipmap:
      case ValueType::kHashZiplist:
      case ValueType::kHashListpack:
        return make(into, [&](store::Hash& hash) { return load_hash(type, hash); });
      case ValueType::kSortedSetText:
      case ValueType::kSortedSet:
      case ValueType::kSortedSetZiplist:
      case ValueType::kSortedSetListpack:
        return make(into, [&](store::SortedSet& sorted) { return load_sorted_set(type, sorted); });
      case ValueType::kStreamListpacks:
      case ValueType::kStreamListpacks2:
      case ValueType::kStreamListpacks3:
        return load_stream(store_, type, from_, steps_, into.object);
    }
    return false;
  }

 private:
  template <class Fill>
  bool make(Loaded& into, Fill fill) {
    using Made = typename FillArgument<Fill>::Type;
    auto made = store_.make_object<Made>();
    if (!fill(*made) || !from_.ok() || made->size() == 0) return false;
    into.object = std::move(made);
    return true;
  }
  template <class Fill>
  struct FillArgument : FillArgument<decltype(&Fill::operator())> {};
  template <class Class, class Argument>
  struct FillArgument<bool (Class::*)(Argument&) const> {
    using Type = Argument;
  };

  // Calls visit(element) for everything in a packed form; false when that or `visit` does not like it.
  template <class Form, class Visit>
  bool each_packed(Visit visit) {
    std::string blob_scratch;
    const std::string_view blob = from_.string(blob_scratch);
    if (!from_.ok()) return false;
    Form form(blob);
    std::string_view element;
    while (form.next(element, scratch_)) {
      if (!visit(element)) return false;
      steps_.step();
    }
    return form.ok();
  }
  // The same for elements that lie there one by one.
  template <class Visit>
  bool each_plain(Visit visit) {
    for (std::uint64_t left = from_.count(); left > 0; --left) {
      const std::string_view element = from_.string(scratch_);
      if (!from_.ok() || !visit(element)) return false;
      steps_.step();
    }
    return from_.ok();
  }
  // Pairs of a packed form. The first of a pair is kept until its second comes.
  template <class Form, class Visit>
  bool each_packed_pair(Visit visit) {
    std::string first;
    bool has_first = false;
    const bool read = each_packed<Form>([&](std::string_view element) {
      if (!std::exchange(has_first, !has_first)) {
        first = element;
        return true;
      }
      return visit(std::string_view(first), element);
    });
    return read && !has_first;
  }

  bool load_list(ValueType type, store::List& list) {
    const auto push = [&list](std::string_view element) {
      list.push_back(element);
      return true;
    };
    if (type == ValueType::kList) return each_plain(push);
    if (type == ValueType::kListZiplist) return each_packed<ZiplistReader>(push);
    for (std::uint64_t left = from_.count(); left > 0; --left) {
      const std::size_t before = list.size();
      if (type == ValueType::kListQuicklist) {
        if (!each_packed<ZiplistReader>(push)) return false;
      } else {
        const std::uint64_t container = from_.length();
        if (container == kContainerPlain) {
          list.push_back(from_.string(scratch_));
        } else if (container != kContainerPacked || !each_packed<ListpackReader>(push)) {
          return false;
        }
      }
      if (!from_.ok() || list.size() == before) return false;
    }
    return true;
  }

  bool load_set(ValueType type, store::Set& set) {
    const auto add = [&set](std::string_view member) { return set.add(member); };
    if (type == ValueType::kSet) return each_plain(add);
    return type == ValueType::kSetIntset ? each_packed<IntsetReader>(add) : each_packed<ListpackReader>(add);
  }

  bool load_hash(ValueType type, store::Hash& hash) {
    const auto set = [&hash](std::string_view field, std::string_view value) { return hash.set(field, value); };
    if (type == ValueType::kHashZipmap) return each_packed_pair<ZipmapReader>(set);
    if (type == ValueType::kHashZiplist) return each_packed_pair<ZiplistReader>(set);
    if (type == ValueType::kHashListpack) return each_packed_pair<ListpackReader>(set);
    std::uint64_t left = from_.count(2);
    hash.expect(left);
    std::string value_scratch;
    for (; left > 0; --left) {
      const std::string_view field = from_.string(scratch_);
      const std::string_view value = from_.string(value_scratch);
      if (!from_.ok() || !hash.set(field, value)) return false;
      steps_.step();
    }
    return true;
  }

  bool load_sorted_set(ValueType type, store::SortedSet& sorted) {
    const auto set = [&sorted](std::string_view member, double score) {
      return !std::isnan(score) && sorted.set(member, score);
    };
    const auto set_text = [&set](std::string_view member, std::string_view score) {
      const std::optional<double> value = resp::parse_double(score);
      return value && set(member, *value);
    };
    if (type == ValueType::kSortedSetZiplist) return each_packed_pair<ZiplistReader>(set_text);
    if (type == ValueType::kSortedSetListpack) return each_packed_pair<ListpackReader>(set_text);
    std::uint64_t left = from_.count(2);
    sorted.expect(left);
    for (; left > 0; --left) {
      const std::string_view member = from_.string(scratch_);
      const double score = type == ValueType::kSortedSet ? from_.binary_double() : from_.text_double();
      if (!from_.ok() || !set(member, score)) return false;
      steps_.step();
    }
    return true;
  }

  store::Store& store_;
  Reader& from_;
  store::Steps steps_;
  std::string scratch_;
};

}  // namespace

Result<Loaded> load_value(store::Store& store, std::uint8_t type, Reader& from, store::Breather& breather) {
  Loaded loaded;
  Loader loader(store, from, breather);
  if (loader.load(static_cast<ValueType>(type), loaded)) return loaded;
  from.fail();
  return Error{ErrorCode::kCorrupt, "Bad data format"};
}

}  // namespace redraft::rdb
