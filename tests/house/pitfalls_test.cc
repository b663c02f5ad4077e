// Every pitfall, a bug that systems of this kind have had, is named by a test, or docs/testing.md says why it cannot
// apply or what else guards against it.

#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace redraft {
namespace {

namespace fs = std::filesystem;

// How many there are in each group.
struct Group {
  char letter;
  int count;
};
constexpr std::array<Group, 9> kGroups{
    {{'A', 12}, {'B', 14}, {'C', 8}, {'D', 12}, {'E', 12}, {'F', 14}, {'G', 5}, {'H', 5}, {'I', 4}}};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

// A letter and a number, as whole words.
void collect(const std::string& text, std::set<std::string>& into) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] < 'A' || text[i] > 'I' || (i > 0 && is_word(text[i - 1]))) continue;
    std::size_t end = i + 1;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (end > i + 1 && (end == text.size() || !is_word(text[end]))) into.insert(text.substr(i, end - i));
  }
}

TEST(Pitfalls, EachIsNamedByATestOrHasItsReasonInTheTestingDocument) {
  const fs::path source = REDRAFT_SOURCE_DIR;
  std::set<std::string> named;
  for (const char* directory : {"tests", "redis-compat"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source / directory)) {
      const std::string kind = entry.path().extension().string();
      const bool text = kind == ".cc" || kind == ".h" || kind == ".txt" || kind == ".py";
      if (entry.is_regular_file() && text) collect(read(entry.path()), named);
    }
  }
  std::istringstream document(read(source / "docs" / "testing.md"));
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("| ")) collect(line.substr(0, line.find('|', 2)), named);
  }
  for (const Group& group : kGroups) {
    for (int i = 1; i <= group.count; ++i) {
      const std::string id = std::string(1, group.letter) + std::to_string(i);
      EXPECT_TRUE(named.contains(id)) << "pitfall " << id << " is named nowhere";
    }
  }
}

}  // namespace
}  // namespace redraft
