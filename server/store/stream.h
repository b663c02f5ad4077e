#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/consumer_group.h"
#include "server/store/object.h"
#include "server/store/stream_id.h"
#include "server/store/stream_node.h"

namespace redraft::store {

// What XTRIM takes away, from the oldest entry on (redis.io/commands/xtrim).
struct StreamTrim {
  enum class By : std::uint8_t { kLength, kId } by = By::kLength;
  std::uint64_t length = 0;  // entries that may stay
  StreamId id = {};          // the first that stays
  bool whole_nodes = false;  // ~: only nodes that may go as a whole
  std::uint64_t limit = 0;   // entries that may go at most, 0: any number
};

// A log of entries in the order of their ids, in nodes that are found by id in O(log n), and consumer groups by name.
// Nodes begin and end where Redis's do, since trimming with ~ shows it. Nodes, groups, consumers and chunks of pending
// entries are parts of the walk.
class Stream final : public Object {
 public:
  using Fields = StreamNode::Fields;
  using Groups = std::map<std::string, std::unique_ptr<ConsumerGroup>, std::less<>>;

  explicit Stream(Shared& shared) : Object(shared) { shared_.memory += kBaseBytes; }
  ~Stream() override;

  // ---- Entries
  // Needs id > last_id().
  void append(StreamId id, Fields fields);
  // False when there is no such entry. Raises max_deleted_id().
  bool erase(StreamId id);
  // How many went.
  std::uint64_t trim(const StreamTrim& trim, Breather& breather);
  [[nodiscard]] bool contains(StreamId id) const;

  [[nodiscard]] StreamId last_id() const { return last_id_; }    // the last one given out, whether or not it is there
  [[nodiscard]] StreamId first_entry() const { return first_; }  // 0-0 when there is none
  [[nodiscard]] StreamId last_entry() const;                     // the same
  [[nodiscard]] StreamId max_deleted_id() const { return max_deleted_id_; }
  [[nodiscard]] std::uint64_t entries_added() const { return entries_added_; }
  void set_ids(StreamId last_id, std::uint64_t entries_added, StreamId max_deleted_id);
  [[nodiscard]] std::size_t node_count() const { return nodes_.size(); }
  // Calls visit(StreamId) with the first id of every node, in order.
  template <class Visit>
  void for_each_node(Visit visit) const {
    for (const auto& [first, node] : nodes_) visit(first);
  }

  // Walks the entries in [first, last] in either direction: next() before each, false at the end. Any change of the
  // stream ends it.
  class Cursor {
   public:
    enum class Direction : std::uint8_t { kForward, kBackward };
    Cursor(const Stream& stream, StreamId first, StreamId last, Direction direction = Direction::kForward);
    bool next();
    [[nodiscard]] StreamId id() const { return place_.id; }
    // Name, value, name, value, ...; views until the cursor moves on.
    [[nodiscard]] Fields fields();

   private:
    void enter();

    const Stream* stream_;
    StreamId first_;
    StreamId last_;
    Direction direction_;
    std::map<StreamId, StreamNode>::const_iterator node_;
    bool entered_ = false;
    std::vector<StreamNode::Place> places_;  // of the present node
    std::size_t at_ = 0;
    StreamNode::Place place_;
    std::vector<std::string_view> names_;
    std::vector<std::string_view> fields_;
  };

  // ---- Groups
  [[nodiscard]] const Groups& groups() const { return groups_; }
  [[nodiscard]] ConsumerGroup* find_group(std::string_view name) const;
  // The name is new.
  ConsumerGroup& create_group(std::string_view name, StreamId last_id, std::int64_t entries_read);
  void destroy_group(ConsumerGroup& group, Breather& breather);

  [[nodiscard]] Type type() const override { return Type::kStream; }
  [[nodiscard]] std::string_view encoding() const override { return "stream"; }
  [[nodiscard]] std::size_t size() const override { return length_; }
  [[nodiscard]] std::size_t memory() const override { return static_cast<std::size_t>(kBaseBytes + bytes_); }
  [[nodiscard]] bool small() const override { return nodes_.size() <= 1 && bytes_ <= 4096; }
  void encode(std::string& to) const override;
  [[nodiscard]] Status decode(std::string_view from) override;
  void begin_walk(std::string& to) override;
  [[nodiscard]] bool walk(std::string& to, std::size_t bytes_max) override;
  [[nodiscard]] Status restore_header(std::string_view from) override;
  [[nodiscard]] Status restore_part(std::string_view from) override;
  [[nodiscard]] Status restore_end() override;
  [[nodiscard]] std::uint64_t digest(Breather& breather) const override;
  [[nodiscard]] std::uint64_t digest_part(std::uint64_t first, std::uint64_t count, Breather& breather) const override;
  [[nodiscard]] std::unique_ptr<Object> copy(Breather& breather) const override;
  [[nodiscard]] bool free_some(std::size_t& elements) override;

 private:
  friend class ConsumerGroup;
  using Nodes = std::map<StreamId, StreamNode>;

  static constexpr std::int64_t kBaseBytes = 320;
  static constexpr char kNode = 'n';

  void add_bytes(std::int64_t bytes);
  void before_change(StreamNode& node);
  void take_node(Nodes::iterator node);
  [[nodiscard]] Nodes::iterator node_of(StreamId id);
  void find_first();
  [[nodiscard]] std::string header() const;
  [[nodiscard]] std::uint64_t digest_of_header() const;
  [[nodiscard]] static std::string node_part(const StreamNode& node);

  Nodes nodes_;
  std::uint64_t length_ = 0;
  StreamId last_id_;
  StreamId first_;
  StreamId max_deleted_id_;
  std::uint64_t entries_added_ = 0;
  std::int64_t bytes_ = 0;
  std::uint64_t next_group_ = 1;
  Groups groups_;

  // What is present only while the stream is walked in parts or restored.
  struct Walk {
    bool nodes_done = false;
    StreamId next_node;
    std::string next_group;
    // Trimmed and destroyed with parts that the walk does not have yet: its own, until it is done.
    std::deque<Nodes::node_type> trimmed;
    std::deque<std::unique_ptr<ConsumerGroup>> destroyed;
  };
  struct Restoring {
    std::uint64_t nodes = 0;
    std::uint64_t groups = 0;
    std::uint64_t consumers = 0;
    std::uint64_t pending = 0;
    std::map<std::uint64_t, std::unique_ptr<ConsumerGroup>> by_number;
  };
  std::unique_ptr<Walk> walk_;
  std::unique_ptr<Restoring> restoring_;
};

}  // namespace redraft::store
