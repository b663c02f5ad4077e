#include "server/commands/populate.h"

#include <algorithm>
#include <array>
#include <string>

#include "server/replica/engine.h"

// DEBUG POPULATE: many small entries' worth of keys out of a few numbers. All slices are proposed at once; the last one
// answers the client.

namespace redraft::replica {

using commands::CommandId;

void NodeActions::populate(Session& session, std::uint64_t count, std::string_view prefix, std::uint64_t size) {
  const commands::Command* command = commands::find_command(CommandId::kDebug);
  if (!engine_.leading()) {
    engine_.redirect(session, *command, {}, session.writer());
    return;
  }
  const std::uint64_t by_size = commands::kPopulateSliceBytes / std::max<std::uint64_t>(size, 1);
  const std::uint64_t slice = std::clamp<std::uint64_t>(by_size, 1, commands::kPopulateSliceKeys);
  const std::string size_text = std::to_string(size);
  for (std::uint64_t first = 0; first < count || first == 0; first += slice) {
    const std::uint64_t end = std::min(first + slice, count);
    const std::string first_text = std::to_string(first);
    const std::string end_text = std::to_string(end);
    const std::array<std::string_view, 5> arguments{"populate", prefix, first_text, end_text, size_text};
    if (end == count) return engine_.propose_for(session, CommandId::kPopulate, *command, arguments);
    const CommandHeader header{.id = CommandId::kPopulate, .db = session.db};
    if (engine_.pipeline_.full(encoded_size(header, arguments))) engine_.close_batch();
    engine_.pipeline_.add(nullptr, header, arguments);
  }
}

}  // namespace redraft::replica
