#include "server/net/clients.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/net/listener.h"

// Client connections over real sockets, with a replica that answers every line with what the test says.

namespace redraft::net {
namespace {

class FakeReplica final : public ClientSink {
 public:
  void begin_turn() override {
    if (clients != nullptr) clients->report_closed();
  }
  replica::Session& client_connected(replica::ClientAddress address) override {
    addresses.push_back(address);
    sessions.push_back(std::make_unique<replica::Session>(sessions.size() + 1, std::move(address)));
    sessions.back()->authenticated = !password;
    return *sessions.back();
  }
  std::span<char> input_space(replica::Session& session, std::size_t suggested) override {
    offered = suggested;
    const std::size_t have = session.input.size();
    session.input.resize(have + suggested);
    return {session.input.data() + have, suggested};
  }
  void client_input(replica::Session& session, std::size_t size) override {
    session.input.resize(session.input.size() - offered + size);
    if (size == 0) return;
    if (on_input) on_input(session);
  }
  void client_closed(replica::Session& session) override { closed.push_back(session.id()); }
  bool admit_admin(const replica::ClientAddress&) const override { return admit; }
  void count_written(std::size_t bytes) override { written += bytes; }
  void count_rejected() override { ++rejected; }
  void count_output_limit() override { ++over_limit; }
  void count_evicted() override { ++evicted; }
  std::uint64_t clients_memory_max() override { return memory_max; }

  Clients* clients = nullptr;
  std::function<void(replica::Session&)> on_input;
  std::vector<std::unique_ptr<replica::Session>> sessions;
  std::vector<replica::ClientAddress> addresses;
  std::vector<std::uint64_t> closed;
  std::size_t offered = 0;
  std::size_t written = 0;
  int rejected = 0;
  int over_limit = 0;
  int evicted = 0;
  std::uint64_t memory_max = 0;
  bool admit = false;
  bool password = false;
};

class ClientsTest : public testing::Test {
 protected:
  static constexpr int kTurnsMax = 20'000'000;  // far more than any test takes

  ClientsTest() {
    replica_.clients = &clients_;
    const auto address = parse_listen_address("127.0.0.1", 0);
    auto listener = Listener::tcp(loop_.get(), *address, 511,
                                  [this](UniqueStream socket) { clients_.accept(std::move(socket), {}); });
    EXPECT_TRUE(listener.ok());
    listener_ = std::move(listener).value();
    sockaddr_in name{};
    socklen_t size = sizeof(name);
    uv_os_fd_t fd = -1;
    uv_fileno(reinterpret_cast<uv_handle_t*>(listener_->stream()), &fd);
    getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
  }

  int connect_client() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    static_cast<void>(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
    return fd;
  }
  template <class Reached>
  void turns_until(Reached reached) {
    for (int turn = 0; !reached(); ++turn) {
      ASSERT_LT(turn, kTurnsMax);
      replica_.begin_turn();
      uv_run(loop_.get(), UV_RUN_NOWAIT);
      clients_.flush(now_us_);
    }
  }
  // Reads until the server closes.
  std::string read_all(int fd) {
    std::string got;
    bool end = false;
    turns_until([&] {
      std::string bytes(65536, '\0');
      const ssize_t size = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      end = size == 0 || (size < 0 && errno != EAGAIN && errno != ENOTCONN);
      if (size > 0) got.append(bytes, 0, static_cast<std::size_t>(size));
      return end;
    });
    return got;
  }
  std::string read_bytes(int fd, std::size_t size) {
    std::string got;
    turns_until([&] {
      std::string bytes(size - got.size(), '\0');
      const ssize_t count = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (count > 0) got.append(bytes, 0, static_cast<std::size_t>(count));
      return got.size() == size;
    });
    return got;
  }
  void send_all(int fd, std::string_view bytes) {
    turns_until([&] {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      return bytes.empty() || (sent < 0 && errno != EAGAIN);
    });
  }
  void answer(replica::Session& session, std::string_view reply) {
    session.output() += reply;
    clients_.output_ready(session);
  }

  Loop loop_;
  replica::Values settings_;
  FakeReplica replica_;
  Clients clients_{replica_, settings_};
  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
  std::uint64_t now_us_ = 1'000'000;
};

TEST_F(ClientsTest, AnswersOncePerTurnInOrder) {
  replica_.on_input = [&](replica::Session& session) {
    answer(session, "+one\r\n");
    answer(session, "+two\r\n");
    session.input.clear();
  };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  EXPECT_EQ(replica_.addresses[0].peer.substr(0, 10), "127.0.0.1:");
  EXPECT_EQ(replica_.addresses[0].local, "127.0.0.1:" + std::to_string(port_));
  EXPECT_TRUE(replica_.addresses[0].loopback);
  send_all(fd, "x");
  EXPECT_EQ(read_bytes(fd, 12), "+one\r\n+two\r\n");
  EXPECT_EQ(replica_.written, 12U);
  EXPECT_EQ(replica_.sessions[0]->bytes_out, 12U);
  close(fd);
  turns_until([&] { return replica_.closed.size() == 1; });
  EXPECT_EQ(clients_.count(), 0U);
}

TEST_F(ClientsTest, MaxclientsRefusesAllButAdmins) {
  settings_.maxclients = 1;
  const int first = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  const int second = connect_client();
  EXPECT_EQ(read_all(second), "-ERR max number of clients reached\r\n");
  EXPECT_EQ(replica_.rejected, 1);
  replica_.admit = true;
  const int third = connect_client();
  turns_until([&] { return clients_.count() == 2; });
  EXPECT_TRUE(replica_.sessions.back()->admin);
  for (const int fd : {first, second, third}) close(fd);
}

// The client goes away in the middle of a command, or stops reading; others do not notice.
TEST_F(ClientsTest, ASlowReaderGetsEverythingLater) {
  const std::string big(8 << 20, 'x');
  replica_.on_input = [&](replica::Session& session) {
    answer(session, session.input == "big" ? big : "+small\r\n");
    session.input.clear();
  };
  const int slow = connect_client();
  const int other = connect_client();
  turns_until([&] { return clients_.count() == 2; });
  send_all(slow, "big");
  turns_until([&] { return replica_.written > 0; });
  send_all(other, "x");
  EXPECT_EQ(read_bytes(other, 8), "+small\r\n");
  send_all(slow, "x");
  EXPECT_FALSE(clients_.all_written());
  EXPECT_EQ(read_bytes(slow, big.size() + 8), big + "+small\r\n");
  turns_until([&] { return clients_.all_written(); });
  close(slow);
  close(other);
}

TEST_F(ClientsTest, OutputBeyondTheHardLimitEndsTheClient) {
  settings_.output_normal.hard_bytes = 1 << 20;
  replica_.on_input = [&](replica::Session& session) {
    answer(session, std::string(16 << 20, 'x'));
    session.input.clear();
  };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  send_all(fd, "x");
  turns_until([&] { return replica_.closed.size() == 1; });
  EXPECT_EQ(replica_.over_limit, 1);
  close(fd);
}

TEST_F(ClientsTest, OutputBeyondTheSoftLimitMayStayForItsTime) {
  settings_.output_normal.soft_bytes = 1 << 20;
  settings_.output_normal.soft_seconds = 10;
  replica_.on_input = [&](replica::Session& session) {
    answer(session, std::string(16 << 20, 'x'));
    session.input.clear();
  };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  send_all(fd, "x");
  turns_until([&] { return replica_.written > 0 || !clients_.all_written(); });
  now_us_ += 9'000'000;
  clients_.sweep(now_us_);
  EXPECT_EQ(replica_.over_limit, 0);
  now_us_ += 2'000'000;
  clients_.sweep(now_us_);
  EXPECT_EQ(replica_.over_limit, 1);
  close(fd);
}

TEST_F(ClientsTest, InputBeyondTheQueryBufferLimitEndsTheClient) {
  settings_.client_query_buffer_limit = 1 << 20;  // nothing is consumed
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  const std::string chunk(65536, 'x');
  turns_until([&] {
    static_cast<void>(send(fd, chunk.data(), chunk.size(), MSG_NOSIGNAL));
    return replica_.closed.size() == 1;
  });
  close(fd);
}

TEST_F(ClientsTest, CloseClientWritesFirst) {
  replica_.on_input = [&](replica::Session& session) {
    answer(session, "+OK\r\n");
    clients_.close_client(session);
  };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  send_all(fd, "QUIT");
  EXPECT_EQ(read_all(fd), "+OK\r\n");
  turns_until([&] { return replica_.closed.size() == 1; });
  close(fd);
}

// `printf 'SET a b\r\n' | nc` shuts its side at once; the reply comes when the log has it.
TEST_F(ClientsTest, AHalfClosedClientStillGetsWhatIsPending) {
  replica_.on_input = [&](replica::Session& session) {
    session.pending.push_back({});
    session.input.clear();
  };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  send_all(fd, "SET");
  shutdown(fd, SHUT_WR);
  turns_until([&] { return !replica_.sessions[0]->pending.empty(); });
  for (int i = 0; i < 10; ++i) turns_until([done = false]() mutable { return std::exchange(done, true); });
  EXPECT_TRUE(replica_.closed.empty());
  replica_.sessions[0]->pending.clear();
  answer(*replica_.sessions[0], "+OK\r\n");
  EXPECT_EQ(read_all(fd), "+OK\r\n");
  close(fd);
}

TEST_F(ClientsTest, AHalfClosedBlockedClientIsGone) {
  replica_.on_input = [&](replica::Session& session) { session.hold(replica::Hold::kBlocked); };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  send_all(fd, "BLPOP");
  shutdown(fd, SHUT_WR);
  turns_until([&] { return replica_.closed.size() == 1; });
  close(fd);
}

TEST_F(ClientsTest, PausedClientsAreNotRead) {
  int inputs = 0;
  replica_.on_input = [&](replica::Session& session) {
    ++inputs;
    session.input.clear();
    clients_.pause_reading(session);
  };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  send_all(fd, "one");
  turns_until([&] { return inputs == 1; });
  send_all(fd, "two");
  for (int i = 0; i < 10; ++i) turns_until([done = false]() mutable { return std::exchange(done, true); });
  EXPECT_EQ(inputs, 1);
  clients_.resume_reading(*replica_.sessions[0]);
  turns_until([&] { return inputs == 2; });
  close(fd);
}

// Back-pressure: what waits behind a held request is bounded, and nothing of it is lost.
TEST_F(ClientsTest, AHeldClientIsNotReadWithoutBound) {
  replica_.on_input = [&](replica::Session& session) { session.hold(replica::Hold::kBackPressure); };
  const int fd = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  const std::string chunk(65536, 'x');
  std::size_t sent = 0;
  int refusals = 0;
  turns_until([&] {  // until neither side's socket buffer takes more
    const ssize_t size = send(fd, chunk.data(), chunk.size(), MSG_NOSIGNAL);
    if (size > 0) sent += static_cast<std::size_t>(size);
    refusals = size > 0 ? 0 : refusals + 1;
    return refusals == 100;
  });
  replica::Session& session = *replica_.sessions[0];
  EXPECT_LT(session.input.size(), std::size_t{3} << 20);
  EXPECT_LT(session.input.size(), sent);
  replica_.on_input = nullptr;
  session.release(replica::Hold::kBackPressure);
  turns_until([&] { return session.input.size() == sent; });
  close(fd);
}

// All clients together: one unfinished request after the other, the first whatever its length, short ones always.
TEST_F(ClientsTest, UnfinishedRequestsOfAllClientsAreBounded) {
  settings_.client_memory_max = 100'000;
  std::vector<int> fds;
  for (std::size_t i = 0; i < 4; ++i) {
    fds.push_back(connect_client());
    turns_until([&] { return clients_.count() == i + 1; });
  }
  const auto input = [&](std::size_t i) -> std::string& { return replica_.sessions[i]->input; };
  const auto some_turns = [&] {
    int turns = 0;
    turns_until([&] { return ++turns == 100; });
  };
  send_all(fds[0], std::string(200'000, 'x'));
  turns_until([&] { return input(0).size() == 200'000; });
  send_all(fds[1], std::string(60'000, 'y'));
  send_all(fds[2], std::string(60'000, 'z'));
  send_all(fds[3], "PING\r\n");
  some_turns();
  EXPECT_LT(input(1).size() + input(2).size(), 20'000U);
  EXPECT_EQ(input(3), "PING\r\n");
  send_all(fds[0], std::string(50'000, 'x'));
  turns_until([&] { return input(0).size() == 250'000; });
  input(0).clear();  // its request is complete: there is room for both, and nothing of them is lost
  turns_until([&] { return input(1).size() == 60'000 && input(2).size() + input(1).size() > 100'000; });
  turns_until([&] { return input(1).size() + input(2).size() == 120'000; });
  // Whoever stops in the middle while others wait makes room.
  send_all(fds[1], std::string(300'000, 'y'));
  send_all(fds[2], std::string(300'000, 'z'));
  some_turns();
  const bool second_leads = input(1).size() == 360'000;
  EXPECT_NE(second_leads, input(2).size() == 360'000);
  for (std::uint64_t second = 1; second <= 6; ++second) clients_.sweep(second * 1'000'000);
  EXPECT_EQ(clients_.count(), 3U);
  turns_until([&] { return input(second_leads ? 2 : 1).size() == 360'000; });
  for (const int fd : fds) close(fd);
}

// maxmemory-clients: the largest goes first, whether it sent too much or does not read what it asked for.
TEST_F(ClientsTest, TheLargestClientsLeavePastTheirMemoryLimit) {
  std::vector<int> fds;
  for (std::size_t i = 0; i < 4; ++i) {
    fds.push_back(connect_client());
    turns_until([&] { return clients_.count() == i + 1; });
    const std::size_t size = std::size_t{50'000} << (2 * i);
    send_all(fds[i], std::string(size, 'x'));
    turns_until([&] { return replica_.sessions[i]->input.size() == size; });
  }
  replica_.sessions[3]->no_evict = true;
  std::uint64_t all = 0;
  for (const auto& session : replica_.sessions) all += session->memory();
  const auto one_turn = [&] {
    bool over = false;
    turns_until([&] { return std::exchange(over, true); });
  };
  one_turn();
  EXPECT_EQ(replica_.evicted, 0);  // no limit, as Redis starts
  settings_.maxmemory_clients = 1;
  replica_.memory_max = all;
  turns_until([&] { return !replica_.closed.empty(); });
  EXPECT_EQ(replica_.closed, std::vector<std::uint64_t>{3});  // of those that may go, the largest is enough
  replica_.sessions[0]->output().assign(40'000'000, 'y');     // more than any socket takes
  clients_.output_ready(*replica_.sessions[0]);
  turns_until([&] { return replica_.closed.size() == 2; });
  EXPECT_EQ(replica_.closed.back(), 1U);
  replica_.memory_max = 100'000;
  turns_until([&] { return replica_.closed.size() == 3; });
  one_turn();
  EXPECT_EQ(clients_.count(), 1U);  // it said CLIENT NO-EVICT ON
  EXPECT_EQ(replica_.evicted, 3);
  settings_.maxmemory_clients = 0;
  clients_.sweep(2'000'000);
  for (const int fd : fds) close(fd);
}

TEST_F(ClientsTest, IdleClientsLeaveButBlockedOnesStay) {
  settings_.timeout_s = 5;
  replica_.on_input = [&](replica::Session& session) { session.hold(replica::Hold::kBlocked); };
  const int idle = connect_client();
  const int blocked = connect_client();
  turns_until([&] { return clients_.count() == 2; });
  send_all(blocked, "BLPOP");
  turns_until(
      [&] { return std::ranges::any_of(replica_.sessions, [](const auto& session) { return session->held(); }); });
  clients_.sweep(4'000'000);
  EXPECT_EQ(clients_.count(), 2U);
  clients_.sweep(6'000'000);
  EXPECT_EQ(clients_.count(), 1U);
  close(idle);
  close(blocked);
}

// The descriptor of a closed connection is given to the next one; what the replica still says about the old session
// must not reach the new client.
TEST_F(ClientsTest, ASessionOfAReusedDescriptorIsNotTheNewClient) {
  const int first = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  close(first);
  turns_until([&] { return clients_.count() == 0; });
  const int second = connect_client();
  turns_until([&] { return clients_.count() == 1; });
  ASSERT_EQ(replica_.addresses[0].fd, replica_.addresses[1].fd);
  answer(*replica_.sessions[0], "+not for you\r\n");
  clients_.close_client(*replica_.sessions[0]);
  answer(*replica_.sessions[1], "+yours\r\n");
  EXPECT_EQ(read_bytes(second, 8), "+yours\r\n");
  EXPECT_EQ(clients_.count(), 1U);
  close(second);
}

TEST(ListenAddress, UnderstandsRedisNotation) {
  const auto any = parse_listen_address("*", 1);
  ASSERT_TRUE(any.ok());
  EXPECT_EQ(format_address(any->address), "0.0.0.0:1");
  const auto any6 = parse_listen_address("-::*", 2);
  ASSERT_TRUE(any6.ok());
  EXPECT_TRUE(any6->optional);
  EXPECT_EQ(format_address(any6->address), "[::]:2");
  const auto loopback = parse_listen_address("::1", 3);
  ASSERT_TRUE(loopback.ok());
  EXPECT_TRUE(is_loopback(loopback->address));
  EXPECT_FALSE(parse_listen_address("1.2.3.4.5.6.7.8", 3).ok());
  EXPECT_FALSE(parse_listen_address("::zz", 3).ok());
}

}  // namespace
}  // namespace redraft::net
