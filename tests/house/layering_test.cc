#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

// The arrows of ARCHITECTURE.md, read off the #include lines, and other house habits.

namespace redraft {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = REDRAFT_SOURCE_DIR;

// A module may include itself and these.
const std::map<std::string, std::set<std::string>> kArrows = {
    {"base", {}},
    {"resp", {"base"}},
    {"raft", {"base"}},
    {"wal", {"base"}},
    {"snapshot", {"base"}},
    {"server/store", {"base", "resp"}},
    {"server/scripting", {"base", "resp"}},
    {"server/commands", {"base", "resp", "server/store", "server/scripting"}},
    {"server/replica", {"base", "resp", "raft", "wal", "snapshot", "server/store", "server/commands"}},
    {"server/net", {"base", "resp", "raft", "wal", "snapshot", "server/store", "server/commands", "server/replica"}},
};

// What only some modules may know of the world.
const std::map<std::string, std::set<std::string>> kExternal = {
    {"uv.h", {"server/net"}},         {"thread", {"server/net"}},
    {"mutex", {"server/net"}},        {"chrono", {"server/net"}},
    {"ctime", {"server/net"}},        {"time.h", {"server/net"}},
    {"random", {"server/net"}},       {"spdlog/", {"server/net"}},
    {"sys/socket.h", {"server/net"}}, {"unistd.h", {"base", "server/net"}},
    {"google/protobuf", {"raft"}},
};

std::string module_of(const fs::path& file) {
  const std::string relative = fs::relative(file, kRoot).generic_string();
  std::string best;
  for (const auto& [module, allowed] : kArrows) {
    if (relative.starts_with(module + "/") && module.size() > best.size()) best = module;
  }
  return best;
}

std::vector<fs::path> sources(const std::vector<std::string>& tops = {"base", "resp", "raft", "wal", "snapshot",
                                                                      "server"}) {
  std::vector<fs::path> files;
  for (const std::string& top : tops) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".h" || extension == ".cc") files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Layering, IncludesFollowTheArrows) {
  for (const fs::path& file : sources()) {
    const std::string module = module_of(file);
    for (const std::string& line : lines_of(file)) {
      if (!line.starts_with("#include \"")) continue;
      const std::string included = line.substr(10, line.find('"', 10) - 10);
      if (!fs::exists(kRoot / included)) continue;  // generated
      const std::string target = module_of(kRoot / included);
      EXPECT_TRUE(target == module || kArrows.at(module).contains(target))
          << file << " includes " << included << ": an arrow from " << module << " to " << target
          << " is a design change";
    }
  }
}

TEST(Layering, TheWorldIsReachedWhereItIsAllowed) {
  for (const fs::path& file : sources()) {
    const std::string module = module_of(file);
    for (const std::string& line : lines_of(file)) {
      if (!line.starts_with("#include <")) continue;
      const std::string included = line.substr(10, line.find('>', 10) - 10);
      for (const auto& [name, modules] : kExternal) {
        const bool matches =
            name.back() == '/' || name.find('/') != std::string::npos ? included.starts_with(name) : included == name;
        // The operator's own file is read before there is a node.
        if (!matches || file.filename() == "settings_file.cc") continue;
        EXPECT_TRUE(modules.contains(module)) << file << " includes <" << included << ">";
      }
    }
  }
}

TEST(House, LibuvHandlesAreClosedInOneFile) {
  std::vector<std::string> closers;
  for (const fs::path& file : sources()) {
    const std::vector<std::string> lines = lines_of(file);
    const bool closes = std::ranges::any_of(lines, [](const std::string& line) {
      const std::size_t code = line.find("uv_close(");
      const std::size_t comment = line.find("//");
      return code != std::string::npos && (comment == std::string::npos || code < comment);
    });
    if (closes) closers.push_back(fs::relative(file, kRoot).generic_string());
  }
  EXPECT_EQ(closers, std::vector<std::string>{"server/net/handle.h"});
}

// A container that is asked for membership only may hash as it likes, and says so in its line.
TEST(House, NothingObservableHashesByTheStandardLibrary) {
  for (const fs::path& file : sources()) {
    if (module_of(file) == "server/net") continue;  // nothing that replicas share is decided there
    for (const std::string& line : lines_of(file)) {
      const std::string code = line.substr(0, line.find("//"));
      if (code.starts_with("#include") || line.find("never walked") != std::string::npos) continue;
      for (const char* word : {"std::hash<", "unordered_map", "unordered_set", "std::uniform_int_distribution"}) {
        EXPECT_EQ(code.find(word), std::string::npos) << file << ": " << line << " (pitfall G1)";
      }
    }
  }
}

TEST(House, LinesAndFilesAreOfReadableSize) {
  for (const fs::path& file : sources({"base", "resp", "raft", "wal", "snapshot", "server", "tests", "redis-compat"})) {
    const std::vector<std::string> lines = lines_of(file);
    EXPECT_LE(lines.size(), 580u) << file << ": a second noun?";
    for (const std::string& line : lines) EXPECT_LE(line.size(), 120u) << file << ": " << line;
  }
}

}  // namespace
}  // namespace redraft
