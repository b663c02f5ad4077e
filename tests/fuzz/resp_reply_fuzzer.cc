// Any bytes given to the reply reader: a reply is found at the same place however much follows it, no prefix of it is a
// reply or an error, and what was read can be printed.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "resp/reply_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using redraft::resp::ReplyRead;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ReplyRead whole = redraft::resp::read_reply(bytes);
  if (whole.outcome != ReplyRead::Outcome::kReply) return 0;
  if (whole.consumed == 0 || whole.consumed > size) std::abort();
  if (redraft::resp::to_string(whole.reply).empty()) std::abort();
  const ReplyRead exact = redraft::resp::read_reply(bytes.substr(0, whole.consumed));
  if (exact.outcome != ReplyRead::Outcome::kReply || !(exact.reply == whole.reply)) std::abort();
  if (whole.consumed > 512) return 0;
  for (std::size_t cut = 0; cut < whole.consumed; ++cut) {
    if (redraft::resp::read_reply(bytes.substr(0, cut)).outcome != ReplyRead::Outcome::kIncomplete) std::abort();
  }
  return 0;
}
