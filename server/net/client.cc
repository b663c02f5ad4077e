#include "server/net/client.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "server/net/clients.h"

namespace redraft::net {
namespace {

// Idle clients should hold little memory and busy ones make few system calls, so the space offered to a read follows
// what the last ones brought.
constexpr std::size_t kReadMin = 1024;
constexpr std::size_t kReadMax = std::size_t{1} << 20;
constexpr std::size_t kOutputKept = 16384;  // every client may keep an emptied output buffer of this size

}  // namespace

// Output that the kernel did not take at once. Freed in its callback, which may come after the client is gone.
struct Client::Write {
  uv_write_t request{};
  std::string bytes;
  std::size_t written = 0;
};

Client::Client(Clients& clients, UniqueStream socket, replica::Session& session, std::uint64_t number)
    : clients_(clients), socket_(std::move(socket)), session_(session), number_(number), read_size_(kReadMin) {
  socket_->handle.data = this;
  read_or_stop();
}

void Client::pause(Pause reason) {
  pauses_ = static_cast<std::uint8_t>(pauses_ | static_cast<std::uint8_t>(reason));
  read_or_stop();
}

void Client::resume(Pause reason) {
  pauses_ = static_cast<std::uint8_t>(pauses_ & ~static_cast<std::uint8_t>(reason));
  read_or_stop();
}

void Client::read_or_stop() {
  const bool reading = pauses_ == 0 && !closing_ && !peer_is_done_;
  if (closed() || reading == reading_) return;
  reading_ = reading;
  if (reading) {
    ensure(uv_read_start(&socket_->stream, &Client::allocate, &Client::read) == 0, "a connected socket can be read");
  } else {
    uv_read_stop(&socket_->stream);
  }
}

void Client::allocate(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  auto* self = static_cast<Client*>(handle->data);
  if (self == nullptr) {
    *buffer = uv_buf_init(nullptr, 0);
    return;
  }
  // Before the space is taken: nothing may touch the session between here and `received`.
  self->clients_.sink().begin_turn();
  const std::span<char> space = self->clients_.sink().input_space(self->session_, self->read_size_);
  const std::size_t size = std::min<std::size_t>(space.size(), std::numeric_limits<int>::max());
  *buffer = uv_buf_init(space.data(), static_cast<unsigned>(size));
}

void Client::read_now() {
  uv_buf_t buffer{};
  allocate(&socket_->handle, read_size_, &buffer);
  const ssize_t size = ::read(descriptor(), buffer.base, buffer.len);
  if (size > 0) return received(size, buffer.len);
  if (size == 0) return received(UV_EOF, buffer.len);
  const bool later = errno == EAGAIN || errno == EINTR;
  received(later ? 0 : UV_EIO, buffer.len);
}

void Client::read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  if (auto* self = static_cast<Client*>(stream->data)) self->received(size, buffer->len);
}

void Client::received(ssize_t size, std::size_t space) {
  if (size > 0) {
    const auto bytes = static_cast<std::size_t>(size);
    if (bytes == space) {
      read_size_ = std::min(read_size_ * 4, kReadMax);
    } else if (bytes < read_size_ / 4) {
      read_size_ = std::max(read_size_ / 2, kReadMin);
    }
    clients_.sink().client_input(session_, bytes);
    clients_.check_input(*this);
    return;
  }
  clients_.sink().client_input(session_, 0);  // gives the unused space back
  if (size == 0) return;
  if (size == UV_EOF) {
    hang_up();
  } else {
    clients_.drop(*this);
  }
}

// The client has shut its side. As in Redis a blocked client is gone with that; but unlike in Redis the replies to what
// it sent before may still be on their way through the log, and `printf ... | nc` wants to see them.
void Client::hang_up() {
  peer_is_done_ = true;
  read_or_stop();
  if (session_.held(replica::Hold::kBlocked) || finished()) {
    clients_.drop(*this);
  } else {
    clients_.watch_end(*this);
  }
}

bool Client::finished() const {
  if (!all_written()) return false;
  return closing_ || (peer_is_done_ && session_.pending.empty() && !session_.held());
}

void Client::close_after_output() {
  if (closed()) return;
  closing_ = true;
  read_or_stop();
}

void Client::close() {
  socket_.reset();
  reading_ = false;
}

void Client::flush() {
  if (closed() || session_.output_at_host > 0) return;
  std::string& output = session_.output();
  const std::size_t size = unsent_in_session();
  if (size == 0) return;
  const uv_buf_t buffer{.base = output.data() + session_.output_sent, .len = size};
  const int sent = uv_try_write(&socket_->stream, &buffer, 1);
  if (sent < 0 && sent != UV_EAGAIN) {
    clients_.drop(*this);
    return;
  }
  if (sent > 0) wrote(static_cast<std::size_t>(sent));
  session_.output_sent += sent > 0 ? static_cast<std::size_t>(sent) : 0;
  if (session_.output_sent < output.size()) {
    write_rest();
    return;
  }
  output.clear();
  session_.output_sent = 0;
  keep_output();
}

// Whoever asks for long replies does so again at once: growing the next buffer anew would cost about as much as filling
// it. The bound of all kept ones is `Clients`'.
void Client::keep_output() {
  std::string& output = session_.output();
  if (output.capacity() > kOutputKept && !clients_.may_keep_output(*this, output.capacity())) output.shrink_to_fit();
}

void Client::give_back_output() {
  kept_bytes = 0;
  std::string& output = session_.output();
  if (output.empty() && output.capacity() > kOutputKept) output.shrink_to_fit();
}

void Client::wrote(std::size_t size) {
  session_.bytes_out += size;
  clients_.sink().count_written(size);
}

// Takes the session's bytes over, so that it may go on writing into its buffer while libuv reads from this one.
void Client::write_rest() {
  auto write = std::make_unique<Write>();
  write->bytes = std::exchange(session_.output(), {});
  write->written = std::exchange(session_.output_sent, 0);
  session_.output_at_host = write->bytes.size() - write->written;
  write->request.data = write.get();
  const uv_buf_t buffer{.base = write->bytes.data() + write->written, .len = session_.output_at_host};
  const int result = uv_write(&write->request, &socket_->stream, &buffer, 1, [](uv_write_t* request, int status) {
    const std::unique_ptr<Write> done(static_cast<Write*>(request->data));
    auto* self = static_cast<Client*>(request->handle->data);
    if (self == nullptr) return;
    std::string& output = self->session_.output();
    if (output.empty() && output.capacity() < done->bytes.capacity()) {
      done->bytes.clear();
      output.swap(done->bytes);
      self->keep_output();
    }
    self->clients_.sink().begin_turn();
    self->wrote(std::exchange(self->session_.output_at_host, 0));
    if (status < 0) {
      self->clients_.drop(*self);
    } else {
      self->clients_.output_ready(*self);
    }
  });
  if (result < 0) {
    session_.output_at_host = 0;
    clients_.drop(*this);
    return;
  }
  static_cast<void>(write.release());
}

bool Client::over_limit(const replica::OutputLimit& limit, std::uint64_t now_us) {
  const std::size_t unsent = unsent_bytes();
  if (limit.hard_bytes != 0 && unsent >= limit.hard_bytes) return true;
  if (limit.soft_bytes == 0 || unsent < limit.soft_bytes) {
    soft_limit_since_us_ = 0;
    return false;
  }
  if (soft_limit_since_us_ == 0) soft_limit_since_us_ = now_us;
  return now_us - soft_limit_since_us_ > limit.soft_seconds * 1'000'000;
}

}  // namespace redraft::net
