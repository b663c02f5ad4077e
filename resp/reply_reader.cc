#include "resp/reply_reader.h"

#include <algorithm>

#include "resp/number.h"

namespace redraft::resp {

namespace {

using Outcome = ReplyRead::Outcome;

class Reader {
 public:
  Reader(std::string_view bytes, const ReplyLimits& limits) : bytes_(bytes), limits_(limits) {}

  Outcome read(Reply& reply, std::size_t depth);

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  Outcome refuse(std::string_view reason) {
    error_ = std::string(reason) + " at byte " + to_text(static_cast<std::int64_t>(position_));
    return Outcome::kError;
  }
  Outcome read_line(std::string_view& line);
  Outcome read_scalar(Reply& reply, Reply::Type type, std::string_view line);
  Outcome read_blob(Reply& reply, Reply::Type type, std::string_view line);
  Outcome read_aggregate(Reply& reply, Reply::Type type, std::string_view line, std::size_t depth);
  Outcome read_elements(std::vector<Reply>& elements, std::string_view line, std::int64_t factor, std::size_t depth);

  std::string_view bytes_;
  const ReplyLimits& limits_;
  std::size_t position_ = 0;
  std::string error_;
};

Outcome Reader::read_line(std::string_view& line) {
  const std::size_t end = bytes_.find('\n', position_);
  if (end == std::string_view::npos) return Outcome::kIncomplete;
  if (end == position_ || bytes_[end - 1] != '\r') return refuse("a line without CR");
  line = bytes_.substr(position_, end - 1 - position_);
  if (line.find('\r') != std::string_view::npos) return refuse("a CR inside a line");
  position_ = end + 1;
  return Outcome::kReply;
}

Outcome Reader::read(Reply& reply, std::size_t depth) {
  if (depth > limits_.depth_max) return refuse("nested too deep");
  while (true) {
    if (position_ == bytes_.size()) return Outcome::kIncomplete;
    const char type = bytes_[position_];
    ++position_;
    std::string_view line;
    if (const Outcome outcome = read_line(line); outcome != Outcome::kReply) return outcome;
    switch (type) {
      case '+':
        return read_scalar(reply, Reply::Type::kSimple, line);
      case '-':
        return read_scalar(reply, Reply::Type::kError, line);
      case ':':
        return read_scalar(reply, Reply::Type::kInteger, line);
      case ',':
        return read_scalar(reply, Reply::Type::kDouble, line);
      case '#':
        return read_scalar(reply, Reply::Type::kBoolean, line);
      case '(':
        return read_scalar(reply, Reply::Type::kBigNumber, line);
      case '_':
        return line.empty() ? read_scalar(reply, Reply::Type::kNull, line) : refuse("a null with content");
      case '$':
        return read_blob(reply, Reply::Type::kBulk, line);
      case '!':
        return read_blob(reply, Reply::Type::kBulkError, line);
      case '=':
        return read_blob(reply, Reply::Type::kVerbatim, line);
      case '*':
        return read_aggregate(reply, Reply::Type::kArray, line, depth);
      case '%':
        return read_aggregate(reply, Reply::Type::kMap, line, depth);
      case '~':
        return read_aggregate(reply, Reply::Type::kSet, line, depth);
      case '>':
        return read_aggregate(reply, Reply::Type::kPush, line, depth);
      case '|':
        // Attributes stand before the reply they belong to.
        if (const Outcome outcome = read_elements(reply.attributes, line, 2, depth); outcome != Outcome::kReply) {
          return outcome;
        }
        break;
      default:
        return refuse("an unknown reply type");
    }
  }
}

Outcome Reader::read_scalar(Reply& reply, Reply::Type type, std::string_view line) {
  reply.type = type;
  reply.text = std::string(line);
  if (type == Reply::Type::kInteger) {
    const auto integer = parse_int64(line);
    if (!integer) return refuse("a bad integer");
    reply.integer = *integer;
  } else if (type == Reply::Type::kBoolean) {
    if (line != "t" && line != "f") return refuse("a bad boolean");
    reply.integer = line == "t" ? 1 : 0;
  } else if (type == Reply::Type::kDouble) {
    if (line != "nan" && !parse_double(line)) return refuse("a bad double");
  } else if (type == Reply::Type::kBigNumber) {
    const std::string_view digits = line.substr(line.starts_with('-') ? 1 : 0);
    const bool all_digits = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits.empty() || !all_digits) return refuse("a bad big number");
  }
  return Outcome::kReply;
}

Outcome Reader::read_blob(Reply& reply, Reply::Type type, std::string_view line) {
  const auto size = parse_int64(line);
  if (size && *size == -1 && type == Reply::Type::kBulk) return read_scalar(reply, Reply::Type::kNull, {});
  if (!size || *size < 0 || *size > limits_.bulk_max) return refuse("a bad length");
  const auto length = static_cast<std::size_t>(*size);
  const std::size_t available = bytes_.size() - position_;
  if (available < 2 || available - 2 < length) return Outcome::kIncomplete;
  const std::string_view text = bytes_.substr(position_, length);
  if (bytes_.substr(position_ + length, 2) != "\r\n") return refuse("a bulk without CRLF behind it");
  if (type == Reply::Type::kVerbatim && (text.size() < 4 || text[3] != ':')) return refuse("a bad verbatim string");
  position_ += length + 2;
  return read_scalar(reply, type, text);
}

Outcome Reader::read_aggregate(Reply& reply, Reply::Type type, std::string_view line, std::size_t depth) {
  if (type == Reply::Type::kArray && line == "-1") return read_scalar(reply, Reply::Type::kNullArray, {});
  reply.type = type;
  return read_elements(reply.elements, line, type == Reply::Type::kMap ? 2 : 1, depth);
}

Outcome Reader::read_elements(std::vector<Reply>& elements, std::string_view line, std::int64_t factor,
                              std::size_t depth) {
  const auto count = parse_int64(line);
  if (!count || *count < 0 || *count > limits_.elements_max / factor) return refuse("a bad element count");
  const std::int64_t total = *count * factor;
  // An element takes three bytes at least, so what is there bounds what may be reserved (pitfall F3).
  elements.reserve(std::min(static_cast<std::size_t>(total), (bytes_.size() - position_) / 3));
  for (std::int64_t i = 0; i < total; ++i) {
    Reply element;
    if (const Outcome outcome = read(element, depth + 1); outcome != Outcome::kReply) return outcome;
    elements.push_back(std::move(element));
  }
  return Outcome::kReply;
}

std::string_view type_name(Reply::Type type) {
  switch (type) {
    case Reply::Type::kSimple:
      return "simple";
    case Reply::Type::kError:
      return "error";
    case Reply::Type::kInteger:
      return "integer";
    case Reply::Type::kBulk:
      return "bulk";
    case Reply::Type::kNull:
      return "null";
    case Reply::Type::kNullArray:
      return "null-array";
    case Reply::Type::kDouble:
      return "double";
    case Reply::Type::kBoolean:
      return "boolean";
    case Reply::Type::kBigNumber:
      return "big-number";
    case Reply::Type::kVerbatim:
      return "verbatim";
    case Reply::Type::kBulkError:
      return "bulk-error";
    case Reply::Type::kArray:
      return "array";
    case Reply::Type::kMap:
      return "map";
    case Reply::Type::kSet:
      return "set";
    case Reply::Type::kPush:
      return "push";
  }
  return "?";
}

void append_quoted(std::string_view text, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += "\\x";
      out += kHex[byte / 16];
      out += kHex[byte % 16];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_lines(const Reply& reply, std::size_t indent, std::string& out) {
  out.append(indent, ' ');
  out += type_name(reply.type);
  switch (reply.type) {
    case Reply::Type::kArray:
    case Reply::Type::kMap:
    case Reply::Type::kSet:
    case Reply::Type::kPush:
      out += ' ';
      out += to_text(static_cast<std::int64_t>(reply.elements.size()));
      break;
    case Reply::Type::kNull:
    case Reply::Type::kNullArray:
      break;
    default:
      out += ' ';
      append_quoted(reply.text, out);
      break;
  }
  out += '\n';
  if (!reply.attributes.empty()) {
    out.append(indent, ' ');
    out += "attributes\n";
    for (const Reply& attribute : reply.attributes) append_lines(attribute, indent + 2, out);
  }
  for (const Reply& element : reply.elements) append_lines(element, indent + 2, out);
}

}  // namespace

ReplyRead read_reply(std::string_view bytes, const ReplyLimits& limits) {
  ReplyRead result;
  Reader reader(bytes, limits);
  result.outcome = reader.read(result.reply, 0);
  if (result.outcome == ReplyRead::Outcome::kReply) {
    result.consumed = reader.position();
  } else {
    result.reply = Reply();
    result.error = reader.error();
  }
  return result;
}

std::string to_string(const Reply& reply) {
  std::string out;
  append_lines(reply, 0, out);
  return out;
}

}  // namespace redraft::resp
