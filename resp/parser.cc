#include "resp/parser.h"

#include <algorithm>
#include <cstring>

#include "resp/number.h"

namespace redraft::resp {

namespace {

// Room for this many arguments is kept for the next request; a client that once sent more gives the memory back.
constexpr std::size_t kKeptArguments = 1024;
constexpr std::size_t kKeptUnquoted = 4096;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads a line "<type><number>\r\n" at `line` in the form nearly every client sends: complete, one to nine digits, no
// leading zero. Returns the bytes read or 0, which says only that the careful way has to look at it.
std::size_t read_plain_number(std::string_view line, std::int64_t& value) {
  constexpr std::size_t kDigitsMax = 9;
  std::size_t at = 1;
  std::int64_t number = 0;
  while (at < line.size() && at <= kDigitsMax && line[at] >= '0' && line[at] <= '9') {
    number = number * 10 + (line[at] - '0');
    ++at;
  }
  if (at == 1 || line.size() - at < 2 || line[at] != '\r' || (line[1] == '0' && at > 2)) return 0;
  value = number;
  return at + 2;
}

// What a backslash and this letter stand for between double quotes.
char escaped(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return letter;
  }
}

// Appends to `out` what stands in quotes at `at` (behind the opening quote) and moves `at` behind the closing one,
// which must be the end of the argument. False when it is not or is missing.
bool unquote(std::string_view line, char quote, std::size_t& at, std::string& out) {
  while (at < line.size()) {
    const char c = line[at];
    const bool has_next = at + 1 < line.size();
    if (c == quote) {
      ++at;
      return at == line.size() || is_space(line[at]);
    }
    if (quote == '"' && c == '\\' && has_next) {
      if (line[at + 1] == 'x' && at + 3 < line.size() && hex_value(line[at + 2]) >= 0 && hex_value(line[at + 3]) >= 0) {
        out.push_back(static_cast<char>(hex_value(line[at + 2]) * 16 + hex_value(line[at + 3])));
        at += 4;
      } else {
        out.push_back(escaped(line[at + 1]));
        at += 2;
      }
    } else if (quote == '\'' && c == '\\' && has_next && line[at + 1] == '\'') {
      out.push_back('\'');
      at += 2;
    } else {
      out.push_back(c);
      ++at;
    }
  }
  return false;
}

}  // namespace

RequestParser::Outcome RequestParser::parse(std::string_view buffer) {
  consumed_ = 0;
  needed_ = 1;
  while (consumed_ < buffer.size()) {
    const std::string_view request = buffer.substr(consumed_);
    const Step step = request.front() == '*' ? parse_multibulk(request) : parse_inline(request);
    switch (step) {
      case Step::kIncomplete:
        return Outcome::kIncomplete;
      case Step::kError:
        return Outcome::kError;
      case Step::kRequest:
        consumed_ += position_;
        begin_request();
        return Outcome::kRequest;
      case Step::kEmpty:
        consumed_ += position_;
        begin_request();
        break;
    }
  }
  return Outcome::kIncomplete;
}

void RequestParser::begin_request() {
  started_ = false;
  position_ = 0;
  scanned_ = 0;
  arguments_left_ = 0;
  bulk_size_ = -1;
}

RequestParser::Step RequestParser::refuse(std::string_view reason) {
  error_ = "ERR Protocol error: ";
  error_ += reason;
  return Step::kError;
}

// Looks for `end` from position_ on, continuing behind what earlier calls have seen. Redis searches with strchr, so a
// NUL before the line's end hides it and the connection ends by the limit; Redis's own test "Protocol desync regression
// test" relies on that, and so do we.
RequestParser::Line RequestParser::find_line_end(std::string_view request, char end, std::size_t& end_offset) {
  scanned_ = std::max(scanned_, position_);
  // The end may stand at offset line_max of the line, not later; so a line's fate does not depend on how it arrives.
  const std::string_view line = request.substr(position_, limits_.line_max + 1);
  const std::size_t begin = scanned_ - position_;
  const char* found = nullptr;
  if (begin < line.size()) {
    found = static_cast<const char*>(std::memchr(line.data() + begin, end, line.size() - begin));
    const std::size_t clear = (found != nullptr ? static_cast<std::size_t>(found - line.data()) : line.size()) - begin;
    const void* nul = std::memchr(line.data() + begin, '\0', clear);
    if (nul != nullptr) {
      found = nullptr;
      scanned_ = position_ + static_cast<std::size_t>(static_cast<const char*>(nul) - line.data());
    } else {
      scanned_ = position_ + begin + clear;
    }
  }
  if (found == nullptr) return line.size() > limits_.line_max ? Line::kTooLong : Line::kIncomplete;
  end_offset = position_ + static_cast<std::size_t>(found - line.data());
  return Line::kComplete;
}

RequestParser::Step RequestParser::parse_multibulk(std::string_view request) {
  if (!started_) {
    if (const Step step = parse_count(request); step != Step::kRequest) return step;
  }
  while (arguments_left_ > 0) {
    if (bulk_size_ < 0) {
      if (const Step step = parse_bulk_size(request); step != Step::kRequest) return step;
    }
    // Two more bytes end a bulk; like Redis we do not look at them. Subtracted, not added, so that no length that
    // passed the limits can wrap around (pitfalls B7, F8).
    const auto size = static_cast<std::size_t>(bulk_size_);
    const std::size_t available = request.size() - position_;
    if (available < 2 || available - 2 < size) {
      needed_ = size - available + 2;
      return Step::kIncomplete;
    }
    pieces_.push_back({position_, size});
    position_ += size + 2;
    bulk_size_ = -1;
    --arguments_left_;
  }

  arguments_.resize(pieces_.size());
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    arguments_[i] = std::string_view(request.data() + pieces_[i].offset, pieces_[i].size);
  }
  return Step::kRequest;
}

// "*3\r\n": kRequest when arguments follow.
RequestParser::Step RequestParser::parse_count(std::string_view request) {
  std::int64_t count = 0;
  if (const std::size_t plain = read_plain_number(request, count); plain != 0) {
    position_ = plain;
  } else {
    std::size_t end = 0;
    const Line line = find_line_end(request, '\r', end);
    if (line == Line::kTooLong) return refuse("too big mbulk count string");
    // The byte behind the CR has to be there; like Redis we do not ask which it is.
    if (line == Line::kIncomplete || request.size() - end < 2) return Step::kIncomplete;
    const auto number = parse_int64(request.substr(1, end - 1));
    if (!number) return refuse("invalid multibulk length");
    count = *number;
    position_ = end + 2;
  }
  if (count > limits_.arguments_max) return refuse("invalid multibulk length");
  if (!authenticated_ && count > limits_.unauthenticated_arguments_max) {
    return refuse("unauthenticated multibulk length");
  }
  if (count <= 0) return Step::kEmpty;
  if (pieces_.capacity() > kKeptArguments) {
    std::vector<Piece>().swap(pieces_);
    std::vector<std::string_view>().swap(arguments_);
  }
  pieces_.clear();
  // Only what little is plausible: the rest when the arguments really come.
  pieces_.reserve(std::min(static_cast<std::size_t>(count), kKeptArguments));
  arguments_left_ = count;
  started_ = true;
  return Step::kRequest;
}

// "$100\r\n": kRequest when the bulk's size is known.
RequestParser::Step RequestParser::parse_bulk_size(std::string_view request) {
  const std::string_view rest = request.substr(position_);
  std::int64_t size = 0;
  const std::size_t plain = !rest.empty() && rest.front() == '$' ? read_plain_number(rest, size) : 0;
  std::size_t body = position_ + plain;
  if (plain == 0) {
    std::size_t end = 0;
    const Line line = find_line_end(request, '\r', end);
    if (line == Line::kTooLong) return refuse("too big bulk count string");
    if (line == Line::kIncomplete || request.size() - end < 2) return Step::kIncomplete;
    if (rest.front() != '$') {
      const char got = rest.front() == '\r' || rest.front() == '\n' ? ' ' : rest.front();
      return refuse(std::string("expected '$', got '") + got + "'");
    }
    const auto number = parse_int64(request.substr(position_ + 1, end - position_ - 1));
    if (!number || *number < 0) return refuse("invalid bulk length");
    size = *number;
    body = end + 2;
  }
  if (size > limits_.bulk_max) return refuse("invalid bulk length");
  if (!authenticated_ && size > limits_.unauthenticated_bulk_max) return refuse("unauthenticated bulk length");
  position_ = body;
  bulk_size_ = size;
  return Step::kRequest;
}

RequestParser::Step RequestParser::parse_inline(std::string_view request) {
  std::size_t end = 0;
  const Line found = find_line_end(request, '\n', end);
  if (found == Line::kTooLong) return refuse("too big inline request");
  if (found == Line::kIncomplete) return Step::kIncomplete;
  const bool has_cr = end > 0 && request[end - 1] == '\r';
  if (!split_inline(request.substr(0, has_cr ? end - 1 : end))) return refuse("unbalanced quotes in request");
  position_ = end + 1;
  return arguments_.empty() ? Step::kEmpty : Step::kRequest;
}

// Splits at blanks; quotes may begin anywhere in an argument and end it. An argument without quotes is a view of the
// line.
bool RequestParser::split_inline(std::string_view line) {
  arguments_.clear();
  if (unquoted_.capacity() > kKeptUnquoted) std::string().swap(unquoted_);
  unquoted_.clear();
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size()) return true;
    const std::size_t begin = at;
    // Vertical tab and form feed separate arguments only between blanks; inside one they belong to it, as in Redis.
    at = std::min(line.find_first_of(" \n\r\t\"'", at), line.size());
    if (at == line.size() || (line[at] != '"' && line[at] != '\'')) {
      arguments_.push_back(line.substr(begin, at - begin));
      continue;
    }
    unquoted_.reserve(line.size());  // never moves below: an argument is no longer than its source
    const std::size_t unquoted_begin = unquoted_.size();
    unquoted_.append(line.substr(begin, at - begin));
    const char quote = line[at];
    if (!unquote(line, quote, ++at, unquoted_)) return false;
    arguments_.push_back(std::string_view(unquoted_).substr(unquoted_begin));
  }
}

}  // namespace redraft::resp
