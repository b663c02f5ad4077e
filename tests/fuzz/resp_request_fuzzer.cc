// A client's bytes, parsed at once and parsed in pieces, must give the same frames and the same error. The first bytes
// of the input choose the limits and the pieces.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "resp/parser.h"

namespace {

using redraft::resp::RequestLimits;
using redraft::resp::RequestParser;

std::string transcript(std::string_view stream, std::string_view sizes, const RequestLimits& limits,
                       bool authenticated) {
  RequestParser parser(limits);
  parser.set_authenticated(authenticated);
  std::string out;
  std::string rest;
  std::size_t fed = 0;
  std::size_t turn = 0;
  while (true) {
    while (true) {
      // A copy of exactly its size, so that a read behind it is seen.
      const std::vector<char> buffer(rest.begin(), rest.end());
      const auto outcome = parser.parse({buffer.data(), buffer.size()});
      if (parser.consumed() > buffer.size()) std::abort();
      if (outcome == RequestParser::Outcome::kError) return out + parser.error();
      rest.erase(0, parser.consumed());
      if (outcome == RequestParser::Outcome::kIncomplete) {
        if (parser.needed() == 0) std::abort();
        break;
      }
      if (parser.arguments().empty()) std::abort();
      for (const std::string_view argument : parser.arguments()) {
        out += std::to_string(argument.size()) + ":";
        out += argument;
      }
      out += ';';
    }
    if (fed == stream.size()) return out + "rest " + rest;
    std::size_t size = stream.size();
    if (!sizes.empty()) size = 1 + static_cast<unsigned char>(sizes[turn++ % sizes.size()]) % 17u;
    size = std::min(size, stream.size() - fed);
    rest += stream.substr(fed, size);
    fed += size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPrefix = 6;
  if (size < kPrefix) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  RequestLimits limits;
  if ((data[0] & 1) != 0) {
    limits.line_max = 32;
    limits.bulk_max = 64;
    limits.arguments_max = 12;
    limits.unauthenticated_bulk_max = 16;
    limits.unauthenticated_arguments_max = 4;
  }
  const bool authenticated = (data[0] & 2) != 0;
  const std::string_view sizes = input.substr(1, kPrefix - 1);
  const std::string_view stream = input.substr(kPrefix);
  if (transcript(stream, {}, limits, authenticated) != transcript(stream, sizes, limits, authenticated)) std::abort();
  return 0;
}
