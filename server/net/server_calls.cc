#include "server/net/server_calls.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "resp/reply_reader.h"
#include "server/net/connector.h"

namespace redraft::net {

using replica::ServerCall;
using replica::ServerCallDone;
using End = ServerCallDone::End;

// One conversation. A timer looks whether anything has happened since it looked last: a byte more taken by the kernel,
// a byte more read.
class ServerCalls::Call {
 public:
  Call(ServerCalls& calls, ServerCall call);
  void start();
  [[nodiscard]] std::vector<std::string> take_errors() { return std::move(errors_); }
  [[nodiscard]] const std::string& name() const { return name_; }
  // The connection, if it is as it was before the call; null otherwise.
  [[nodiscard]] UniqueStream take_socket(End end);

 private:
  struct Write {
    uv_write_t request{};
    std::shared_ptr<std::string> bytes;
  };
  static constexpr std::size_t kReadSize = std::size_t{16} << 10;

  void connect();
  void connected(int status, UniqueStream socket);
  void use(UniqueStream socket);
  void watch(std::uint64_t first_ms);
  void send();
  void written(int status);
  void received(ssize_t size);
  // False when what came is no reply.
  [[nodiscard]] bool take_replies();
  void patience_over();
  void broke();
  void end(End how) { calls_.finish(call_.id, how); }  // and that was the last of this object
  [[nodiscard]] End broken() const { return writing_ ? End::kNotWritten : End::kNotRead; }

  ServerCalls& calls_;
  ServerCall call_;
  std::string name_;                      // of the connection, to be kept under
  std::shared_ptr<std::string> request_;  // the call's, in case a kept connection turns out to be dead
  bool reused_ = false;                   // the connection is one that was kept
  std::optional<Connector> connector_;    // until it is connected
  UniqueStream socket_;
  UniqueHandle<uv_timer_t> timer_;
  std::array<char, kReadSize> buffer_{};
  std::string input_;
  std::vector<std::string> errors_;  // one for each reply so far
  bool writing_ = false;
  bool read_something_ = false;  // since the timer was looked at last
  std::size_t unsent_ = 0;       // when it was
  int start_error_ = 0;
};

ServerCalls::Call::Call(ServerCalls& calls, ServerCall call) : calls_(calls), call_(std::move(call)) {
  name_ = call_.host + ' ' + std::to_string(call_.port) + ' ' + call_.request.substr(0, call_.login_size);
  request_ = std::make_shared<std::string>(std::move(call_.request));
  timer_ = make_handle<uv_timer_t>(this, [&](uv_timer_t* timer) { return uv_timer_init(calls_.loop_, timer); });
}

void ServerCalls::Call::start() {
  UniqueStream kept = calls_.sockets_.take(name_);
  reused_ = kept != nullptr;
  if (!reused_) return connect();
  watch(call_.patience_ms);
  use(std::move(kept));
}

void ServerCalls::Call::connect() {
  connector_.emplace(calls_.loop_, [this](int status, UniqueStream socket) { connected(status, std::move(socket)); });
  start_error_ = connector_->start(call_.host, call_.port);
  watch(start_error_ != 0 ? 0 : call_.patience_ms);
}

void ServerCalls::Call::watch(std::uint64_t first_ms) {
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        if (auto* self = static_cast<Call*>(timer->data)) self->patience_over();
      },
      first_ms, call_.patience_ms);
}

// Redis notices only when it writes that nobody listens, and says so.
void ServerCalls::Call::connected(int status, UniqueStream socket) {
  const bool reached = connector_->resolved() || status == 0;
  connector_.reset();
  if (status != 0) return end(reached ? End::kNotWritten : End::kNoConnection);
  uv_tcp_nodelay(&socket->tcp, 1);
  uv_timer_again(timer_.get());
  use(std::move(socket));
}

void ServerCalls::Call::use(UniqueStream socket) {
  socket_ = std::move(socket);
  socket_->handle.data = this;
  uv_read_start(
      &socket_->stream,
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* self = static_cast<Call*>(handle->data);
        *buffer = self == nullptr ? uv_buf_init(nullptr, 0) : uv_buf_init(self->buffer_.data(), kReadSize);
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
        auto* self = static_cast<Call*>(stream->data);
        if (self != nullptr && size != 0) self->received(size);
      });
  send();
}

void ServerCalls::Call::send() {
  auto write = std::make_unique<Write>();
  write->bytes = reused_ ? request_ : std::move(request_);
  std::string& bytes = *write->bytes;
  write->request.data = write.get();
  writing_ = true;
  unsent_ = bytes.size();
  // One buffer holds at most 4 GiB less one byte.
  std::vector<uv_buf_t> buffers;
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::size_t size = std::min(kPiece, bytes.size() - at);
    buffers.push_back(uv_buf_init(bytes.data() + at, static_cast<unsigned>(size)));
  }
  const int result = uv_write(&write->request, &socket_->stream, buffers.data(), static_cast<unsigned>(buffers.size()),
                              [](uv_write_t* request, int status) {
                                const std::unique_ptr<Write> done(static_cast<Write*>(request->data));
                                auto* self = static_cast<Call*>(request->handle->data);
                                if (self != nullptr) self->written(status);
                              });
  if (result != 0) return end(End::kNotWritten);
  static_cast<void>(write.release());
}

// What the other server answered before it hung up may still be there to be read.
void ServerCalls::Call::written(int status) {
  if (status == 0) writing_ = false;
}

void ServerCalls::Call::received(ssize_t size) {
  if (size < 0) return broke();
  read_something_ = true;
  input_.append(buffer_.data(), static_cast<std::size_t>(size));
  if (!take_replies()) return end(End::kNotRead);
  if (errors_.size() >= call_.replies) end(End::kAnswered);
}

// A kept connection may have been closed by the other side just now: once more, on a new one, as in Redis. Not when
// something was answered: then the request has arrived.
void ServerCalls::Call::broke() {
  if (!reused_ || !errors_.empty() || !input_.empty()) return end(broken());
  reused_ = writing_ = false;
  socket_.reset();
  connect();
}

UniqueStream ServerCalls::Call::take_socket(End end) {
  if (end != End::kAnswered || writing_ || !input_.empty()) return nullptr;
  uv_read_stop(&socket_->stream);
  return std::move(socket_);
}

bool ServerCalls::Call::take_replies() {
  std::size_t begin = 0;
  while (errors_.size() < call_.replies) {
    const resp::ReplyRead read = resp::read_reply(std::string_view(input_).substr(begin));
    if (read.outcome == resp::ReplyRead::Outcome::kError) return false;
    if (read.outcome == resp::ReplyRead::Outcome::kIncomplete) break;
    begin += read.consumed;
    errors_.push_back(read.reply.type == resp::Reply::Type::kError ? read.reply.text : std::string());
  }
  input_.erase(0, begin);
  return true;
}

void ServerCalls::Call::patience_over() {
  if (start_error_ != 0 || connector_) return end(End::kNoConnection);
  const std::size_t unsent = uv_stream_get_write_queue_size(&socket_->stream);
  const bool something = std::exchange(read_something_, false) || unsent < unsent_;
  unsent_ = unsent;
  if (!something) end(broken());
}

ServerCalls::ServerCalls(uv_loop_t* loop, Done done, std::uint64_t keep_ms)
    : loop_(loop), done_(std::move(done)), sockets_(loop, keep_ms) {}

ServerCalls::~ServerCalls() = default;

void ServerCalls::call(ServerCall call) {
  const std::uint64_t id = call.id;
  const auto [place, added] = calls_.emplace(id, std::make_unique<Call>(*this, std::move(call)));
  place->second->start();
}

void ServerCalls::finish(std::uint64_t id, End end) {
  const auto node = calls_.extract(id);
  if (node.empty()) return;
  if (UniqueStream socket = node.mapped()->take_socket(end)) sockets_.keep(node.mapped()->name(), std::move(socket));
  done_({.id = id, .end = end, .errors = node.mapped()->take_errors()});
}

}  // namespace redraft::net
