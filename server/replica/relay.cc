#include "server/replica/relay.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/little_endian.h"

namespace redraft::replica {

namespace {

// The first byte of a frame.
constexpr char kGreeting = 0;
constexpr char kPiece = 1;
constexpr char kLastPiece = 2;
constexpr std::size_t kHeaderSize = 1 + 8;
// In front of a message: sharded or not, and the channel's size.
constexpr std::size_t kPrefixSize = 1 + 4;

std::string header_of(char kind, std::uint64_t number) {
  std::string header(1, kind);
  append_little(header, number);
  return header;
}

}  // namespace

void Relay::send(const Message& message, const Send& send) {
  ++sent_;
  SharedBytesBuilder builder(kPrefixSize + message.channel.size() + message.text.size());
  char* to = builder.extend(kPrefixSize);
  *to++ = message.sharded ? 1 : 0;
  store_little(to, static_cast<std::uint32_t>(message.channel.size()));
  const auto append = [&builder](std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(builder.extend(bytes.size()), bytes.data(), bytes.size());
  };
  append(message.channel);
  append(message.text);
  const SharedBytes whole = builder.finish();
  for (std::size_t at = 0; at < whole.size(); at += kPieceSize) {
    const std::size_t size = std::min(kPieceSize, whole.size() - at);
    const bool last = at + size == whole.size();
    send(header_of(last ? kLastPiece : kPiece, sent_), whole.slice(at, size));
  }
}

std::string Relay::greeting() const {
  return header_of(kGreeting, sent_);
}

bool Relay::receive(std::uint64_t node, std::uint64_t boot, std::string_view frame,
                    const std::function<void(const Message&)>& deliver) {
  if (frame.size() < kHeaderSize) return false;
  const char kind = frame.front();
  const std::uint64_t number = load_little<std::uint64_t>(frame.data() + 1);
  const auto [found, first] = heard_.try_emplace(node);
  Heard& heard = found->second;
  bool whole = true;
  if (heard.boot != boot) {
    // Another life of that node. What its former one published after it was last heard, nobody can tell; where it never
    // published anything there is nothing to miss. What this one published before it was first heard is missed.
    whole = first || heard.number == 0;
    heard = {boot, 0, {}};
  }
  if (kind == kGreeting) {
    whole = whole && heard.number == number;
    heard.number = number;
    heard.pieces.clear();
    return whole;
  }
  if (number <= heard.number) return whole;  // left over from a link that broke
  if (number != heard.number + 1) {
    whole = false;
    heard.number = number - 1;
    heard.pieces.clear();
  }
  heard.pieces += frame.substr(kHeaderSize);
  if (kind != kLastPiece) return whole;
  heard.number = number;
  const std::string message = std::exchange(heard.pieces, {});
  if (message.size() < kPrefixSize) return false;
  const std::uint64_t channel_size = load_little<std::uint32_t>(message.data() + 1);
  if (channel_size > message.size() - kPrefixSize) return false;
  const std::string_view rest = std::string_view(message).substr(kPrefixSize);
  deliver({message.front() == 1, rest.substr(0, channel_size), rest.substr(channel_size)});
  return whole;
}

}  // namespace redraft::replica
