#pragma once

#include <uv.h>

#include <memory>
#include <utility>

#include "base/check.h"

namespace redraft::net {

// libuv uses a handle until its close callback has run (libuv/libuv:docs/src/handle.rst), so an owner that goes away
// only asks for the close, and the memory goes in the callback. The one place of the server that closes handles.
template <class Handle>
struct CloseThenFree {
  void operator()(Handle* handle) const noexcept {
    auto* base = reinterpret_cast<uv_handle_t*>(handle);
    base->data = nullptr;  // a callback already on its way finds no owner and returns
    uv_close(base, [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

// Owns one initialised handle. Owners that put their address into `data` must not move.
template <class Handle>
using UniqueHandle = std::unique_ptr<Handle, CloseThenFree<Handle>>;

// A handle on which `init(Handle*)`, one of the uv_*_init functions, has succeeded. For handles whose initialisation
// fails only when the process has no memory or descriptors left at start.
template <class Handle, class Init>
[[nodiscard]] UniqueHandle<Handle> make_handle(void* owner, Init init) {
  auto memory = std::make_unique<Handle>();
  ensure(init(memory.get()) == 0, "libuv could initialise a handle");
  UniqueHandle<Handle> handle(memory.release());
  reinterpret_cast<uv_handle_t*>(handle.get())->data = owner;
  return handle;
}

// TCP and unix sockets are used alike once they are connected.
union StreamHandle {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};
using UniqueStream = UniqueHandle<StreamHandle>;

// One uv_loop_t. Everything that owns handles of it must be gone when it goes: it runs the close callbacks that are
// still due and checks that libuv agrees that nothing is left.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] uv_loop_t* get() { return &loop_; }

 private:
  uv_loop_t loop_;
};

}  // namespace redraft::net
