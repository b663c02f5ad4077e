#include "server/replica/snapshot_files.h"

#include <algorithm>
#include <utility>

#include "raft/stored.h"
#include "server/replica/entry_payload.h"
#include "snapshot/snapshot_directory.h"

namespace redraft::replica {

snapshot::Metadata file_metadata(const raft::SnapshotMetadata& metadata, std::uint64_t clock_ms) {
  snapshot::Metadata file;
  file.index = metadata.index.value;
  file.term = metadata.term.value;
  file.clock_ms = clock_ms;
  file.feature_level = 1;
  file.membership = raft::encode_configuration(metadata.configuration);
  return file;
}

// A fragment is stored like a command of its origin, with the bytes as the only argument.
std::string encode_fragment(const commands::Origin& origin, std::string_view bytes) {
  std::string encoded;
  CommandHeader header{.id = commands::CommandId::kFragment, .connection = origin.connection, .number = origin.number};
  header.session = origin.node;
  append_command(encoded, header, std::span(&bytes, 1));
  return encoded;
}

Result<LoadedSnapshot> load_snapshot(snapshot::SnapshotReader& reader, const LoadProgress& progress) {
  Result<raft::Configuration> configuration = raft::decode_configuration(reader.metadata().membership);
  if (!configuration) return configuration.error();
  LoadedSnapshot loaded;
  loaded.metadata = {raft::LogIndex{reader.metadata().index}, raft::Term{reader.metadata().term},
                     std::move(*configuration)};
  store::Restorer restorer;
  while (true) {
    Result<std::optional<snapshot::Chunk>> chunk = reader.next_chunk();
    if (!chunk) return chunk.error();
    if (!*chunk) break;
    progress(reader.progress(), reader.key().size);
    const std::string_view bytes = (*chunk)->bytes;
    if ((*chunk)->kind == kStoreChunk) {
      if (Status added = restorer.add(bytes); !added) return added.error();
      continue;
    }
    CommandReader commands(bytes);
    CommandHeader header;
    std::vector<std::string_view> arguments;
    if ((*chunk)->kind != kFragmentChunk || !commands.next(header, arguments) || arguments.size() != 1) {
      return Error{ErrorCode::kCorrupt, reader.path() + " has a chunk that this version does not read"};
    }
    loaded.fragments.append({header.session, header.connection, header.number}, arguments.front());
  }
  Result<std::unique_ptr<store::Store>> store = restorer.finish();
  if (!store) return store.error();
  loaded.store = std::move(*store);
  return loaded;
}

BulkDone SnapshotFiles::execute(BulkRequest request) {
  BulkDone done{.kind = request.kind, .node = request.node, .index = request.index, .offset = request.offset};
  done.key = request.key;
  Status status = Done{};
  switch (request.kind) {
    case BulkRequest::Kind::kCreate:
      status = create(request);
      break;
    case BulkRequest::Kind::kChunk:
      done.size = request.bytes.size();
      if (writer_ != nullptr) status = writer_->add_chunk(request.chunk_kind, request.bytes.view());
      break;
    case BulkRequest::Kind::kFinish:
      status = finish(done);
      break;
    case BulkRequest::Kind::kAbort:
      writer_.reset();
      break;
    case BulkRequest::Kind::kRead:
      status = read(request, done);
      break;
    case BulkRequest::Kind::kReceive:
      status = receive(request, done);
      break;
    case BulkRequest::Kind::kLoad:
      status = load(done);
      break;
    case BulkRequest::Kind::kDiscard:
      if (receiver_ != nullptr) receiver_->discard();
      receiver_.reset();
      break;
    case BulkRequest::Kind::kFreeStore:
      request.old_store.reset();
      break;
  }
  if (!status) {
    done.error = status.error();
    const bool writing = request.kind == BulkRequest::Kind::kChunk || request.kind == BulkRequest::Kind::kFinish;
    if (writing) writer_.reset();
  }
  return done;
}

Status SnapshotFiles::create(const BulkRequest& request) {
  Result<std::unique_ptr<snapshot::SnapshotWriter>> writer =
      snapshot::SnapshotWriter::create(files_, directory_, request.metadata, {});
  if (!writer) return writer.error();
  writer_ = std::move(*writer);
  writing_index_ = request.metadata.index;
  return Done{};
}

Status SnapshotFiles::finish(BulkDone& done) {
  if (writer_ == nullptr) return Error{ErrorCode::kIo, "the snapshot failed before its end"};
  Result<snapshot::FileKey> key = writer_->finish();
  if (!key) return key.error();
  writer_.reset();
  done.key = *key;
  return snapshot::clean_directory(files_, directory_);
}

Status SnapshotFiles::read(const BulkRequest& request, BulkDone& done) {
  if (reader_ == nullptr || reader_->key().index != request.index) {
    Result<std::vector<snapshot::SnapshotFile>> files = snapshot::list_snapshots(files_, directory_);
    if (!files) return files.error();
    const auto found = std::ranges::find_if(*files, [&](const auto& file) { return file.index == request.index; });
    if (found == files->end()) return Error{ErrorCode::kNotFound, "the snapshot to be sent is gone"};
    Result<std::unique_ptr<snapshot::SnapshotReader>> reader = snapshot::SnapshotReader::open(files_, found->path);
    if (!reader) return reader.error();
    reader_ = std::move(*reader);
  }
  done.key = reader_->key();
  if (request.offset >= reader_->key().size) return Done{};
  SharedBytesBuilder bytes;
  const std::uint64_t size = std::min(request.size, reader_->key().size - request.offset);
  char* const into = bytes.extend(size);
  if (Status filled = reader_->read_range(request.offset, std::span(into, size)); !filled) return filled;
  done.bytes = bytes.finish();
  return Done{};
}

Status SnapshotFiles::receive(const BulkRequest& request, BulkDone& done) {
  if (receiver_ == nullptr || receiver_->key() != request.key) {
    Result<std::unique_ptr<snapshot::SnapshotReceiver>> receiver =
        snapshot::SnapshotReceiver::open(files_, directory_, request.key);
    if (!receiver) return receiver.error();
    receiver_ = std::move(*receiver);
  }
  Result<std::uint64_t> received = receiver_->write(request.offset, request.bytes.view());
  if (!received) {
    if (received.error().code != ErrorCode::kCorrupt) return received.error();
    done.received = receiver_->received();  // damaged on the way: sent again from there
    return Done{};
  }
  done.received = *received;
  return Done{};
}

Status SnapshotFiles::load(BulkDone& done) {
  if (receiver_ == nullptr) return Error{ErrorCode::kNotFound, "no snapshot was received"};
  Result<std::string> path = receiver_->finish();
  if (!path) return path.error();
  receiver_.reset();
  Result<std::unique_ptr<snapshot::SnapshotReader>> reader = snapshot::SnapshotReader::open(files_, *path);
  if (!reader) return reader.error();
  Result<LoadedSnapshot> loaded = load_snapshot(**reader, [](std::uint64_t, std::uint64_t) {});
  if (!loaded) return loaded.error();
  done.loaded = std::make_unique<LoadedSnapshot>(std::move(*loaded));
  return Done{};
}

}  // namespace redraft::replica
