#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/scripting/machine.h"
#include "server/scripting/script_flags.h"
#include "server/scripting/sha1.h"

namespace redraft::store {
class Scripts;
struct Library;
}  // namespace redraft::store

namespace redraft::commands {

class Context;
struct Command;

// What a node has for running scripts: the machine, code compiled before, what it learned of it, and the run under way.
// One per replica. Nothing here is replicated and nothing decides state: a node without it only works more.
class ScriptHost {
 public:
  // A script by its digest. Kept for reuse, so a pointer holds until the next call.
  struct Script {
    std::string body;
    scripting::Image image;
    std::uint32_t flags = 0;  // scripting::ScriptFlag
    bool writes = false;      // it tried to write in a run that only read
    // A guess from the text, made once: it names a command that writes.
    std::optional<bool> names_a_write = std::nullopt;
    std::list<std::string_view>::iterator use;
  };
  struct LoadedLibrary {
    std::string code;
    scripting::Image image;
  };

  ScriptHost();
  ~ScriptHost();
  ScriptHost(const ScriptHost&) = delete;
  ScriptHost& operator=(const ScriptHost&) = delete;

  [[nodiscard]] scripting::Machine& machine();

  // The script compiled; nullptr with Redis's error line when it is none.
  [[nodiscard]] Script* prepare(std::string_view sha, std::string_view body, std::string& error);
  // The name of a script: its SHA-1 in hexadecimal. Remembered for the bodies that came last, since the same ones come
  // again and again and comparing one costs a hundredth of digesting it.
  [[nodiscard]] std::string_view digest_of(std::string_view body);
  // Compiled before on this node; nullptr otherwise.
  [[nodiscard]] Script* find(std::string_view sha);
  // SCRIPT FLUSH.
  void forget_scripts();
  // The library with its functions registered. `name` and `library` are the store's.
  [[nodiscard]] const scripting::Image& prepare_library(std::string_view name, const store::Library& library);
  void keep_library(std::string_view name, std::string_view code, scripting::Image image);

  // ---- A read that turned out to write: it replied nothing, and must go through the log.
  void want_log() { wants_log_ = true; }
  [[nodiscard]] bool take_wants_log() { return std::exchange(wants_log_, false); }

  // ---- The run under way, for SCRIPT KILL, FUNCTION KILL and FUNCTION STATS
  struct Running {
    std::string_view name;                        // these views hold until its end
    std::span<const std::string_view> arguments;  // of the command
    std::uint64_t since_ms = 0;  // by the clock of FUNCTION STATS; 0 until it was watched for the first time
    bool function = false;
    bool applying = false;  // by the log: every node does the same, so no node may end it
    bool wrote = false;
    bool slow = false;  // other clients are told so
    bool kill = false;  // somebody asked

    // What other clients are told meanwhile, as a whole error line.
    [[nodiscard]] std::string_view busy_error() const;
  };
  [[nodiscard]] Running* running() { return running_ ? &*running_ : nullptr; }
  [[nodiscard]] const Running* running() const { return running_ ? &*running_ : nullptr; }
  void begin_run(const Running& running) { running_ = running; }
  void end_run() { running_.reset(); }

  // What the node wants to know of its runs. All calls come from inside a command.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    // Every now and then while it runs: the place to serve other clients, and to ask for its end.
    virtual void script_runs(Running& running) = 0;
    virtual void script_begins(const Context& context) = 0;
    // It calls a command. Not said of those that were refused.
    virtual void script_calls(std::uint32_t db, const Command& command,
                              std::span<const std::string_view> arguments) = 0;
    // `again`: nothing came of it, it will run once more by the log.
    virtual void script_ended(bool again) = 0;
    // redis.log, with Redis's levels from 0, debug, to 3, warning.
    virtual void script_logs(int level, std::string_view line) = 0;
    // maxmemory is reached, and there is nothing to evict. Asked of runs that only read, before they come to a write.
    [[nodiscard]] virtual bool script_lacks_memory() const = 0;
  };
  // Whether a script that is about to write finds no memory. One that the log runs is told by its entry, so that it is
  // the same on every node: `set_entry_lacks_memory` is called before it and after it.
  [[nodiscard]] bool lacks_memory(bool applying) const {
    return applying ? entry_lacks_memory_ : watcher_ != nullptr && watcher_->script_lacks_memory();
  }
  void set_entry_lacks_memory(bool lacks) { entry_lacks_memory_ = lacks; }
  // nullptr: nobody.
  void set_watcher(Watcher* watcher) { watcher_ = watcher; }
  [[nodiscard]] Watcher* watcher() { return watcher_; }

 private:
  static constexpr std::size_t kImagesMax = std::size_t{64} << 20;
  static constexpr std::size_t kDigests = 16;
  static constexpr std::size_t kDigestedMax = std::size_t{64} << 10;  // the longest body that is kept for its digest
  struct Digested {
    std::string body;
    scripting::Sha1Hex digest{};
  };
  void forget_oldest();

  std::unique_ptr<scripting::Machine> machine_;
  std::map<std::string, Script, std::less<>> scripts_;
  std::list<std::string_view> by_use_;  // oldest first; views of the keys
  std::size_t bytes_ = 0;
  std::map<std::string, LoadedLibrary, std::less<>> libraries_;
  bool wants_log_ = false;
  bool entry_lacks_memory_ = false;
  std::optional<Running> running_;
  std::array<Digested, kDigests> digests_;
  Watcher* watcher_ = nullptr;
};

}  // namespace redraft::commands
