#include "server/commands/functions.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server/commands/arguments.h"
#include "server/commands/function_dump.h"
#include "server/commands/glob.h"
#include "server/commands/script_calls.h"
#include "server/commands/script_run.h"
#include "server/scripting/shebang.h"
#include "server/store/store.h"

namespace redraft::commands {

namespace {

constexpr std::string_view kNameRule =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

void call_function(Context& context, bool read_only) {
  const std::string_view name = context.argument(1);
  const store::Scripts::Found found = context.store.scripts().function(name);
  if (found.function == nullptr) return context.reply.error("ERR Function not found");
  std::size_t keys = 0;
  if (!take_key_count(context, "ERR Bad number of keys provided", keys)) return;
  scripting::Shebang shebang;
  std::string error;
  static_cast<void>(scripting::read_library_shebang(found.library->code, shebang, error));
  const scripting::Image& image = script_host(context).prepare_library(shebang.name, *found.library);
  run_script(context, {.image = image,
                       .name = found.function->name,
                       .flags = found.function->flags,
                       .read_only = read_only,
                       .function = true,
                       .keys = keys});
}

void answer_unknown_subcommand(Context& context) {
  context.reply.error("ERR unknown subcommand or wrong number of arguments for '" +
                      std::string(context.argument(1).substr(0, 128)) + "'. Try FUNCTION HELP.");
}

bool valid_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// Libraries on their way into the store, checked against one another and against those that stay.
class Loading {
 public:
  explicit Loading(Context& context) : context_(context), host_(script_host(context)) {}

  // False with the error line.
  bool load(std::string_view code, std::string& name, std::string& error) {
    scripting::Shebang shebang;
    if (!scripting::read_library_shebang(code, shebang, error)) return refuse(error);
    if (!equals_ignoring_case(shebang.engine, "lua")) {
      return refuse(error = "Engine '" + std::string(shebang.engine) + "' not found");
    }
    if (!valid_name(shebang.name)) return refuse(error = kNameRule);
    name = shebang.name;
    ScriptCalls outside(context_, host_, scripting::kNoWrites, true);
    std::vector<scripting::FunctionInfo> functions;
    scripting::Image image;
    if (!host_.machine().load_library(shebang.body, script_budget(context_), outside, image, functions, error)) {
      return refuse(error);
    }
    if (functions.empty()) return refuse(error = "No functions registered");
    store::Library library{.engine = "LUA", .code = std::string(code), .functions = {}};
    for (scripting::FunctionInfo& function : functions) {
      library.functions.push_back(
          {std::move(function.name), std::move(function.description), function.described, function.flags});
    }
    host_.keep_library(name, code, std::move(image));
    libraries_[name] = std::move(library);
    return true;
  }

  // No function may belong to two libraries; `replaced` tells which of the present ones go.
  template <class Replaced>
  bool check_functions(Replaced replaced, std::string& error) {
    std::map<std::string, std::string_view, std::less<>> owners;
    for (const auto& [name, library] : context_.store.scripts().libraries()) {
      if (replaced(name)) continue;
      for (const store::LibraryFunction& function : library.functions)
        owners[store::function_key(function.name)] = name;
    }
    for (const auto& [name, library] : libraries_) {
      for (const store::LibraryFunction& function : library.functions) {
        // Two of one library may differ in case only, as in Redis.
        const auto [owner, added] = owners.emplace(store::function_key(function.name), name);
        if (added || owner->second == name) continue;
        error = "ERR Function " + function.name + " already exists";
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] const std::map<std::string, store::Library, std::less<>>& libraries() const { return libraries_; }
  void store() {
    for (auto& [name, library] : libraries_) context_.store.scripts().put_library(name, std::move(library));
  }

 private:
  static bool refuse(std::string& error) {
    error.insert(0, "ERR ");
    return false;
  }

  Context& context_;
  ScriptHost& host_;
  std::map<std::string, store::Library, std::less<>> libraries_;
};

void answer_function(resp::Writer& reply, const store::LibraryFunction& function) {
  reply.map(3);
  reply.bulk("name");
  reply.bulk(function.name);
  reply.bulk("description");
  function.described ? reply.bulk(function.description) : reply.null();
  reply.bulk("flags");
  std::vector<std::string_view> names;
  for (const scripting::ScriptFlagName& known : scripting::kScriptFlagNames) {
    if ((function.flags & known.flag) != 0) names.push_back(known.name);
  }
  reply.set(names.size());
  for (const std::string_view name : names) reply.simple(name);
}

}  // namespace

void fcall(Context& context) {
  call_function(context, false);
}
void fcall_ro(Context& context) {
  call_function(context, true);
}

void function_load(Context& context) {
  bool replace = false;
  const std::size_t code_at = context.argument_count() - 1;
  for (std::size_t i = 2; i < code_at; ++i) {
    if (!option_is(context, i, "replace")) {
      return context.reply.error("ERR Unknown option given: " + std::string(context.argument(i)));
    }
    replace = true;
  }
  const std::string_view code = context.argument(code_at);
  scripting::Shebang shebang;
  std::string error;
  if (scripting::read_library_shebang(code, shebang, error) && !replace && valid_name(shebang.name) &&
      equals_ignoring_case(shebang.engine, "lua") && context.store.scripts().library(shebang.name) != nullptr) {
    return context.reply.error("ERR Library '" + std::string(shebang.name) + "' already exists");
  }
  error.clear();
  Loading loading(context);
  std::string name;
  if (!loading.load(code, name, error) ||
      !loading.check_functions([&](std::string_view present) { return present == name; }, error)) {
    return context.reply.error(error);
  }
  loading.store();
  context.reply.bulk(name);
}

void function_delete(Context& context) {
  if (!context.store.scripts().remove_library(context.argument(2))) {
    return context.reply.error("ERR Library not found");
  }
  context.reply.ok();
}

void function_flush(Context& context) {
  if (context.argument_count() > 3) return answer_unknown_subcommand(context);
  if (context.argument_count() == 3 && !option_is(context, 2, "sync") && !option_is(context, 2, "async")) {
    return context.reply.error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  context.store.scripts().flush_libraries();
  context.reply.ok();
}

void function_list(Context& context) {
  bool with_code = false;
  bool named = false;
  std::string_view pattern;
  for (std::size_t i = 2; i < context.argument_count(); ++i) {
    if (!with_code && option_is(context, i, "withcode")) {
      with_code = true;
    } else if (!named && option_is(context, i, "libraryname")) {
      if (++i == context.argument_count()) return context.reply.error("ERR library name argument was not given");
      pattern = context.argument(i);
      named = true;
    } else {
      return context.reply.error("ERR Unknown argument " + std::string(context.argument(i)));
    }
  }
  resp::Writer& reply = context.reply;
  const auto whole = reply.defer();
  std::size_t count = 0;
  for (const auto& [name, library] : context.store.scripts().libraries()) {
    if (named && !glob_matches(pattern, name, true)) continue;
    ++count;
    reply.map(with_code ? 4 : 3);
    reply.bulk("library_name");
    reply.bulk(name);
    reply.bulk("engine");
    reply.bulk(library.engine);
    reply.bulk("functions");
    reply.array(library.functions.size());
    for (const store::LibraryFunction& function : library.functions) answer_function(reply, function);
    if (!with_code) continue;
    reply.bulk("library_code");
    reply.bulk(library.code);
  }
  reply.end_array(whole, count);
}

void function_dump(Context& context) {
  std::vector<std::string_view> codes;
  for (const auto& [name, library] : context.store.scripts().libraries()) codes.push_back(library.code);
  context.reply.bulk(dump_functions(codes));
}

void function_restore(Context& context) {
  if (context.argument_count() > 4) return answer_unknown_subcommand(context);
  enum class Policy { kAppend, kReplace, kFlush } policy = Policy::kAppend;
  if (context.argument_count() == 4) {
    if (option_is(context, 3, "replace")) {
      policy = Policy::kReplace;
    } else if (option_is(context, 3, "flush")) {
      policy = Policy::kFlush;
    } else if (!option_is(context, 3, "append")) {
      return context.reply.error("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
    }
  }
  std::vector<std::string> codes;
  std::string error;
  if (!read_function_dump(context.argument(2), codes, error)) return context.reply.error("ERR " + error);
  Loading loading(context);
  for (const std::string& code : codes) {
    std::string name;
    if (!loading.load(code, name, error)) return context.reply.error(error);
  }
  store::Scripts& scripts = context.store.scripts();
  if (policy == Policy::kAppend) {
    for (const auto& [name, library] : loading.libraries()) {
      if (scripts.library(name) != nullptr) return context.reply.error("ERR Library " + name + " already exists");
    }
  }
  const auto replaced = [&](std::string_view present) {
    return policy == Policy::kFlush || loading.libraries().contains(present);
  };
  if (!loading.check_functions(replaced, error)) return context.reply.error(error);
  if (policy == Policy::kFlush) scripts.flush_libraries();
  loading.store();
  context.reply.ok();
}

}  // namespace redraft::commands
