#pragma once

#include <uv.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "server/net/frame_reader.h"
#include "server/net/handle.h"
#include "server/replica/host.h"

namespace redraft::net {

// One connected peer socket: frames in, frames out. Lives on the peer loop's thread. Frames given to `queue` leave
// together in one gather write at `flush`; what the kernel does not take waits as a libuv write that keeps the buffers
// alive, and later frames wait behind it.
class Link {
 public:
  // None of them may destroy the link before it returns.
  struct Events {
    std::function<void(Link&, SharedBytes)> frame;
    std::function<void(Link&)> writable;                         // an earlier write is done and frames wait for `flush`
    std::function<void(Link&, const std::string& reason)> down;  // once; nothing comes from the link afterwards
  };

  // Takes a connected socket and starts to read. `scratch` is shared by all links and outlives them.
  Link(replica::LinkId id, UniqueStream socket, std::span<char> scratch, std::size_t frame_max, const Events& events);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  [[nodiscard]] replica::LinkId id() const { return id_; }
  // It went down since what came is no frame.
  [[nodiscard]] bool garbled() const { return garbled_; }
  // This end's address without the port; empty if the system does not say.
  [[nodiscard]] std::string local_host() const;
  // Closes the socket and drops what is unsent; `down` is not called.
  void close();

  // Puts the length in front.
  void queue(replica::Frame frame);
  [[nodiscard]] bool has_queued() const { return !queued_.empty(); }
  // True when a write had to be left to libuv, which only watches the socket after its loop has run once.
  bool flush();
  // Bytes queued and not yet taken by the kernel.
  [[nodiscard]] std::size_t unsent_bytes() const { return queued_bytes_ + writing_bytes_; }

 private:
  struct Write;

  static void allocate(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer);
  static void read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
  void received(std::size_t size);
  void fail(const std::string& reason);

  replica::LinkId id_;
  UniqueStream socket_;
  std::span<char> scratch_;
  FrameReader reader_;
  const Events& events_;
  bool up_ = true;
  bool garbled_ = false;
  std::vector<SharedBytes> arrived_;  // empty between reads; kept for its memory

  std::vector<replica::Frame> queued_;
  std::size_t queued_bytes_ = 0;
  std::size_t writing_bytes_ = 0;  // in a Write that has not completed; nothing else is written meanwhile
  std::vector<uv_buf_t> buffers_;  // of one flush; kept for its memory
};

}  // namespace redraft::net
