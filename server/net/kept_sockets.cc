#include "server/net/kept_sockets.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace redraft::net {

namespace {

constexpr std::size_t kMax = 64;

}  // namespace

void KeptSockets::keep(std::string name, UniqueStream socket) {
  if (kept_.size() == kMax) kept_.pop_front();
  Kept& kept = kept_.emplace_back();
  kept.owner = this;
  kept.name = std::move(name);
  kept.socket = std::move(socket);
  kept.socket->handle.data = &kept;
  uv_read_start(
      &kept.socket->stream,
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* self = static_cast<Kept*>(handle->data);
        *buffer = self == nullptr ? uv_buf_init(nullptr, 0) : uv_buf_init(&self->unasked, 1);
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
        auto* self = static_cast<Kept*>(stream->data);
        if (self != nullptr && size != 0) self->owner->drop(*self);
      });
  kept.timer = make_handle<uv_timer_t>(&kept, [this](uv_timer_t* timer) { return uv_timer_init(loop_, timer); });
  uv_timer_start(
      kept.timer.get(),
      [](uv_timer_t* timer) {
        if (auto* self = static_cast<Kept*>(timer->data)) self->owner->drop(*self);
      },
      idle_ms_, 0);
}

UniqueStream KeptSockets::take(const std::string& name) {
  const auto newest = std::find_if(kept_.rbegin(), kept_.rend(), [&](const Kept& kept) { return kept.name == name; });
  if (newest == kept_.rend()) return nullptr;
  UniqueStream socket = std::move(newest->socket);
  uv_read_stop(&socket->stream);
  socket->handle.data = nullptr;
  kept_.erase(std::prev(newest.base()));
  return socket;
}

void KeptSockets::drop(const Kept& which) {
  kept_.remove_if([&](const Kept& kept) { return &kept == &which; });
}

}  // namespace redraft::net
