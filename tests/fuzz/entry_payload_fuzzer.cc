// Any bytes as the payload of a log entry: refused, or commands that encode to the same bytes again and that lie inside
// the buffer (pitfalls B7, F3).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "server/replica/entry_payload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace redraft::replica;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const redraft::Result<Payload> payload = read_payload(bytes);
  if (!payload) return 0;
  CommandReader reader(payload->commands);
  CommandHeader header;
  std::vector<std::string_view> arguments;
  PayloadWriter writer;
  std::uint64_t count = 0;
  while (reader.next(header, arguments)) {
    ++count;
    for (const std::string_view argument : arguments) {
      redraft::ensure(argument.empty() || (argument.data() >= bytes.data() &&
                                           argument.data() + argument.size() <= bytes.data() + bytes.size()),
                      "an argument is a view of the entry");
    }
    std::string again;
    append_command(again, header, arguments);
    redraft::ensure(again.size() == encoded_size(header, arguments), "the size is known before");
    CommandReader second(again);
    CommandHeader other;
    std::vector<std::string_view> others;
    redraft::ensure(second.next(other, others) && others == arguments && other.id == header.id &&
                        other.connection == header.connection && other.number == header.number &&
                        other.db == header.db && other.user == header.user,
                    "what is encoded is read back");
    if (writer.size() + again.size() < kPayloadMax) writer.add(header, arguments);
  }
  redraft::ensure(count <= size, "every command takes room");
  const redraft::SharedBytes whole = writer.finish(payload->header);
  const redraft::Result<Payload> back = read_payload(whole.view());
  redraft::ensure(back.ok() && back->header.clock_ms == payload->header.clock_ms &&
                      back->header.seed == payload->header.seed && back->header.node == payload->header.node,
                  "a header is read back");
  return 0;
}
