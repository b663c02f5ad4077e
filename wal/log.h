#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "wal/block_writer.h"
#include "wal/record.h"

namespace redraft::wal {

class Segment;
class SegmentMaker;
struct InternalBody;
struct RecordHeader;
enum class RecordType : std::uint8_t;

struct Options {
  // Bytes of one segment file, at least 4 KiB. A batch that is larger gets a larger segment of its own.
  std::uint64_t segment_size = std::uint64_t{64} << 20;
  // Source of the segments' salts: random, or at least never the same twice for one directory.
  std::uint64_t salt_seed = 0;
  // Released segments kept for reuse: their blocks are written already, so that a sync need not allocate.
  std::size_t recycled_segments_max = 4;
};

// Bytes that were durable and are not readable any more (storage-faults rows 2, 8, 11, 15): not a torn tail.
struct Damage {
  std::string file;
  std::uint64_t offset = 0;
  // The records that are lost, both inclusive. `last < first`: only the log's own bookkeeping is damaged.
  Sequence first;
  Sequence last;
  // Nothing tells how many followed `last` in a file that lost its end, or whether there were any.
  bool end_unknown = false;
  [[nodiscard]] bool lost_records() const { return first <= last; }
  [[nodiscard]] std::string describe() const;
};

// An unfinished write at the end (row 1): from here on nothing was ever acknowledged; it is gone for good.
struct Cut {
  std::string file;
  std::uint64_t offset = 0;
  Sequence first_dropped;
};

// What opening a log found.
struct Recovery {
  Sequence first;  // of the records that are there; `last < first` when there are none
  Sequence last;
  Sequence watermark;  // highest record that some valid record vouches for as durable
  std::vector<Damage> damaged;
  std::optional<Cut> cut;
};

// The write-ahead log of one group: numbered records of bytes in a directory of segment files; docs/wal-format.md has
// the bytes. Knows no terms and no indexes. Not thread-safe: after `open` one thread, the disk thread, calls
// everything.
//
// Errors. ErrorCode::kNoSpace from `append` leaves the log as it was before the call and usable (row 7). Any other
// error of a writing call is final: the caller ends the process (rows 5, 6); the log refuses every later call with the
// same error and never syncs that file again. kCorrupt from `read` names file and offset (row 8).
class Log {
 public:
  using Visitor = std::function<void(const RecordView&)>;
  // Reads out of one of the caller's records up to which record it says the log was durable (a commit marker); a
  // Sequence of 0 says nothing. It must never be above what was synced when that record was appended.
  using Watermark = std::function<Sequence(const RecordView&)>;

  // Opens or creates the log in `directory` and hands every readable record to `visitor`, in order; records missing in
  // between are in recovery().damaged, and it is for the caller to repair them before it vouches for this log. When
  // this returns everything that was visited is durable and a cut is too. Errors: kUnsupported (a version from the
  // future; nothing was touched, row 20), kNoSpace, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(FileSystem& files, std::string directory, Options options,
                                                         const Visitor& visitor, const Watermark& watermark = {});
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] const Recovery& recovery() const { return recovery_; }

  // Appends all records, with one write if they are below a MiB, and gives them the numbers from the returned one on.
  // Not durable until `sync` returns. Enters the next segment when they do not fit, which syncs the finished one first
  // (row 11). No record may be larger than the limits of record.h.
  [[nodiscard]] Result<Sequence> append(std::span<const Record> records);
  // Everything appended so far is durable when this returns without error. No work if it already is.
  [[nodiscard]] Status sync();
  // To be called when idle: appends a small record that says up to where the log is durable, so that damage of the last
  // records is later told from a torn tail. Does nothing when that is said already. To be followed by `sync`.
  [[nodiscard]] Status write_idle_marker();

  // The number the next record gets; the last that `sync` made durable; the oldest still there.
  [[nodiscard]] Sequence next_sequence() const { return next_; }
  [[nodiscard]] Sequence synced_sequence() const { return synced_; }
  [[nodiscard]] Sequence first_sequence() const;
  // The number of the newest segment with records in it, 0 if there is none: only ever grows.
  [[nodiscard]] std::uint64_t newest_segment() const;
  // As it was found by `open`.
  [[nodiscard]] std::uint64_t recovered_segment() const { return recovered_segment_; }
  // Bytes that the live segments occupy on disk.
  [[nodiscard]] std::uint64_t size_on_disk() const;

  // Reads one record anew from disk and verifies it, for followers that lag. The view's header lasts until the next
  // call. kNotFound if it is released or not written yet, kCorrupt if it lies in a damaged range or does not verify.
  [[nodiscard]] Result<RecordView> read(Sequence sequence);
  [[nodiscard]] std::optional<Position> position_of(Sequence sequence) const;
  [[nodiscard]] std::string file_of(Position position) const;

  // Gives up all whole segments that hold only records below `sequence`; their files are reused or removed. Includes a
  // sync, since the new beginning must be durable before an old file goes (row 14).
  [[nodiscard]] Status release_before(Sequence sequence);

  // To be called when idle: makes the next segment ready in steps that write about `budget` bytes, so that entering it
  // costs nothing later. True when it is ready. kNoSpace is harmless here: what was made is
  // removed again, so that others have the room.
  [[nodiscard]] Result<bool> prepare_next(std::uint64_t budget = std::uint64_t{256} << 10);
  // Whether a step is due even when the log is never idle: less of the next segment is made than of the active one is
  // used, and a quarter more.
  [[nodiscard]] bool next_is_late() const;

 private:
  Log(FileSystem& files, std::string directory, Options options);

  [[nodiscard]] Status start(const Visitor& visitor, const Watermark& watermark);
  [[nodiscard]] Status make_durable(std::uint64_t unvouched_begin);
  [[nodiscard]] Status end_behind_cut();
  [[nodiscard]] Status enter_next_segment(std::uint64_t room);
  // Writes the segment's start if it is missing, then the records, or one of the log's own if `own` says so.
  [[nodiscard]] Status write(std::span<const Record> records, std::optional<RecordType> own);
  // Where the next record goes and which one it follows.
  struct End {
    std::uint64_t offset;
    std::uint32_t chain_crc;
  };
  void encode_record(RecordHeader header, std::string_view header_bytes, std::string_view payload, End& end);
  [[nodiscard]] Status erase_failed_write(std::uint64_t end);
  [[nodiscard]] bool active_takes(std::uint64_t room) const;
  [[nodiscard]] InternalBody internal_body() const;
  [[nodiscard]] const Segment* segment_of(Sequence sequence) const;
  [[nodiscard]] Error end_with(Error error);

  FileSystem& files_;
  const std::string directory_;
  const Options options_;
  Recovery recovery_;
  std::uint64_t recovered_segment_ = 0;
  std::unique_ptr<SegmentMaker> maker_;

  std::vector<std::unique_ptr<Segment>> segments_;  // oldest first; the last one takes appends
  bool closed_ = false;                             // unless this says that nothing may follow in it
  bool unsynced_ = false;                           // something was written since the last sync
  std::optional<Error> ended_;                      // a write or sync failed for good

  Sequence next_{1};
  Sequence synced_{0};
  Sequence vouched_{0};              // the highest `synced_to` that a record carries
  std::uint32_t chain_crc_ = 0;      // header checksum of the last record
  std::uint64_t first_segment_ = 1;  // the log begins with this segment and this record
  Sequence first_sequence_{1};

  BlockWriter writer_;
  std::vector<std::uint64_t> offsets_;  // where the records of one write go
  std::vector<char> read_buffer_;
};

// One line of text per segment and record in `directory`, also for a damaged log; changes nothing. `meaning` may say
// what a caller's record is about.
using Meaning = std::function<std::string(Sequence)>;
[[nodiscard]] Status dump(FileSystem& files, const std::string& directory,
                          const std::function<void(std::string_view)>& line, const Meaning& meaning = {});

}  // namespace redraft::wal
