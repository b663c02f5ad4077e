#include "server/commands/script_host.h"

#include <xxhash.h>

#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "server/scripting/shebang.h"
#include "server/store/scripts.h"

namespace redraft::commands {

namespace {

// While a library is loaded for the second time: what it says was heard the first time.
class Quiet final : public scripting::Outside {
 public:
  Called call(std::span<const std::string_view> /*arguments*/, resp::Writer& /*reply*/) override { return {}; }
  bool may_call(std::span<const std::string_view> /*arguments*/, bool& /*known*/) override { return false; }
  void log(int /*level*/, std::string_view /*line*/) override {}
  [[nodiscard]] bool go_on() override { return true; }
};

}  // namespace

ScriptHost::ScriptHost() = default;
ScriptHost::~ScriptHost() = default;

std::string_view ScriptHost::Running::busy_error() const {
  return function ? "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
                  : "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
}

scripting::Machine& ScriptHost::machine() {
  if (machine_ == nullptr) machine_ = std::make_unique<scripting::Machine>();
  return *machine_;
}

std::string_view ScriptHost::digest_of(std::string_view body) {
  Digested& known = digests_[XXH3_64bits(body.data(), body.size()) % kDigests];
  if (known.body != body || body.empty()) {
    known.digest = scripting::sha1_hex(body);
    known.body.assign(body.size() <= kDigestedMax ? body : std::string_view());
  }
  return {known.digest.data(), known.digest.size()};
}

ScriptHost::Script* ScriptHost::find(std::string_view sha) {
  const auto found = scripts_.find(sha);
  if (found == scripts_.end()) return nullptr;
  by_use_.splice(by_use_.end(), by_use_, found->second.use);
  return &found->second;
}

ScriptHost::Script* ScriptHost::prepare(std::string_view sha, std::string_view body, std::string& error) {
  if (Script* known = find(sha)) return known;
  scripting::Shebang shebang;
  if (!scripting::read_script_shebang(body, shebang, error)) {
    error.insert(0, "ERR ");
    return nullptr;
  }
  scripting::Image image;
  if (!machine().compile_script(shebang.body, image, error)) {
    error.insert(0, "ERR Error compiling script (new function): ");
    return nullptr;
  }
  const auto made = scripts_.try_emplace(std::string(sha)).first;
  Script& script = made->second;
  script.body = body;
  script.image = std::move(image);
  script.flags = shebang.flags;
  by_use_.push_back(made->first);
  script.use = std::prev(by_use_.end());
  bytes_ += script.body.size() + script.image.size();
  while (bytes_ > kImagesMax && by_use_.size() > 1) forget_oldest();
  return &script;
}

void ScriptHost::forget_oldest() {
  const auto oldest = scripts_.find(by_use_.front());
  bytes_ -= oldest->second.body.size() + oldest->second.image.size();
  by_use_.pop_front();
  scripts_.erase(oldest);
}

void ScriptHost::forget_scripts() {
  by_use_.clear();
  scripts_.clear();
  bytes_ = 0;
}

void ScriptHost::keep_library(std::string_view name, std::string_view code, scripting::Image image) {
  // Libraries are few; those that were deleted or replaced must not pile up.
  constexpr std::size_t kLibrariesMax = 256;
  std::size_t bytes = image.size();
  for (const auto& [other, library] : libraries_) bytes += library.image.size();
  if (libraries_.size() >= kLibrariesMax || bytes > kImagesMax) libraries_.clear();
  LoadedLibrary& kept = libraries_[std::string(name)];
  kept.code = code;
  kept.image = std::move(image);
}

const scripting::Image& ScriptHost::prepare_library(std::string_view name, const store::Library& library) {
  const auto found = libraries_.find(name);
  if (found != libraries_.end() && found->second.code == library.code) return found->second.image;
  scripting::Shebang shebang;
  std::string error;
  scripting::Image image;
  std::vector<scripting::FunctionInfo> functions;
  // Whatever the budget was then: it fitted.
  constexpr scripting::Budget kUnlimited{scripting::Heap::kRegionSize / 2, std::numeric_limits<std::uint64_t>::max()};
  Quiet quiet;
  const bool loaded = scripting::read_library_shebang(library.code, shebang, error) &&
                      machine().load_library(shebang.body, kUnlimited, quiet, image, functions, error);
  ensure(loaded, "a library that was loaded once can be loaded again");
  keep_library(name, library.code, std::move(image));
  return libraries_.find(name)->second.image;
}

}  // namespace redraft::commands
