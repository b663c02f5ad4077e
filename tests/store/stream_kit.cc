#include "tests/store/stream_kit.h"

#include <string_view>

namespace redraft::store {
namespace {

std::string text(StreamId id) {
  return std::to_string(id.ms) + "-" + std::to_string(id.seq);
}

NoBreather none;

// An id that is there, or nearly.
StreamId some_id(const Stream& stream, Draw& draw) {
  const StreamId first = stream.first_entry();
  const std::uint64_t span = stream.last_id().ms - std::min(first.ms, stream.last_id().ms) + 1;
  StreamId id{first.ms + draw.below(span), draw.below(3)};
  Stream::Cursor cursor(stream, id, kStreamIdMax);
  return draw.one_in(8) || !cursor.next() ? id : cursor.id();
}

void append(Stream& stream, Draw& draw) {
  StreamId id = stream.last_id();
  if (draw.one_in(3)) {
    ++id.seq;
  } else {
    id = {id.ms + 1 + draw.below(5), draw.below(3)};
  }
  std::vector<std::string> fields;
  const std::uint64_t pairs = draw.one_in(5) ? 1 + draw.below(4) : 2;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    fields.push_back(draw.one_in(6) ? "f" + std::to_string(draw.below(100)) : "field" + std::to_string(i));
    fields.push_back(draw.one_in(50) ? std::string(draw.below(6000), 'x') : std::to_string(draw.below(100000)));
  }
  const std::vector<std::string_view> views(fields.begin(), fields.end());
  stream.append(id, views);
}

void change_group(Stream& stream, Draw& draw) {
  const std::string name = "group" + std::to_string(draw.below(4));
  const std::string consumer_name = "consumer" + std::to_string(draw.below(5));
  ConsumerGroup* group = stream.find_group(name);
  if (group == nullptr) {
    stream.create_group(name, some_id(stream, draw), static_cast<std::int64_t>(draw.below(5)) - 1);
    return;
  }
  Consumer* consumer = group->find_consumer(consumer_name);
  if (consumer == nullptr) consumer = &group->create_consumer(consumer_name, draw.below(1000));
  switch (draw.below(40)) {
    case 0:
      stream.destroy_group(*group, none);
      return;
    case 1:
    case 2:
      group->remove_consumer(*consumer, none);
      return;
    case 3:
      group->saw(*consumer, draw.below(1000));
      return;
    case 4:
      group->served(*consumer, draw.below(1000));
      return;
    case 5:
      group->set_position(some_id(stream, draw), static_cast<std::int64_t>(draw.below(100)) - 1);
      return;
    default:
      break;
  }
  if (draw.one_in(3)) {
    const Delivery* pending = group->pending().at_or_after(some_id(stream, draw));
    if (pending != nullptr) group->acknowledge(pending->id);
    return;
  }
  for (std::uint64_t left = draw.below(6); left > 0; --left) {
    group->deliver(some_id(stream, draw), *consumer, draw.below(1000), draw.below(10));
  }
}

}  // namespace

std::vector<std::string> contents(const Stream& stream) {
  std::vector<std::string> lines{text(stream.last_id()) + " " + text(stream.max_deleted_id()) + " " +
                                 text(stream.first_entry()) + " " + std::to_string(stream.entries_added()) + " " +
                                 std::to_string(stream.size())};
  for (Stream::Cursor at(stream, {}, kStreamIdMax); at.next();) {
    std::string line = text(at.id());
    for (const std::string_view field : at.fields()) line.append(" ").append(field);
    lines.push_back(std::move(line));
  }
  stream.for_each_node([&](StreamId first) { lines.push_back("node " + text(first)); });
  for (const auto& [name, group] : stream.groups()) {
    lines.push_back(name + " " + text(group->last_id()) + " " + std::to_string(group->entries_read()));
    for (const auto& [consumer_name, consumer] : group->consumers()) {
      std::string line =
          consumer->name + " " + std::to_string(consumer->seen_ms) + " " + std::to_string(consumer->active_ms) + ":";
      consumer->owned.for_each({}, [&](const Consumer::Owned& owned) {
        line += " " + text(owned.id);
        return true;
      });
      lines.push_back(std::move(line));
    }
    group->pending().for_each({}, [&](const Delivery& delivery) {
      lines.push_back(text(delivery.id) + " " + delivery.consumer->name + " " + std::to_string(delivery.delivered_ms) +
                      " " + std::to_string(delivery.count));
      return true;
    });
  }
  return lines;
}

void change(Stream& stream, Draw& draw) {
  const std::uint64_t kind = draw.below(stream.size() > 1500 ? 45 : 35);
  if (kind < 12) return append(stream, draw);
  if (kind < 15) {
    stream.erase(some_id(stream, draw));
  } else if (kind >= 33) {
    StreamTrim trim;
    trim.by = draw.one_in(2) ? StreamTrim::By::kLength : StreamTrim::By::kId;
    trim.length = stream.size() - std::min<std::uint64_t>(stream.size(), draw.below(250));
    trim.id = some_id(stream, draw);
    if (!draw.one_in(4)) trim.id.ms = stream.first_entry().ms + draw.below(20);
    trim.whole_nodes = draw.one_in(2);
    trim.limit = trim.whole_nodes && draw.one_in(2) ? draw.below(200) : 0;
    stream.trim(trim, none);
  } else {
    change_group(stream, draw);
  }
}

}  // namespace redraft::store
