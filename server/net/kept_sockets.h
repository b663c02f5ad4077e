#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>

#include "server/net/handle.h"

namespace redraft::net {

// Connections to other servers that may soon be of use again, as MIGRATE keeps them in Redis: for ten seconds, at most
// 64 of them. One that the other side closes, or says something on unasked, is gone at once. Lives on a loop's thread.
class KeptSockets {
 public:
  static constexpr std::uint64_t kIdle_ms = 10'000;

  explicit KeptSockets(uv_loop_t* loop, std::uint64_t idle_ms = kIdle_ms) : loop_(loop), idle_ms_(idle_ms) {}
  KeptSockets(const KeptSockets&) = delete;
  KeptSockets& operator=(const KeptSockets&) = delete;

  // A connected socket on which nothing is outstanding. `name` says where it leads, and as whom.
  void keep(std::string name, UniqueStream socket);
  // The one that was kept last under that name, no longer read; null if there is none.
  [[nodiscard]] UniqueStream take(const std::string& name);
  [[nodiscard]] std::size_t count() const { return kept_.size(); }

 private:
  struct Kept {
    KeptSockets* owner = nullptr;
    std::string name = {};
    UniqueStream socket = {};
    UniqueHandle<uv_timer_t> timer = {};
    char unasked = 0;
  };
  void drop(const Kept& which);

  uv_loop_t* loop_;
  std::uint64_t idle_ms_;
  std::list<Kept> kept_;  // the newest last; handles point at the elements
};

}  // namespace redraft::net
