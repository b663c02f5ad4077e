#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "raft/stored.h"
#include "server/replica/snapshot_files.h"
#include "server/replica/storage.h"
#include "snapshot/snapshot_directory.h"
#include "tests/base/fault_file_system.h"

// A data directory of the production Storage on a file system in memory, written without Raft.
namespace redraft::replica {

inline raft::Entry entry_of(std::uint64_t index, std::uint64_t term) {
  raft::Entry entry;
  entry.index = raft::LogIndex{index};
  entry.term = raft::Term{term};
  entry.payload = SharedBytes::copy_of(std::to_string(index) + "/" + std::to_string(term) + std::string(300, '.'));
  entry.payload_crc = crc32c(entry.payload.view());
  return entry;
}

inline raft::Configuration configuration_of(std::uint64_t members) {
  std::vector<raft::Member> all;
  for (std::uint64_t id = 1; id <= members; ++id) {
    raft::Member member;
    member.id = raft::NodeId{id};
    member.incarnation = raft::Incarnation{100 + id};
    member.address = "10.0.0." + std::to_string(id) + ":7000@17000";
    member.voter = true;
    all.push_back(member);
  }
  return {std::string(40, 'c'), all};
}

// The state of an empty store, as the requests that put it into a snapshot file.
inline std::vector<BulkRequest> snapshot_requests(const raft::SnapshotMetadata& metadata) {
  std::vector<BulkRequest> requests;
  BulkRequest create{.kind = BulkRequest::Kind::kCreate};
  create.metadata = file_metadata(metadata, metadata.index.value);
  requests.push_back(std::move(create));
  store::Store store({.databases = 1, .hash_seed = 3});
  store.begin_walk();
  for (bool more = true; more;) {
    std::string bytes;
    more = store.walk(bytes);
    BulkRequest chunk{.kind = BulkRequest::Kind::kChunk};
    chunk.chunk_kind = kStoreChunk;
    chunk.bytes = SharedBytes::copy_of(bytes);
    if (!bytes.empty()) requests.push_back(std::move(chunk));
  }
  requests.push_back(BulkRequest{.kind = BulkRequest::Kind::kFinish});
  return requests;
}

struct Started {
  std::unique_ptr<Storage> storage;
  std::unique_ptr<Recovered> recovered;
  std::optional<Error> refused;
};

inline Started start(FileSystem& files, bool has_peers, std::uint64_t seed = 1) {
  Started started;
  auto storage = Storage::open(files, "/d", {.node = 1, .segment_size = 4096, .seed = seed, .has_peers = has_peers});
  if (!storage) {
    started.refused = storage.error();
    return started;
  }
  auto recovered = (*storage)->recover([](std::uint64_t, std::uint64_t) {});
  if (!recovered) {
    started.refused = recovered.error();
    return started;
  }
  started.storage = std::move(*storage);
  started.recovered = std::move(*recovered);
  return started;
}

inline DiskDone execute(Storage& storage, DiskRequest request) {
  std::vector<DiskRequest> requests;
  requests.push_back(std::move(request));
  Result<std::vector<DiskDone>> done = storage.execute(std::move(requests));
  EXPECT_TRUE(done.ok()) << done.error().message;
  return done.ok() && !done->empty() ? std::move(done->back()) : DiskDone{};
}

inline void append(Storage& storage, std::uint64_t first, std::uint64_t count, std::uint64_t term) {
  for (std::uint64_t i = first; i < first + count; ++i) {
    DiskRequest request;
    request.raft.ticket = raft::Ticket{i};
    request.raft.entries.push_back(entry_of(i, term));
    request.raft.commit_index = raft::LogIndex{i - 1};
    execute(storage, std::move(request));
  }
}

inline void vote(Storage& storage, std::uint64_t term, std::uint64_t whom) {
  DiskRequest request;
  request.raft.ticket = raft::Ticket{1};
  request.raft.hard_state = raft::HardState{raft::Term{term}, raft::NodeId{whom}};
  execute(storage, std::move(request));
}

}  // namespace redraft::replica
