#include "server/replica/repair_mark.h"

#include <utility>

namespace redraft::replica {
namespace {

constexpr char kVersion = 1;

}  // namespace

std::string to_string(Repair repair) {
  switch (repair) {
    case Repair::kNone:
      return "none";
    case Repair::kEntries:
      return "entries are missing";
    case Repair::kVote:
      return "the vote is forgotten";
    case Repair::kState:
      return "the state differs from the majority's";
  }
  return "unknown";
}

Result<RepairMark> RepairMark::open(FileSystem& files, const std::string& directory) {
  Result<wal::TwoSlotFile> file = wal::TwoSlotFile::open(files, directory, "repair");
  if (!file && file.error().code == ErrorCode::kCorrupt) {
    return RepairMark(wal::TwoSlotFile::anew(files, directory, "repair"), Repair::kEntries);
  }
  if (!file) return file.error();
  if (file->absent()) return RepairMark(std::move(*file), Repair::kNone);
  const std::string& value = file->value();
  if (value.size() != 2 || value[0] != kVersion || value[1] < 0 || value[1] > static_cast<char>(Repair::kState)) {
    return Error{ErrorCode::kUnsupported, directory + "/repair: this version does not know what is written there"};
  }
  const auto repair = static_cast<Repair>(value[1]);
  return RepairMark(std::move(*file), repair);
}

Status RepairMark::forget() {
  if (repair_ == Repair::kVote) repair_ = Repair::kEntries;
  return set(Repair::kNone);
}

Status RepairMark::set(Repair repair) {
  if (repair_ == Repair::kVote) return Done{};
  if (repair == repair_ && !file_.absent()) return Done{};
  if (repair == Repair::kNone && file_.absent() && repair_ == Repair::kNone) return Done{};
  const std::string value = {kVersion, static_cast<char>(repair)};
  if (Status written = file_.write(value); !written) return written;
  repair_ = repair;
  return Done{};
}

}  // namespace redraft::replica
