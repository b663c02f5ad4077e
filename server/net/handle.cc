#include "server/net/handle.h"

namespace redraft::net {

Loop::Loop() {
  ensure(uv_loop_init(&loop_) == 0, "libuv could create a loop");
}

Loop::~Loop() {
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        ensure(uv_is_closing(handle) != 0, "the owner of every handle is gone before its loop");
      },
      nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);  // close callbacks, and requests that close with their handles
  ensure(uv_loop_close(&loop_) == 0, "a loop is closed when nothing is left in it");
}

}  // namespace redraft::net
