#include "server/store/scripts.h"

#include <utility>

#include "server/store/object.h"

namespace redraft::store {

namespace {

// A script in steady use need not move in the order at every call.
constexpr std::uint64_t kUsesBetweenMoves = 64;

}  // namespace

std::string function_key(std::string_view name) {
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return key;
}

const std::string* Scripts::body(std::string_view sha) const {
  const auto found = scripts_.find(sha);
  return found == scripts_.end() ? nullptr : &found->second.body;
}

bool Scripts::loaded(std::string_view sha) const {
  const auto found = scripts_.find(sha);
  return found != scripts_.end() && found->second.used == 0;
}

void Scripts::evaluated(std::string_view sha, std::string_view body) {
  auto found = scripts_.find(sha);
  if (found == scripts_.end()) {
    found = scripts_.emplace(sha, Script{std::string(body), 0}).first;
    bytes_ += body.size();
    evaluated_bytes_ += body.size();
  } else {
    const std::uint64_t used = found->second.used;
    if (used == 0 || last_use_ - used < kUsesBetweenMoves) return;
    by_use_.erase(used);
  }
  found->second.used = ++last_use_;
  by_use_[last_use_] = found;
  while (by_use_.size() > kEvaluatedMax || (evaluated_bytes_ > kEvaluatedBytesMax && by_use_.size() > 1)) {
    forget_oldest();
  }
}

void Scripts::forget_oldest() {
  const auto oldest = by_use_.begin();
  bytes_ -= oldest->second->second.body.size();
  evaluated_bytes_ -= oldest->second->second.body.size();
  scripts_.erase(oldest->second);
  by_use_.erase(oldest);
}

void Scripts::load(std::string_view sha, std::string_view body) {
  const auto [script, added] = scripts_.try_emplace(std::string(sha));
  if (added) {
    script->second.body = body;
    bytes_ += body.size();
  } else if (script->second.used != 0) {
    by_use_.erase(script->second.used);
    evaluated_bytes_ -= script->second.body.size();
  }
  script->second.used = 0;
}

void Scripts::flush_scripts() {
  scripts_.clear();
  by_use_.clear();
  bytes_ = 0;
  evaluated_bytes_ = 0;
}

const Library* Scripts::library(std::string_view name) const {
  const auto found = libraries_.find(name);
  return found == libraries_.end() ? nullptr : &found->second;
}

Scripts::Found Scripts::function(std::string_view name) const {
  const auto owner = functions_.find(function_key(name));
  if (owner == functions_.end()) return {};
  const Library& library = libraries_.find(owner->second.library)->second;
  return {&library, &library.functions[owner->second.function]};
}

void Scripts::put_library(std::string_view name, Library library) {
  remove_library(name);
  for (std::size_t i = 0; i < library.functions.size(); ++i) {
    functions_.try_emplace(function_key(library.functions[i].name), Owner{std::string(name), i});
  }
  libraries_.emplace(name, std::move(library));
}

bool Scripts::remove_library(std::string_view name) {
  const auto found = libraries_.find(name);
  if (found == libraries_.end()) return false;
  for (const LibraryFunction& function : found->second.functions) functions_.erase(function_key(function.name));
  libraries_.erase(found);
  return true;
}

void Scripts::flush_libraries() {
  libraries_.clear();
  functions_.clear();
}

void Scripts::encode(std::string& to) const {
  put_number(to, last_use_);
  put_number(to, scripts_.size());
  for (const auto& [sha, script] : scripts_) {
    put_bytes(to, sha);
    put_bytes(to, script.body);
    put_number(to, script.used);
  }
  put_number(to, libraries_.size());
  for (const auto& [name, library] : libraries_) {
    put_bytes(to, name);
    put_bytes(to, library.engine);
    put_bytes(to, library.code);
    put_number(to, library.functions.size());
    for (const LibraryFunction& function : library.functions) {
      put_bytes(to, function.name);
      put_number(to, function.described ? 1 : 0);
      put_bytes(to, function.description);
      put_number(to, function.flags);
    }
  }
}

Status Scripts::decode(std::string_view& from) {
  std::uint64_t count = 0;
  if (!take_number(from, last_use_) || !take_number(from, count)) return malformed("scripts");
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view sha;
    std::string_view body;
    std::uint64_t used = 0;
    if (!take_bytes(from, sha) || !take_bytes(from, body) || !take_number(from, used) || used > last_use_ ||
        (used != 0 && by_use_.contains(used))) {
      return malformed("script");
    }
    const auto [script, added] = scripts_.try_emplace(std::string(sha), Script{std::string(body), used});
    if (!added) return malformed("script");
    bytes_ += body.size();
    if (used == 0) continue;
    by_use_[used] = script;
    evaluated_bytes_ += body.size();
  }
  if (!take_number(from, count)) return malformed("libraries");
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view name;
    std::string_view engine;
    std::string_view code;
    std::uint64_t functions = 0;
    if (!take_bytes(from, name) || !take_bytes(from, engine) || !take_bytes(from, code) ||
        !take_number(from, functions)) {
      return malformed("library");
    }
    Library library{.engine = std::string(engine), .code = std::string(code), .functions = {}};
    for (std::uint64_t j = 0; j < functions; ++j) {
      std::string_view function;
      std::string_view description;
      std::uint64_t described = 0;
      std::uint64_t flags = 0;
      if (!take_bytes(from, function) || !take_number(from, described) || !take_bytes(from, description) ||
          !take_number(from, flags) || functions_.contains(function_key(function))) {
        return malformed("function");
      }
      library.functions.push_back(
          {std::string(function), std::string(description), described != 0, static_cast<std::uint32_t>(flags)});
    }
    put_library(name, std::move(library));
  }
  return Done{};
}

}  // namespace redraft::store
