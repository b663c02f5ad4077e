// Closed-loop load for bench/compare: `connections` sockets, each with `pipeline` commands in flight.
//   bench_client PORT set|get|mixed|load CONNECTIONS PIPELINE REQUESTS KEYSPACE [VALUE_BYTES]
// mixed alternates SET and GET inside every pipeline; load writes each key of the keyspace once, in order. Keys have 16
// bytes. Prints one line: requests per second, p50 ms, p99 ms of a pipeline's round trip. An error reply ends it
// with 1.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& reason) {
  std::fprintf(stderr, "bench_client: %s\n", reason.c_str());
  std::exit(1);
}

struct Plan {
  std::string mode;
  int pipeline;
  std::uint64_t requests;
  std::uint64_t keyspace;
  std::string value;
  std::uint64_t sent = 0;
  std::mt19937_64 random{42};

  void append_key(std::string& out) {
    const std::uint64_t key = mode == "load" ? sent % keyspace : random() % keyspace;
    char text[32];
    const int size = std::snprintf(text, sizeof text, "$16\r\nkey:%012llu\r\n", static_cast<unsigned long long>(key));
    out.append(text, static_cast<std::size_t>(size));
  }

  // One pipeline of requests; returns how many.
  int append_batch(std::string& out) {
    int count = 0;
    for (; count < pipeline && sent < requests; ++count, ++sent) {
      if (mode == "get" || (mode == "mixed" && count % 2 == 1)) {
        out += "*2\r\n$3\r\nGET\r\n";
        append_key(out);
      } else {
        out += "*3\r\n$3\r\nSET\r\n";
        append_key(out);
        out += "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
      }
    }
    return count;
  }
};

// Length of the first whole reply (+, : or $), 0 when more bytes are needed.
std::size_t reply_size(std::string_view in) {
  const std::size_t line = in.find("\r\n");
  if (line == std::string_view::npos) {
    return 0;
  }
  if (in[0] == '-') {
    fail("error reply: " + std::string(in.substr(0, line)));
  }
  if (in[0] != '$' || in[1] == '-') {
    return line + 2;
  }
  const std::size_t whole = line + 2 + static_cast<std::size_t>(std::atoll(in.data() + 1)) + 2;
  return in.size() < whole ? 0 : whole;
}

struct Connection {
  int socket = -1;
  int awaited = 0;
  std::string in;
  std::size_t parsed = 0;
  Clock::time_point sent_at;

  bool send_batch(Plan& plan) {
    std::string out;
    awaited = plan.append_batch(out);
    sent_at = Clock::now();
    for (std::size_t done = 0; done < out.size();) {
      const ssize_t written = write(socket, out.data() + done, out.size() - done);
      if (written < 0) {
        fail(std::string("write: ") + std::strerror(errno));
      }
      done += static_cast<std::size_t>(written);
    }
    return awaited > 0;
  }

  // True when the whole batch is answered.
  bool receive() {
    char chunk[65536];
    const ssize_t size = read(socket, chunk, sizeof chunk);
    if (size <= 0) {
      fail("connection lost");
    }
    in.append(chunk, static_cast<std::size_t>(size));
    while (awaited > 0 && parsed < in.size()) {
      const std::size_t reply = reply_size(std::string_view(in).substr(parsed));
      if (reply == 0) {
        return false;
      }
      parsed += reply;
      --awaited;
    }
    if (awaited == 0) {
      in.clear();
      parsed = 0;
    }
    return awaited == 0;
  }
};

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail(std::string("connect: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    fail("usage: bench_client PORT set|get|mixed|load CONNECTIONS PIPELINE REQUESTS KEYSPACE [VALUE_BYTES]");
  }
  Plan plan{argv[2], std::atoi(argv[4]), std::strtoull(argv[5], nullptr, 10), std::strtoull(argv[6], nullptr, 10),
            std::string(static_cast<std::size_t>(argc > 7 ? std::atoi(argv[7]) : 100), 'x')};
  std::vector<Connection> connections(static_cast<std::size_t>(std::atoi(argv[3])));
  const int poll = epoll_create1(0);
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i].socket = connect_to(std::atoi(argv[1]));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(poll, EPOLL_CTL_ADD, connections[i].socket, &event);
  }
  const Clock::time_point start = Clock::now();
  std::vector<double> latencies_ms;
  int busy = 0;
  for (Connection& connection : connections) {
    busy += connection.send_batch(plan) ? 1 : 0;
  }
  std::vector<epoll_event> events(connections.size());
  while (busy > 0) {
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 30000);
    if (ready <= 0) {
      fail("no reply for 30 s");
    }
    for (int i = 0; i < ready; ++i) {
      Connection& connection = connections[events[static_cast<std::size_t>(i)].data.u64];
      if (connection.receive()) {
        latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - connection.sent_at).count());
        busy -= connection.send_batch(plan) ? 0 : 1;
      }
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(latencies_ms.begin(), latencies_ms.end());
  const auto at = [&](double part) {
    return latencies_ms[static_cast<std::size_t>(part * static_cast<double>(latencies_ms.size() - 1))];
  };
  std::printf("%.0f %.3f %.3f\n", static_cast<double>(plan.sent) / seconds, at(0.5), at(0.99));
  return 0;
}
