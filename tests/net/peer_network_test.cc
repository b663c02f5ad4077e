#include "server/net/peer_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <string>

#include "server/net/clock.h"

// Two peer networks in one thread over real loopback sockets. Nothing waits for a duration: `settle` runs the loops
// until what is asked for has happened, and the test runner's own limit ends a run in which it does not.

namespace redraft::net {
namespace {

constexpr std::size_t kFrameMax = std::size_t{1} << 20;

std::string framed(std::string_view bytes) {
  std::string out;
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>((bytes.size() >> (8 * i)) & 0xff));
  out += bytes;
  return out;
}

replica::Frame frame_of(std::string_view header, const std::vector<SharedBytes>& payloads = {}) {
  return {.header = std::string(header), .payloads = payloads};
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

class Side {
 public:
  explicit Side(std::uint64_t seed)
      : random_(seed), network_(loop_.get(), kFrameMax, [this](std::span<char> into) {
          for (char& byte : into) byte = static_cast<char>(random_());
        }) {}

  std::uint16_t listen(std::uint16_t port = free_port()) {
    const auto address = parse_listen_address("127.0.0.1", port);
    const Status status = network_.listen(*address, 16);
    EXPECT_TRUE(status.ok()) << status.error().message;
    return port;
  }
  // Node 2 is there, and no other peer.
  void dial(std::uint16_t port, const std::string& host = "127.0.0.1") {
    const replica::PeerAddress address{.node = 2, .host = host, .peer_port = port};
    network_.set_peers(std::span(&address, 1));
  }
  void turn() {
    network_.advance(read_clocks().monotonic_us);
    uv_run(loop_.get(), UV_RUN_NOWAIT);
    while (network_.has_events()) events.push_back(network_.take_event());
    network_.flush();
    if (network_.take_needs_run()) uv_run(loop_.get(), UV_RUN_NOWAIT);
  }

  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> found;
    for (const PeerEvent& event : events) {
      if (const auto* match = std::get_if<Event>(&event)) found.push_back(*match);
    }
    return found;
  }
  PeerNetwork& network() { return network_; }
  std::vector<PeerEvent> events;

 private:
  Loop loop_;
  std::mt19937_64 random_;
  PeerNetwork network_;
};

template <class Reached>
void settle(std::initializer_list<Side*> sides, Reached reached) {
  while (!reached()) {
    for (Side* side : sides) side->turn();
  }
}

// A peer that speaks bytes, not frames.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawPeer() { close(fd_); }
  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // As much as is there and fits.
  std::string read(std::size_t size_max) const {
    std::string bytes(size_max, '\0');
    const ssize_t size = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return bytes;
  }

 private:
  int fd_;
};

TEST(FrameReader, FindsTheSameFramesHoweverTheStreamIsCut) {
  std::mt19937_64 random(7);
  std::vector<std::string> sent;
  std::string stream;
  for (int i = 0; i < 200; ++i) {
    std::string bytes(1 + random() % (i % 10 == 0 ? 5000 : 40), 'a');
    for (char& byte : bytes) byte = static_cast<char>(random());
    stream += framed(bytes);
    sent.push_back(std::move(bytes));
  }
  for (const std::size_t cut_max : {std::size_t{1}, std::size_t{3}, std::size_t{700}, std::size_t{100000}}) {
    FrameReader reader(5000);
    std::vector<char> scratch(1024);
    std::vector<SharedBytes> frames;
    std::string_view rest = stream;
    while (!rest.empty()) {
      const std::span<char> space = reader.space(scratch);
      const std::size_t size = std::min({space.size(), rest.size(), 1 + random() % cut_max});
      std::ranges::copy(rest.substr(0, size), space.begin());
      ASSERT_TRUE(reader.received(scratch, size, frames));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(frames.size(), sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(frames[i].view(), sent[i]);
  }
}

// Pitfall F3: a length out of bounds reserves nothing and ends the stream.
TEST(FrameReader, RefusesLengthsOutOfBounds) {
  for (const std::uint32_t length : {0U, 101U, 0xffffffffU}) {
    FrameReader reader(100);
    std::vector<char> scratch(64);
    for (std::size_t i = 0; i < 4; ++i) scratch[i] = static_cast<char>((length >> (8 * i)) & 0xff);
    std::vector<SharedBytes> frames;
    EXPECT_FALSE(reader.received(scratch, 4, frames));
    EXPECT_EQ(reader.bad_length(), length);
  }
}

TEST(PeerNetwork, DialsBothLanesAndCarriesFramesInOrder) {
  Side a(1);
  Side b(2);
  a.dial(b.listen());
  settle({&a, &b}, [&] { return a.all<LinkUp>().size() == 2 && b.all<LinkUp>().size() == 2; });
  EXPECT_EQ(a.all<LinkUp>()[0].dialled_node, 2U);
  EXPECT_NE(a.all<LinkUp>()[0].lane, a.all<LinkUp>()[1].lane);
  EXPECT_EQ(b.all<LinkUp>()[0].dialled_node, 0U);

  const replica::LinkId link = a.all<LinkUp>()[0].link;
  const SharedBytes shared = SharedBytes::copy_of("shared");
  EXPECT_TRUE(a.network().send(link, frame_of("one")));
  EXPECT_TRUE(a.network().send(link, frame_of("two-", {shared, shared})));
  EXPECT_GT(a.network().unsent_bytes(link), 0U);
  settle({&a, &b}, [&] { return b.all<LinkInput>().size() == 2; });
  EXPECT_EQ(b.all<LinkInput>()[0].frame.view(), "one");
  EXPECT_EQ(b.all<LinkInput>()[1].frame.view(), "two-sharedshared");
  EXPECT_EQ(a.network().unsent_bytes(link), 0U);
  EXPECT_FALSE(a.network().send(replica::LinkId{999}, frame_of("x")));
}

TEST(PeerNetwork, WritesThatTheKernelDoesNotTakeWaitInOrder) {
  Side a(1);
  Side b(2);
  a.dial(b.listen());
  settle({&a, &b}, [&] { return a.all<LinkUp>().size() == 2; });
  const replica::LinkId link = a.all<LinkUp>()[0].link;
  std::mt19937_64 random(3);
  std::vector<std::string> sent;
  for (int i = 0; i < 64; ++i) {  // far more than a socket buffer holds
    std::string payload(random() % 400'000, static_cast<char>('a' + i % 26));
    const std::string header = std::to_string(i) + ":";
    ASSERT_TRUE(a.network().send(link, frame_of(header, {SharedBytes::copy_of(payload)})));
    sent.push_back(header + payload);
    if (i % 8 == 0) a.turn();
  }
  EXPECT_GT(a.network().unsent_bytes(link), 0U);
  settle({&a, &b}, [&] { return b.all<LinkInput>().size() == sent.size(); });
  const auto frames = b.all<LinkInput>();
  for (std::size_t i = 0; i < sent.size(); ++i) ASSERT_EQ(frames[i].frame.view(), sent[i]) << i;
  settle({&a, &b}, [&] { return a.network().unsent_bytes(link) == 0; });
}

TEST(PeerNetwork, GarbageLengthsEndOnlyTheirLink) {
  Side side(1);
  const std::uint16_t port = side.listen();
  const RawPeer good(port);
  const RawPeer bad(port);
  good.write(framed("hello"));
  bad.write(framed("first") + std::string(4, '\xff') + framed("never seen"));
  settle({&side}, [&] { return side.all<LinkDown>().size() == 1 && side.all<LinkInput>().size() == 2; });
  good.write(framed("still here"));
  settle({&side}, [&] { return side.all<LinkInput>().size() == 3; });
  EXPECT_EQ(side.all<LinkInput>()[2].frame.view(), "still here");
  ASSERT_EQ(side.all<LinkDown>().size(), 1U);
  EXPECT_TRUE(side.all<LinkDown>()[0].garbled);
}

TEST(PeerNetwork, ClosedLinksGiveNothingAnyMore) {
  Side side(1);
  const std::uint16_t port = side.listen();
  const RawPeer peer(port);
  settle({&side}, [&] { return side.all<LinkUp>().size() == 1; });
  const replica::LinkId link = side.all<LinkUp>()[0].link;
  peer.write(framed("late"));
  ASSERT_TRUE(side.network().send(link, frame_of("refused")));
  side.network().close_link(link);
  std::string received;
  settle({&side}, [&] { return (received += peer.read(100)).size() == framed("refused").size(); });
  EXPECT_EQ(received, framed("refused"));
  EXPECT_TRUE(side.all<LinkInput>().empty());
  EXPECT_TRUE(side.all<LinkDown>().empty());
}

TEST(PeerNetwork, TellsARefusedDialAndComesBackWhenThePeerDoes) {
  const std::uint16_t port = free_port();
  Side a(1);
  a.dial(port);
  settle({&a}, [&] { return a.all<DialFailed>().size() >= 2; });
  EXPECT_TRUE(a.all<DialFailed>()[0].refused);
  EXPECT_EQ(a.all<DialFailed>()[0].node, 2U);
  Side b(2);
  b.listen(port);
  settle({&a, &b}, [&] { return a.all<LinkUp>().size() == 2; });
  // No longer a peer: its links go, and no new ones come.
  a.network().set_peers({});
  settle({&a, &b}, [&] { return a.all<LinkDown>().size() == 2 && b.all<LinkDown>().size() == 2; });
  EXPECT_EQ(a.network().deadline_us(), std::numeric_limits<std::uint64_t>::max());
}

TEST(PeerNetwork, DialsNames) {
  Side a(1);
  Side b(2);
  a.dial(b.listen(), "localhost");
  settle({&a, &b}, [&] { return !a.all<LinkUp>().empty() || !a.all<DialFailed>().empty(); });
  // On a machine where the name is ::1 first nobody listens there; a name that is not found is never refused.
  EXPECT_TRUE(!a.all<LinkUp>().empty() || a.all<DialFailed>()[0].refused);
}

}  // namespace
}  // namespace redraft::net
