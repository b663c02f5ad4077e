#pragma once

#include <cstdint>
#include <string_view>

#include "server/commands/context.h"

namespace redraft::replica {

// The letters of notify-keyspace-events as bits (redis.io/docs/manual/keyspace-notifications).
inline constexpr std::string_view kEventLetters = "KEg$lshzxetdmn";
inline constexpr std::string_view kAllEvents = "g$lshzxetd";  // what A stands for

[[nodiscard]] constexpr std::uint32_t event_bit(char letter) {
  const std::size_t at = kEventLetters.find(letter);
  return at == std::string_view::npos ? 0 : 1u << at;
}

[[nodiscard]] constexpr std::uint32_t event_bits(std::string_view letters) {
  std::uint32_t bits = 0;
  for (const char letter : letters) {
    bits |= letter == 'A' ? event_bits(kAllEvents) : event_bit(letter);
  }
  return bits;
}

[[nodiscard]] constexpr std::uint32_t event_bit(commands::Event event) {
  using commands::Event;
  switch (event) {
    case Event::kGeneric:
      return event_bit('g');
    case Event::kString:
      return event_bit('$');
    case Event::kList:
      return event_bit('l');
    case Event::kSet:
      return event_bit('s');
    case Event::kHash:
      return event_bit('h');
    case Event::kSortedSet:
      return event_bit('z');
    case Event::kStream:
      return event_bit('t');
    case Event::kExpired:
      return event_bit('x');
    case Event::kEvicted:
      return event_bit('e');
    case Event::kNew:
      return event_bit('n');
    case Event::kMissed:
      return event_bit('m');
  }
  return 0;
}

}  // namespace redraft::replica
