#pragma once

#include <uv.h>

#include <cstdint>

#include "server/net/client_sink.h"
#include "server/net/handle.h"
#include "server/replica/session.h"
#include "server/replica/settings.h"

namespace redraft::net {

class Clients;

// One client connection: the socket of one replica::Session. Reads straight into the session's input; writes its output
// once per turn. Owned by `Clients`, which also decides when it goes.
class Client {
 public:
  // Starts to read. `clients` outlives it.
  Client(Clients& clients, UniqueStream socket, replica::Session& session, std::uint64_t number);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] replica::Session& session() { return session_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }

  // Who does not want input: the replica, or the host because too much of it waits behind a held request, or because
  // all clients together have sent too much of unfinished ones.
  enum class Pause : std::uint8_t { kReplica = 1, kFull = 2, kCrowd = 4 };
  void pause(Pause reason);
  void resume(Pause reason);
  // Writes what the session has, one system call if the kernel takes all of it. What it does not take is left to libuv,
  // and later output waits in the session.
  void flush();
  // Outside the main loop's run (busy_clients.h): what there is to read, at once. libuv's view of the socket stays
  // true, since it asks the kernel anew whenever its loop runs.
  void read_now();
  [[nodiscard]] bool reading() const { return reading_; }
  [[nodiscard]] int descriptor() const { return session_.address().fd; }
  // No more input; gone once everything is written.
  void close_after_output();
  // No more input or output, now. The session is told by `Clients`.
  void close();

  [[nodiscard]] bool closed() const { return socket_ == nullptr; }
  // Everything the replica has answered is in the kernel's hands.
  [[nodiscard]] bool all_written() const { return session_.output_at_host == 0 && unsent_in_session() == 0; }
  [[nodiscard]] std::size_t unsent_bytes() const { return session_.output_at_host + unsent_in_session(); }
  // Closing, and nothing is left to wait for.
  [[nodiscard]] bool finished() const;

  // Has exceeded client-output-buffer-limit: hard_bytes now, or soft_bytes for all of soft_seconds.
  [[nodiscard]] bool over_limit(const replica::OutputLimit& limit, std::uint64_t now_us);

  // A large buffer that was kept for its next output is not needed, as it seems.
  void give_back_output();

  [[nodiscard]] std::size_t unparsed_bytes() const { return session_.input.size() - session_.input_begin; }

  // Of Clients.
  bool queued_for_flush = false;
  std::size_t counted_bytes = 0;  // unparsed ones, as they were counted last
  std::size_t kept_bytes = 0;     // of a large output buffer that it keeps while it is empty

  // Of ClientEviction.
  std::size_t counted_memory = 0;
  std::uint64_t memory_epoch = 0;

 private:
  struct Write;

  static void allocate(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer);
  static void read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
  void received(ssize_t size, std::size_t space);
  void hang_up();
  void read_or_stop();
  [[nodiscard]] std::size_t unsent_in_session() const { return session_.output().size() - session_.output_sent; }
  void wrote(std::size_t size);
  void keep_output();
  void write_rest();

  Clients& clients_;
  UniqueStream socket_;
  replica::Session& session_;
  std::uint64_t number_;  // position in the order of connections, never reused
  std::size_t read_size_;
  std::uint64_t soft_limit_since_us_ = 0;
  std::uint8_t pauses_ = 0;
  bool reading_ = false;
  bool closing_ = false;       // close_after_output
  bool peer_is_done_ = false;  // the client will send no more, but may still read replies
};

}  // namespace redraft::net
