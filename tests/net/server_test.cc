#include "server/net/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

// A whole single node on a real directory, with its threads: run in the tsan preset, this is the check of the shell.
// The client runs on a thread of its own and shares nothing with the server but a unix socket.

namespace redraft::net {
namespace {

class Directory {
 public:
  Directory() {
    std::string pattern = testing::TempDir() + "redraft-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Connection {
 public:
  explicit Connection(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Connection() { close(fd_); }
  void send_text(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Until `end` is seen, or the server closes.
  [[nodiscard]] std::string receive(std::string_view end) const {
    std::string got;
    std::string bytes(65536, '\0');
    while (!got.ends_with(end)) {
      const ssize_t size = recv(fd_, bytes.data(), bytes.size(), 0);
      if (size <= 0) break;
      got.append(bytes, 0, static_cast<std::size_t>(size));
    }
    return got;
  }
  // Asks until the node has loaded its data and leads.
  [[nodiscard]] std::string ask(std::string_view request) const {
    for (;;) {
      send_text(request);
      const std::string reply = receive("\r\n");
      if (!reply.starts_with("-LOADING") && !reply.starts_with("-CLUSTERDOWN")) return reply;
    }
  }

 private:
  int fd_;
};

// Starts a node on `directory`, lets `use` talk to it from another thread, and returns the exit status. `use` ends with
// a SHUTDOWN.
template <class Use>
int serve(const std::string& directory, Use use) {
  std::vector<std::string> warnings;
  auto settings = replica::Settings::from_text(
      "port 0\npeer-port 1\nlog-segment-size 4mb\nunixsocket " + directory + "/socket\ndir " + directory + "/data\n",
      warnings);
  EXPECT_TRUE(settings.ok()) << settings.error().message;
  const auto files = posix_file_system();
  auto storage = replica::Storage::open(*files, settings->values().dir,
                                        {.segment_size = settings->values().log_segment_size, .seed = 1});
  EXPECT_TRUE(storage.ok()) << storage.error().message;
  Server server(*settings, *files, **storage);
  const Status listening = server.listen();
  EXPECT_TRUE(listening.ok()) << listening.error().message;
  std::thread client([&] { use(directory + "/socket"); });
  const int status = server.run();
  client.join();
  return status;
}

TEST(Server, KeepsItsDataOverARestart) {
  const Directory directory;
  EXPECT_EQ(serve(directory.path(),
                  [](const std::string& path) {
                    const Connection connection(path);
                    EXPECT_EQ(connection.ask("SET key value\r\n"), "+OK\r\n");
                    std::string pipeline;
                    for (int i = 0; i < 1000; ++i) pipeline += "INCR counter\r\n";
                    connection.send_text(pipeline);
                    EXPECT_TRUE(connection.receive(":1000\r\n").ends_with(":999\r\n:1000\r\n"));
                    connection.send_text("SHUTDOWN\r\n");
                    EXPECT_EQ(connection.receive("never"), "");
                  }),
            0);
  EXPECT_EQ(serve(directory.path(),
                  [](const std::string& path) {
                    const Connection connection(path);
                    EXPECT_EQ(connection.ask("INCR counter\r\n"), ":1001\r\n");
                    connection.send_text("GET key\r\n");
                    EXPECT_EQ(connection.receive("value\r\n"), "$5\r\nvalue\r\n");
                    connection.send_text("SHUTDOWN NOSAVE\r\n");
                    EXPECT_EQ(connection.receive("never"), "");
                  }),
            0);
}

TEST(Server, ManyClientsAtOnce) {
  const Directory directory;
  EXPECT_EQ(serve(directory.path(),
                  [](const std::string& path) {
                    std::vector<std::unique_ptr<Connection>> connections;
                    for (int i = 0; i < 50; ++i) connections.push_back(std::make_unique<Connection>(path));
                    EXPECT_EQ(connections[0]->ask("SET counter 0\r\n"), "+OK\r\n");
                    for (int round = 0; round < 20; ++round) {
                      for (const auto& connection : connections) connection->send_text("INCR counter\r\n");
                      for (const auto& connection : connections)
                        EXPECT_TRUE(connection->receive("\r\n").starts_with(":"));
                    }
                    connections[0]->send_text("GET counter\r\n");
                    EXPECT_EQ(connections[0]->receive("1000\r\n"), "$4\r\n1000\r\n");
                    connections[0]->send_text("SHUTDOWN\r\n");
                    EXPECT_EQ(connections[0]->receive("never"), "");
                  }),
            0);
}

}  // namespace
}  // namespace redraft::net
