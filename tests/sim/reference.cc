#include "tests/sim/reference.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "resp/writer.h"
#include "server/commands/command.h"
#include "server/commands/random.h"

namespace redraft::sim {

Reference::Reference() : store_(store::Options{}) {}

bool Reference::judges(const Command& command) {
  constexpr std::array<std::string_view, 5> kScripting{"EVAL", "EVALSHA", "FCALL", "FUNCTION", "SCRIPT"};
  return std::ranges::find(kScripting, command.front()) != kScripting.end() ||
         std::ranges::any_of(command, [](const std::string& argument) { return argument.starts_with("types:"); });
}

void Reference::begin_entry(std::uint64_t index, std::uint64_t clock_ms) {
  index_ = index;
  clock_ms_ = clock_ms;
  store_.begin_entry(index, clock_ms);
}

resp::Reply Reference::apply(const Command& command, const commands::Origin& origin, std::uint64_t seed) {
  return run(command, origin, seed, clock_ms_, true);
}

resp::Reply Reference::read(const Command& command, std::uint64_t clock_ms) {
  store_.begin_read(clock_ms);
  resp::Reply reply = run(command, {}, 0, clock_ms, false);
  static_cast<void>(store_.end_read());
  return reply;
}

resp::Reply Reference::run(const Command& command, const commands::Origin& origin, std::uint64_t seed,
                           std::uint64_t clock_ms, bool applying) {
  const std::vector<std::string_view> arguments(command.begin(), command.end());
  std::string output;
  resp::Writer writer(output, resp::Writer::Protocol::kResp2);
  commands::Random random(seed);
  commands::Context context{store_, *this, *this, writer, random};
  context.command = commands::find_command(arguments);
  ensure(context.command != nullptr, "a workload sends commands that there are");
  context.arguments = arguments;
  context.clock_ms = clock_ms;
  context.index = index_;
  context.origin = origin;
  context.applying = applying;
  context.may_block = false;
  commands::execute(context);
  const resp::ReplyRead read = resp::read_reply(output);
  ensure(read.outcome == resp::ReplyRead::Outcome::kReply, "a command gives one reply");
  return read.reply;
}

}  // namespace redraft::sim
