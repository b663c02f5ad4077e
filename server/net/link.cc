#include "server/net/link.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

namespace redraft::net {
namespace {

// libuv takes buffers as char*, and only reads what is written.
uv_buf_t buffer_of(std::string_view bytes) {
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

std::size_t size_of(const replica::Frame& frame) {
  std::size_t size = frame.header.size();
  for (const SharedBytes& payload : frame.payloads) size += payload.size();
  return size;
}

// The buffers of all frames but for the first `skip` bytes.
void gather(const std::vector<replica::Frame>& frames, std::size_t skip, std::vector<uv_buf_t>& into) {
  into.clear();
  const auto add = [&](std::string_view bytes) {
    const std::size_t dropped = std::min(skip, bytes.size());
    skip -= dropped;
    if (dropped < bytes.size()) into.push_back(buffer_of(bytes.substr(dropped)));
  };
  for (const replica::Frame& frame : frames) {
    add(frame.header);
    for (const SharedBytes& payload : frame.payloads) add(payload.view());
  }
}

}  // namespace

// A write that the kernel did not take at once. Freed in its callback, which may come after the link is gone.
struct Link::Write {
  uv_write_t request{};
  std::vector<replica::Frame> frames;
};

Link::Link(replica::LinkId id, UniqueStream socket, std::span<char> scratch, std::size_t frame_max,
           const Events& events)
    : id_(id), socket_(std::move(socket)), scratch_(scratch), reader_(frame_max), events_(events) {
  socket_->handle.data = this;
  ensure(uv_read_start(&socket_->stream, &Link::allocate, &Link::read) == 0, "a connected socket can be read");
}

std::string Link::local_host() const {
  sockaddr_storage address{};
  int size = sizeof(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (uv_tcp_getsockname(&socket_->tcp, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return uv_ip_name(reinterpret_cast<const sockaddr*>(&address), text.data(), text.size()) == 0 ? text.data() : "";
}

void Link::allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  auto* self = static_cast<Link*>(handle->data);
  if (self == nullptr) {
    *buffer = uv_buf_init(nullptr, 0);
    return;
  }
  const std::span<char> space = self->reader_.space(self->scratch_);
  *buffer = uv_buf_init(space.data(), static_cast<unsigned>(space.size()));
}

void Link::read(uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
  auto* self = static_cast<Link*>(stream->data);
  if (self == nullptr || size == 0) return;
  if (size < 0) {
    self->fail(size == UV_EOF ? "closed by the peer" : uv_strerror(static_cast<int>(size)));
    return;
  }
  self->received(static_cast<std::size_t>(size));
}

void Link::received(std::size_t size) {
  const bool sound = reader_.received(scratch_, size, arrived_);
  for (SharedBytes& frame : arrived_) events_.frame(*this, std::move(frame));
  arrived_.clear();
  if (sound) return;
  garbled_ = true;
  fail("a frame of " + std::to_string(reader_.bad_length()) + " bytes was announced");
}

void Link::close() {
  up_ = false;
  socket_.reset();
}

void Link::fail(const std::string& reason) {
  if (!up_) return;
  close();
  events_.down(*this, reason);
}

void Link::queue(replica::Frame frame) {
  const auto length = static_cast<std::uint32_t>(size_of(frame));
  std::array<char, FrameReader::kLengthBytes> prefix{};
  for (std::size_t i = 0; i < prefix.size(); ++i) prefix[i] = static_cast<char>((length >> (8 * i)) & 0xff);
  frame.header.insert(0, prefix.data(), prefix.size());
  queued_bytes_ += prefix.size() + length;
  queued_.push_back(std::move(frame));
}

bool Link::flush() {
  if (!up_ || queued_.empty() || writing_bytes_ > 0) return false;
  gather(queued_, 0, buffers_);
  const int sent = uv_try_write(&socket_->stream, buffers_.data(), static_cast<unsigned>(buffers_.size()));
  if (sent < 0 && sent != UV_EAGAIN) {
    fail(uv_strerror(sent));
    return false;
  }
  const std::size_t taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
  if (taken == queued_bytes_) {
    queued_.clear();
    queued_bytes_ = 0;
    return false;
  }
  auto write = std::make_unique<Write>();
  write->frames = std::exchange(queued_, {});
  writing_bytes_ = std::exchange(queued_bytes_, 0) - taken;
  gather(write->frames, taken, buffers_);
  write->request.data = write.get();
  const int result = uv_write(&write->request, &socket_->stream, buffers_.data(),
                              static_cast<unsigned>(buffers_.size()), [](uv_write_t* request, int status) {
                                const std::unique_ptr<Write> done(static_cast<Write*>(request->data));
                                auto* self = static_cast<Link*>(request->handle->data);
                                if (self == nullptr) return;
                                self->writing_bytes_ = 0;
                                if (status < 0) {
                                  self->fail(uv_strerror(status));
                                  return;
                                }
                                if (self->has_queued()) self->events_.writable(*self);
                              });
  if (result < 0) {
    fail(uv_strerror(result));
    return false;
  }
  static_cast<void>(write.release());
  return true;
}

}  // namespace redraft::net
