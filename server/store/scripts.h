#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redraft::store {

// A function of a library, as FUNCTION LIST shows it.
struct LibraryFunction {
  std::string name;
  std::string description;
  bool described = false;
  std::uint32_t flags = 0;  // scripting::ScriptFlag
};

// What tells functions apart: their names in small letters, as in Redis.
[[nodiscard]] std::string function_key(std::string_view name);

struct Library {
  std::string engine;
  std::string code;
  std::vector<LibraryFunction> functions;  // in the order in which they were registered
};

// The scripts and functions of the cluster: replicated state, so that EVALSHA and FCALL work on whatever node leads.
// Scripts that EVAL brought are kept up to a bound, the longest unused going first in the order of the log; those of
// SCRIPT LOAD stay (redis-semantics, "Scripts"). Knows no Lua: code is bytes here.
class Scripts {
 public:
  static constexpr std::size_t kEvaluatedMax = 500;
  static constexpr std::size_t kEvaluatedBytesMax = std::size_t{32} << 20;

  // nullptr when it is not kept. `sha` in lower case.
  [[nodiscard]] const std::string* body(std::string_view sha) const;
  [[nodiscard]] bool loaded(std::string_view sha) const;
  // A logged EVAL or EVALSHA ran it; `body` is looked at only if it is not kept yet.
  void evaluated(std::string_view sha, std::string_view body);
  void load(std::string_view sha, std::string_view body);
  void flush_scripts();
  [[nodiscard]] std::size_t script_count() const { return scripts_.size(); }
  [[nodiscard]] std::uint64_t script_bytes() const { return bytes_; }

  // By name, sorted.
  [[nodiscard]] const std::map<std::string, Library, std::less<>>& libraries() const { return libraries_; }
  [[nodiscard]] const Library* library(std::string_view name) const;
  struct Found {
    const Library* library = nullptr;
    const LibraryFunction* function = nullptr;
  };
  // Without regard to case, as in Redis; of two in one library that differ in it only, the first.
  [[nodiscard]] Found function(std::string_view name) const;
  // Replaces one of the same name. The caller has seen to it that no other library has functions of these names.
  void put_library(std::string_view name, Library library);
  bool remove_library(std::string_view name);
  void flush_libraries();
  [[nodiscard]] std::size_t function_count() const { return functions_.size(); }

  void encode(std::string& to) const;
  [[nodiscard]] Status decode(std::string_view& from);

 private:
  struct Script {
    std::string body;
    std::uint64_t used = 0;  // its place among the evaluated ones; 0: it was loaded and stays
  };
  using ByName = std::map<std::string, Script, std::less<>>;
  void forget_oldest();

  ByName scripts_;
  std::map<std::uint64_t, ByName::iterator> by_use_;
  std::uint64_t last_use_ = 0;
  std::uint64_t bytes_ = 0;            // of all bodies
  std::uint64_t evaluated_bytes_ = 0;  // of those that may go
  std::map<std::string, Library, std::less<>> libraries_;
  struct Owner {
    std::string library;
    std::size_t function;  // its place in that
  };
  std::map<std::string, Owner, std::less<>> functions_;  // by function_key
};

}  // namespace redraft::store
