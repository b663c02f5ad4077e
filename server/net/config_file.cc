#include "server/net/config_file.h"

#include <memory>
#include <string_view>

namespace redraft::net {
namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status replace(FileSystem& files, const std::string& path, const std::string& text) {
  const std::string temporary = path + ".tmp";
  {
    Result<std::unique_ptr<File>> file = files.open(temporary, OpenMode::kCreateOrTruncate);
    if (!file.ok()) return file.error();
    const std::string_view part = text;
    if (Status written = (*file)->write_at(0, std::span(&part, 1)); !written.ok()) return written;
    if (Status synced = (*file)->sync_data(); !synced.ok()) return synced;
  }
  if (Status renamed = files.rename(temporary, path); !renamed.ok()) return renamed;
  return files.sync_directory(directory_of(path));
}

}  // namespace

Status write_config_file(FileSystem& files, const std::string& path, const std::string& text) {
  const Status replaced = replace(files, path, text);
  if (replaced.ok()) return Done{};
  return Error{replaced.error().code, "ERR Rewriting config file: " + replaced.error().message};
}

std::optional<std::string> read_config_file(FileSystem& files, const std::string& path) {
  Result<std::unique_ptr<File>> file = files.open(path, OpenMode::kRead);
  if (!file.ok()) return std::nullopt;
  const Result<std::uint64_t> size = (*file)->size();
  if (!size.ok()) return std::nullopt;
  std::string text(*size, '\0');
  const Result<std::size_t> got = (*file)->read_at(0, text);
  if (!got.ok()) return std::nullopt;
  text.resize(*got);
  return text;
}

}  // namespace redraft::net
