#include <algorithm>
#include <array>

#include "server/replica/engine.h"

// A command larger than an entry: cut into fragment entries as the pipeline has room, put together again at apply.

namespace redraft::replica {
namespace {

// Room for the fragment's own header and for the rest of the batch.
constexpr std::size_t kPieceSize = kPayloadMax - 4096;
constexpr std::uint64_t kReserveMax = std::uint64_t{1} << 30;

}  // namespace

// Copying hundreds of megabytes takes longer than an election timeout on a slow machine, so peers are served on the
// way.
void Engine::encode_in_pieces(std::string& to, const CommandHeader& header, Arguments arguments) {
  to.reserve(encoded_size(header, arguments));
  append_command_start(to, header, arguments.size());
  for (const std::string_view argument : arguments) {
    append_size(to, argument.size());
    for (std::size_t at = 0; at < argument.size(); at += kPayloadMax) {
      to += argument.substr(at, kPayloadMax);
      if (argument.size() > kPayloadMax) host_.pump();
    }
  }
}

void Engine::begin_fragments(Session& session, const Pending& pending, const CommandHeader& header,
                             Arguments arguments) {
  InPieces& sending = fragmenting_.emplace_back();
  sending.session = session.id();
  sending.number = header.number;
  encode_in_pieces(sending.encoded, header, arguments);
  session.pending.push_back(pending);
  ++session.writes_pending;
  session.last_write_batch = 0;
  session.hold(Hold::kFragments);
  propose_fragments();
}

void Engine::propose_fragments() {
  while (!fragmenting_.empty() && leading() && room_for(kPieceSize)) {
    InPieces& sending = fragmenting_.front();
    Session* session = sessions_.find(sending.session);
    const std::string_view piece = std::string_view(sending.encoded).substr(sending.offset, kPieceSize);
    if (pipeline_.full(piece.size() + 128)) {
      if (!may_close()) return;
      close_batch();
    }
    if (!leading()) return;
    CommandHeader header{.id = commands::CommandId::kFragment, .number = sending.number, .sequence = sending.offset};
    header.session = sending.encoded.size();
    header.connection = connection_of_id(sending.session);
    sending.offset += piece.size();
    const bool last = sending.offset == sending.encoded.size();
    const std::array<std::string_view, 3> arguments{"fragment", last ? "1" : "0", piece};
    const bool waiting = last && session != nullptr && !session->pending.empty();
    const std::uint64_t batch = pipeline_.add(waiting ? session : nullptr, header, arguments);
    if (waiting) {
      session->pending.back().batch = batch;
      session->last_write_batch = batch;
      sessions_.acquire(*session);
    }
    if (last) fragmenting_.pop_front();
  }
}

// Leadership was lost before the last fragment was proposed: the command certainly did not run.
void Engine::cancel_fragments() {
  for (const InPieces& sending : std::exchange(fragmenting_, {})) {
    Session* session = sessions_.find(sending.session);
    if (session == nullptr || session->pending.empty()) continue;
    lose_write(*session, {.number = sending.number}, {}, Outcome::kNotExecuted);
  }
}

bool Engine::apply_fragment(commands::Context& context, const Applied& applied, Session* session) {
  ensure(applied.arguments.size() == 3, "a fragment has a flag and bytes");
  const auto before = fragments_.all().find(context.origin);
  const std::size_t arrived = before == fragments_.all().end() ? 0 : before->second.size();
  if (applied.header.sequence == arrived) {
    // The size is what the sender says; more than any command may have is not reserved for it.
    fragments_.append(context.origin, applied.arguments[2],
                      std::min<std::uint64_t>(applied.header.session, kReserveMax));
  } else {
    // A piece is missing: never take the rest for a whole.
    static_cast<void>(fragments_.take(context.origin));
  }
  if (applied.arguments[1] != "1") {
    context.reply.ok();  // nobody reads it: only the last fragment has a client waiting
    return false;
  }
  const std::string whole = fragments_.take(context.origin);
  CommandReader reader(whole);
  CommandHeader header;
  std::vector<std::string_view> arguments;
  if (applied.header.sequence != arrived || !reader.next(header, arguments)) {
    context.reply.error("TRYAGAIN only a part of the command arrived, and it was not executed");
    return false;
  }
  return execute_applied({applied.node, header, arguments, applied.seed, applied.clock_ms}, session, context.reply);
}

}  // namespace redraft::replica
