#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/commands/rdb/reader.h"
#include "server/store/breather.h"
#include "server/store/store.h"
#include "server/store/stream.h"

namespace redraft::rdb {

// Streams: listpacks of entries with their master entry, then the consumer groups. As load_value and save_value, which
// call them.
[[nodiscard]] bool load_stream(store::Store& store, ValueType type, Reader& from, store::Steps& steps,
                               std::unique_ptr<store::Object>& into);
[[nodiscard]] std::uint16_t save_stream(const store::Stream& stream, std::string& to, store::Steps& steps);

}  // namespace redraft::rdb
