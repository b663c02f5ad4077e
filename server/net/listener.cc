#include "server/net/listener.h"

#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace redraft::net {
namespace {

void set_option(int fd, int level, int option, int value) {
  // A socket that its peer has closed already refuses options; the next read tells.
  static_cast<void>(setsockopt(fd, level, option, &value, sizeof(value)));
}

std::string reason_of(int uv_error) {
  return uv_strerror(uv_error);
}

}  // namespace

UniqueStream make_stream(uv_loop_t* loop, bool unix_socket) {
  return make_handle<StreamHandle>(nullptr, [&](StreamHandle* memory) {
    return unix_socket ? uv_pipe_init(loop, &memory->pipe, 0) : uv_tcp_init(loop, &memory->tcp);
  });
}

void tune_tcp(int fd, std::uint32_t keepalive_s) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (keepalive_s == 0) return;
  const int idle = static_cast<int>(std::min<std::uint32_t>(keepalive_s, 32767));  // the kernel's bound
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, std::max(idle / 3, 1));
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

Listener::Listener(uv_loop_t* loop, bool unix_socket, Accepted accepted)
    : loop_(loop), unix_socket_(unix_socket), accepted_(std::move(accepted)), handle_(make_stream(loop, unix_socket)) {
  handle_->handle.data = this;
}

Listener::~Listener() {
  if (!path_.empty()) unlink(path_.c_str());
}

Result<std::unique_ptr<Listener>> Listener::tcp(uv_loop_t* loop, const ListenAddress& address, std::uint32_t backlog,
                                                Accepted accepted) {
  std::unique_ptr<Listener> listener(new Listener(loop, false, std::move(accepted)));
  int result =
      uv_tcp_bind(&listener->handle_->tcp, reinterpret_cast<const sockaddr*>(&address.address), address.bind_flags);
  if (result == 0) result = listener->listen(backlog);
  if (result == 0) return listener;
  const ErrorCode code = address_is_missing(result) ? ErrorCode::kNotFound : ErrorCode::kInUse;
  return Error{code, format_address(address.address) + ": " + reason_of(result)};
}

Result<std::unique_ptr<Listener>> Listener::unix_socket(uv_loop_t* loop, const std::string& path,
                                                        std::uint32_t permissions, std::uint32_t backlog,
                                                        Accepted accepted) {
  std::unique_ptr<Listener> listener(new Listener(loop, true, std::move(accepted)));
  unlink(path.c_str());
  int result = uv_pipe_bind(&listener->handle_->pipe, path.c_str());
  if (result == 0) {
    listener->path_ = path;
    result = listener->listen(backlog);
  }
  if (result == 0 && permissions != 0 && chmod(path.c_str(), static_cast<mode_t>(permissions)) != 0) {
    result = uv_translate_sys_error(errno);
  }
  if (result == 0) return listener;
  return Error{ErrorCode::kInUse, path + ": " + reason_of(result)};
}

int Listener::listen(std::uint32_t backlog) {
  return uv_listen(&handle_->stream, static_cast<int>(std::min<std::uint32_t>(backlog, 65535)),
                   [](uv_stream_t* stream, int status) {
                     if (auto* self = static_cast<Listener*>(stream->data)) self->accept(status);
                   });
}

int Listener::descriptor() const {
  uv_os_fd_t fd = -1;
  return uv_fileno(&handle_->handle, &fd) == 0 ? fd : -1;
}

void Listener::accept_now() {
  for (;;) {
    const int fd = accept4(descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    UniqueStream connection = make_stream(loop_, unix_socket_);
    const int opened = unix_socket_ ? uv_pipe_open(&connection->pipe, fd) : uv_tcp_open(&connection->tcp, fd);
    if (opened != 0) {
      close(fd);
      return;
    }
    accepted_(std::move(connection));
  }
}

void Listener::accept(int status) {
  if (status < 0) return;  // out of descriptors or memory; the connection is gone
  UniqueStream connection = make_stream(loop_, unix_socket_);
  if (uv_accept(&handle_->stream, &connection->stream) != 0) return;
  accepted_(std::move(connection));
}

}  // namespace redraft::net
