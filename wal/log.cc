#include "wal/log.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/planted.h"
#include "wal/codec.h"
#include "wal/recover.h"
#include "wal/segment.h"
#include "wal/segment_maker.h"

namespace redraft::wal {
namespace {

// Kept free at the end of every segment, so that the log can be shortened when the disk is full (storage-faults row 7).
constexpr std::uint64_t kReserve = 4 * kInternalRecordSize;

std::array<char, kInternalBodySize> bytes_of(const InternalBody& body) {
  std::array<char, kInternalBodySize> bytes{};
  encode(body, bytes.data());
  return bytes;
}

std::uint64_t size_of(const Record& record) {
  const RecordHeader header{.payload_size = static_cast<std::uint32_t>(record.payload.size()),
                            .header_size = static_cast<std::uint16_t>(record.header.size())};
  return header.size();
}

}  // namespace

std::string Damage::describe() const {
  std::string text = file + " at offset " + std::to_string(offset) + ": ";
  if (!lost_records()) return text + "damaged, no record lost";
  if (end_unknown)
    return text + "the file lost its end, records from " + std::to_string(first.value) + " on may be gone";
  return text + "records " + std::to_string(first.value) + " to " + std::to_string(last.value) + " are damaged";
}

Log::Log(FileSystem& files, std::string directory, Options options)
    : files_(files),
      directory_(std::move(directory)),
      options_(options),
      maker_(std::make_unique<SegmentMaker>(files, directory_, options)) {}

Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(FileSystem& files, std::string directory, Options options,
                                       const Visitor& visitor, const Watermark& watermark) {
  if (options.segment_size < kSegmentSizeMin || options.segment_size % kSectorSize != 0) {
    return Error{ErrorCode::kInvalid, "a log segment has at least 4096 bytes and whole sectors of 512"};
  }
  std::unique_ptr<Log> log(new Log(files, std::move(directory), options));
  if (Status started = log->start(visitor, watermark); !started) return started.error();
  return log;
}

Status Log::start(const Visitor& visitor, const Watermark& watermark) {
  if (Status made = files_.make_directories(directory_); !made) return made;
  auto recovered = recover(files_, directory_, options_.segment_size, watermark);
  if (!recovered) return recovered.error();
  recovery_ = std::move(recovered->recovery);
  segments_ = std::move(recovered->segments);
  if (!segments_.empty()) recovered_segment_ = segments_.back()->number();
  closed_ = !recovered->appendable;
  next_ = recovered->next;
  chain_crc_ = recovered->chain_crc;
  vouched_ = recovery_.watermark;
  first_segment_ = recovered->first_segment;
  first_sequence_ = recovered->first_sequence;

  Status done = maker_->adopt(std::move(recovered->prepared), std::move(recovered->recyclable), recovered->leftovers,
                              recovered->highest_number);
  if (done) done = make_durable(recovered->unvouched_begin);
  if (done && segments_.empty()) {
    auto ready = maker_->prepare(options_.segment_size, ~std::uint64_t{0});
    if (!ready && ready.error().code != ErrorCode::kNoSpace) done = ready.error();
  }
  if (planted::is(planted::Bug::kAppendBehindCut) && recovery_.cut && closed_) {
    closed_ = false;
    segments_.back()->set_end(
        std::min(segments_.back()->end() + kSectorSize, segments_.back()->header().records_end()));
  }
  // Damage is not cut off: until the caller goes on behind it, a good copy of the file makes the log whole again.
  if (done && recovery_.cut && closed_) done = end_behind_cut();
  if (done) done = replay(segments_, visitor);
  return done;
}

// What was read may be in the page cache only, and even clean there if a sync failed before the last process ended
// (row 5): it is written again, and only then is it true that it is durable.
Status Log::make_durable(std::uint64_t unvouched_begin) {
  if (Status synced = files_.sync_directory(directory_); !synced) return synced;
  if (segments_.empty()) return Done{};
  Segment& last = *segments_.back();
  // Exactly those bytes: what lies behind may not be readable.
  std::vector<char> buffer;
  for (std::uint64_t offset = unvouched_begin; offset < last.end();) {
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(last.end() - offset, std::uint64_t{1} << 20)));
    auto read = last.file().read_at(offset, buffer);
    if (!read) return read.error();
    if (*read == 0) break;  // a file that lost its end may lack the last record's padding
    const std::string_view bytes(buffer.data(), *read);
    if (Status written = last.file().write_at(offset, {&bytes, 1}); !written) return written;
    offset += bytes.size();
  }
  if (Status synced = last.file().sync_data(); !synced) return synced;
  synced_ = {next_.value - 1};
  return Done{};
}

// The cut is final before anything else happens: the next segment's start says where this one ends (row 1).
Status Log::end_behind_cut() {
  Status done = enter_next_segment(kInternalRecordSize);
  if (done) done = write({}, std::nullopt);
  if (done) done = sync();
  // With a full disk it stays open; the next append tries again, and a crash finds the same bytes and the same cut.
  if (!done && done.error().code == ErrorCode::kNoSpace) return Done{};
  return done;
}

Error Log::end_with(Error error) {
  // An ENOSPC that comes out of a sync is a failed sync all the same: what is on disk is unknown (row 5).
  error.code = ErrorCode::kIo;
  ended_ = error;
  return error;
}

bool Log::active_takes(std::uint64_t room) const {
  return !segments_.empty() && !closed_ && segments_.back()->room() >= room;
}

InternalBody Log::internal_body() const {
  InternalBody body{.first_segment = first_segment_, .first_sequence = first_sequence_};
  if (segments_.size() > 1) {
    const Segment& previous = *segments_[segments_.size() - 2];
    body.previous_segment = previous.number();
    body.previous_end = previous.end();
  }
  return body;
}

Status Log::enter_next_segment(std::uint64_t room) {
  if (Status synced = sync(); !synced) return synced;  // the finished one first (row 11)
  const std::uint64_t size = 2 * kSectorSize + kInternalRecordSize + room + kReserve;
  auto ready = maker_->prepare(size, ~std::uint64_t{0});
  if (!ready) return ready.error().code == ErrorCode::kNoSpace ? ready.error() : end_with(ready.error());
  ensure(*ready, "a segment is made at once when nothing limits it");
  segments_.push_back(maker_->take());
  segments_.back()->set_first(next_);
  if (segments_.size() == 1) first_segment_ = segments_.back()->number();
  closed_ = false;
  return Done{};
}

Result<Sequence> Log::append(std::span<const Record> records) {
  if (ended_) return *ended_;
  const Sequence first = next_;
  if (records.empty()) return first;
  std::uint64_t size = 0;
  for (const Record& record : records) {
    ensure(record.header.size() <= kHeaderSizeMax && record.payload.size() <= kPayloadSizeMax,
           "a record keeps the limits of the format (pitfall F3)");
    size += size_of(record);
  }
  // A batch lies in one segment, so that a failure leaves nothing of it anywhere once its place is erased.
  const std::uint64_t start = !segments_.empty() && segments_.back()->empty() ? kInternalRecordSize : 0;
  if (!active_takes(start + size + kReserve)) {
    const bool behind_cut = closed_ && !segments_.empty();
    Status entered = enter_next_segment(size);
    // Where the closed one ends is to be known before records follow, or what is behind its end could seem to belong.
    if (entered && behind_cut) entered = write({}, std::nullopt);
    if (entered && behind_cut) entered = sync();
    if (!entered) return entered.error();
  }
  if (Status written = write(records, std::nullopt); !written) return written.error();
  return first;
}

void Log::encode_record(RecordHeader header, std::string_view header_bytes, std::string_view payload, End& end) {
  const SegmentHeader& segment = segments_.back()->header();
  header.previous_crc = end.chain_crc;
  header.salt = segment.salt;
  header.synced_to = synced_;
  header.header_size = static_cast<std::uint16_t>(header_bytes.size());
  encode(header, end.offset, header_bytes, writer_.room(header.payload_offset()));
  writer_.put(payload);
  const std::size_t padding = header.size() - header.payload_offset() - payload.size();
  std::fill_n(writer_.room(padding), padding, '\0');
  end = {end.offset + header.size(), header.header_crc};
}

Status Log::write(std::span<const Record> records, std::optional<RecordType> own) {
  Segment& active = *segments_.back();
  End end{active.end(), chain_crc_};
  offsets_.clear();
  Status written = writer_.begin(active.file(), active.number(), end.offset, active.header().records_end());
  if (!written) return end_with(written.error());

  const auto put_own = [&](RecordType type) {
    const auto body = bytes_of(internal_body());
    encode_record({.sequence = next_, .type = type}, {body.data(), body.size()}, {}, end);
  };
  if (active.empty()) put_own(RecordType::kSegmentStart);
  if (own) put_own(*own);
  Sequence sequence = next_;
  for (const Record& record : records) {
    offsets_.push_back(end.offset);
    const std::string_view payload = record.payload.view();
    encode_record({.payload_crc = record.payload_crc,
                   .payload_size = static_cast<std::uint32_t>(payload.size()),
                   .sequence = sequence,
                   .type = RecordType::kCaller,
                   .kind = record.kind},
                  record.header, payload, end);
    ++sequence.value;
  }
  if (written = writer_.finish(); !written) {
    if (written.error().code != ErrorCode::kNoSpace) return end_with(written.error());
    if (Status erased = erase_failed_write(end.offset); !erased) return end_with(erased.error());
    return written;
  }
  unsynced_ = true;
  active.set_end(end.offset);
  for (std::size_t i = 0; i < offsets_.size(); ++i) active.add({next_.value + i}, offsets_[i]);
  next_ = sequence;
  chain_crc_ = end.chain_crc;
  vouched_ = std::max(vouched_, synced_);
  return Done{};
}

// A record of a batch that was refused must not come back after a crash, so it is overwritten and that is synced before
// anything else; where even that needs space, that part of the file is given up, which needs none, and the segment
// takes no more records (row 7).
Status Log::erase_failed_write(std::uint64_t end) {
  static constexpr std::array<char, 65536> kZeros{};
  Segment& active = *segments_.back();
  Status erased = Done{};
  for (std::uint64_t offset = active.end(); offset < end && erased;) {
    const std::string_view part(kZeros.data(), std::min<std::uint64_t>(end - offset, kZeros.size()));
    erased = active.file().write_at(offset, {&part, 1});
    offset += part.size();
  }
  if (!erased && erased.error().code == ErrorCode::kNoSpace) {
    closed_ = true;
    erased = active.file().truncate(active.end());
    // To its full size again: a file that is too short means damage.
    if (erased) erased = active.file().truncate(active.header().size);
  }
  if (!erased) return erased;
  unsynced_ = true;
  if (erased = sync(); !erased) return erased;
  if (closed_ && active.empty()) {
    // Entered and never used: the next one follows the segment before. If the file stays, the next start removes it.
    const std::string path = active.path();
    segments_.pop_back();
    static_cast<void>(maker_->give_back({}, {path}));
  }
  return Done{};
}

Status Log::sync() {
  if (ended_) return *ended_;
  if (!unsynced_) return Done{};
  if (Status synced = segments_.back()->file().sync_data(); !synced) return end_with(synced.error());
  unsynced_ = false;
  synced_ = {next_.value - 1};
  return Done{};
}

std::uint64_t Log::newest_segment() const {
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    if (!(*segment)->empty()) return (*segment)->number();
  }
  return 0;
}

Status Log::write_idle_marker() {
  if (ended_) return *ended_;
  if (vouched_ >= synced_ || !active_takes(kInternalRecordSize + kReserve)) return Done{};
  return write({}, RecordType::kIdleMarker);
}

Status Log::release_before(Sequence sequence) {
  if (ended_) return *ended_;
  std::size_t count = 0;
  while (count + 1 < segments_.size() && segments_[count + 1]->first() <= sequence) ++count;
  if (count == 0) return Done{};
  const std::uint64_t first_segment = std::exchange(first_segment_, segments_[count]->number());
  const Sequence first_sequence = std::exchange(first_sequence_, segments_[count]->first());
  Status written = Done{};
  if (!active_takes(2 * kInternalRecordSize)) written = enter_next_segment(kInternalRecordSize);
  if (written) written = write({}, RecordType::kRelease);
  if (!written) {
    first_segment_ = first_segment;
    first_sequence_ = first_sequence;
    return written;
  }
  if (Status synced = sync(); !synced) return synced;
  std::vector<std::string> standard;
  std::vector<std::string> others;
  for (std::size_t i = 0; i < count; ++i) {
    const bool whole = segments_[i]->header().size == options_.segment_size;
    (whole ? standard : others).push_back(segments_[i]->path());
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(count));
  std::erase_if(recovery_.damaged, [&](const Damage& damage) { return damage.last < first_sequence_; });
  return maker_->give_back(standard, others);
}

Result<bool> Log::prepare_next(std::uint64_t budget) {
  if (ended_) return *ended_;
  return maker_->prepare(options_.segment_size, budget);
}

bool Log::next_is_late() const {
  const std::uint64_t used = segments_.empty() ? 0 : segments_.back()->end();
  return maker_->made() < std::min(used + used / 4, options_.segment_size);
}

Sequence Log::first_sequence() const {
  return first_sequence_;
}

std::uint64_t Log::size_on_disk() const {
  std::uint64_t size = maker_->size_on_disk();
  for (const auto& segment : segments_) size += segment->header().size;
  return size;
}

const Segment* Log::segment_of(Sequence sequence) const {
  auto after = std::upper_bound(segments_.begin(), segments_.end(), sequence,
                                [](Sequence wanted, const auto& segment) { return wanted < segment->first(); });
  return after == segments_.begin() ? nullptr : std::prev(after)->get();
}

std::optional<Position> Log::position_of(Sequence sequence) const {
  const Segment* segment = segment_of(sequence);
  if (segment == nullptr) return std::nullopt;
  const auto offset = segment->offset_of(sequence);
  if (!offset) return std::nullopt;
  return Position{segment->number(), *offset};
}

std::string Log::file_of(Position position) const {
  for (const auto& segment : segments_) {
    if (segment->number() == position.segment) return segment->path();
  }
  return directory_ + "/" + segment_name(position.segment);
}

Result<RecordView> Log::read(Sequence sequence) {
  if (sequence < first_sequence_ || sequence >= next_) {
    return Error{ErrorCode::kNotFound, "record " + std::to_string(sequence.value) + " is not in the log"};
  }
  const auto position = position_of(sequence);
  if (!position) {
    return Error{ErrorCode::kCorrupt, directory_ + ": record " + std::to_string(sequence.value) + " is damaged"};
  }
  Segment* segment = nullptr;
  for (const auto& candidate : segments_) {
    if (candidate->number() == position->segment) segment = candidate.get();
  }
  const auto corrupt = [&] {
    return Error{ErrorCode::kCorrupt, segment->path() + " at offset " + std::to_string(position->offset) + ": record " +
                                          std::to_string(sequence.value) + " is damaged"};
  };
  read_buffer_.resize(kRecordHeaderSize + kHeaderSizeMax);
  auto count = segment->file().read_at(position->offset, read_buffer_);
  if (!count) return count.error();
  const std::string_view beginning(read_buffer_.data(), *count);
  const auto header = decode_record_header(beginning, position->offset);
  if (!header || header->sequence != sequence || header->salt != segment->header().salt) return corrupt();
  SharedBytesBuilder payload(header->payload_size);
  payload.append(beginning.substr(header->payload_offset()).substr(0, header->payload_size));
  if (const std::size_t rest = header->payload_size - payload.size(); rest > 0) {
    const std::uint64_t from = position->offset + header->payload_offset() + payload.size();
    auto filled = segment->file().read_at(from, {payload.extend(rest), rest});
    if (!filled) return filled.error();
    if (*filled != rest) return corrupt();
  }
  if (crc32c(payload.view()) != header->payload_crc) return corrupt();
  return RecordView{.sequence = sequence,
                    .kind = header->kind,
                    .header = beginning.substr(kRecordHeaderSize, header->header_size),
                    .payload = payload.finish(),
                    .payload_crc = header->payload_crc,
                    .position = *position};
}

}  // namespace redraft::wal
