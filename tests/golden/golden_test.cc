// Runs every *.txt beside it. `golden_raft_test --rewrite` writes what happens into the files instead; the diff is read
// before it is committed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/golden/script.h"

namespace redraft::raft::testing {
namespace {

bool rewrite = false;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class GoldenTest : public ::testing::Test {
 public:
  explicit GoldenTest(std::filesystem::path path) : path_(std::move(path)) {}
  void TestBody() override {
    const std::string text = read_file(path_);
    std::vector<Block> blocks = parse_script(text);
    ASSERT_FALSE(blocks.empty()) << path_;
    const auto printed = run_script(blocks);
    if (rewrite) {
      for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].expected = printed[i];
      std::ofstream(path_) << format_script(blocks);
      return;
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(printed[i], blocks[i].expected) << path_ << ", block " << i + 1 << ": " << blocks[i].lines.front();
    }
    EXPECT_EQ(format_script(blocks), text) << path_ << " is not laid out as --rewrite would";
  }

 private:
  std::filesystem::path path_;
};

void register_all() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(REDRAFT_GOLDEN_DIRECTORY)) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt")
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    ::testing::RegisterTest("Golden", path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [path]() -> ::testing::Test* { return new GoldenTest(path); });
  }
}

}  // namespace
}  // namespace redraft::raft::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--rewrite") redraft::raft::testing::rewrite = true;
  }
  redraft::raft::testing::register_all();
  return RUN_ALL_TESTS();
}
