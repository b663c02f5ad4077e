// Any bytes as the segments of a log: opening reports or repairs, never crashes, and what it kept it keeps.

#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/little_endian.h"
#include "tests/base/fault_file_system.h"
#include "wal/codec.h"
#include "wal/log.h"

namespace redraft::wal {
namespace {

constexpr std::size_t kSize = 4096;

std::map<std::uint64_t, std::string> open_and_append(FileSystem& files, std::uint64_t seed) {
  std::map<std::uint64_t, std::string> records;
  auto log = Log::open(files, "/wal", {.segment_size = kSize, .salt_seed = seed},
                       [&](const RecordView& view) { records[view.sequence.value] = view.payload.view(); });
  if (!log) return records;
  for (const auto& [sequence, payload] : records) {
    const auto view = (*log)->read({sequence});
    ensure(view.ok() && view->payload.view() == payload, "what was replayed can be read");
  }
  const Record record{.kind = 1, .header = {}, .payload = SharedBytes::copy_of("new"), .payload_crc = crc32c("new")};
  // Sequences come from the input too: near the end of their range nothing is to be proved.
  if ((*log)->next_sequence().value > (~std::uint64_t{0} >> 1)) return records;
  const auto sequence = (*log)->append({&record, 1});
  ensure(sequence.ok() && (*log)->sync().ok(), "a log that opens takes records");
  records[sequence->value] = "new";
  return records;
}

// Gives the fuzzer's bytes right checksums, so that it gets behind them.
void seal(std::string& segment) {
  for (const std::size_t at : {std::size_t{0}, kSize - kSectorSize}) {
    std::memcpy(segment.data() + at, "RDRFTWAL", 8);
    store_little(segment.data() + at + 8, kFormatVersion);
    store_little(segment.data() + at + 32, std::uint64_t{kSize});
    store_little(segment.data() + at + 60, crc32c({segment.data() + at, 60}));
  }
  const auto salt = load_little<std::uint64_t>(segment.data() + 24);
  std::uint64_t offset = kRecordsBegin;
  while (offset + kRecordHeaderSize <= kSize - kSectorSize) {
    char* at = segment.data() + offset;
    store_little(at + 12, load_little<std::uint32_t>(at + 12) % 600);
    store_little(at + kSaltOffset, salt);
    at[40] = static_cast<char>(at[40] & 3);
    store_little(at + 42, static_cast<std::uint16_t>(at[40] == 0 ? load_little<std::uint16_t>(at + 42) % 64 : 32));
    const std::size_t header_size = kRecordHeaderSize + load_little<std::uint16_t>(at + 42);
    const std::size_t payload_size = load_little<std::uint32_t>(at + 12);
    if (offset + header_size + payload_size > kSize - kSectorSize) break;
    store_little(at + 8, crc32c({at + header_size, payload_size}));
    char place[8];
    store_little(place, offset);
    store_little(at, crc32c_extend(crc32c({place, 8}), {at + 4, header_size - 4}));
    offset += (header_size + payload_size + 7) / 8 * 8;
  }
}

}  // namespace
}  // namespace redraft::wal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace redraft::wal;
  if (size == 0) return 0;
  const bool sealed = (data[0] & 1) != 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  redraft::testing::FaultFileSystem files;
  static_cast<void>(files.make_directories("/wal"));
  for (std::uint64_t number = 1; number <= 3 && !rest.empty(); ++number) {
    std::string segment(rest.substr(0, kSize));
    rest.remove_prefix(segment.size());
    if (sealed) {
      segment.resize(kSize);
      redraft::store_little(segment.data() + 16, number);
      seal(segment);
    }
    files.set_content("/wal/" + segment_name(number), segment);
  }
  const auto kept = open_and_append(files, 1);
  files.crash(data[0]);
  const auto again = open_and_append(files, 2);
  for (const auto& [sequence, payload] : kept) {
    const auto found = again.find(sequence);
    redraft::ensure(found != again.end() && found->second == payload, "what one start kept, the next one keeps");
  }
  return 0;
}
