#include "resp/writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "resp/number.h"

namespace redraft::resp {

namespace {

constexpr std::size_t kHeaderMax = 1 + kIntegerTextMax + 2;

// "<type><value>\r\n"; returns its length.
std::size_t format_header(char type, std::int64_t value, char* out) {
  out[0] = type;
  std::size_t size = 1;
  if (value >= 0 && value < 10) {
    out[size++] = static_cast<char>('0' + value);
  } else if (value >= 10 && value < 1000) {
    if (value >= 100) out[size++] = static_cast<char>('0' + value / 100);
    out[size++] = static_cast<char>('0' + value / 10 % 10);
    out[size++] = static_cast<char>('0' + value % 10);
  } else {
    size += format_int64(value, out + size);
  }
  out[size++] = '\r';
  out[size++] = '\n';
  return size;
}

}  // namespace

void Writer::simple(std::string_view text) {
  out_->push_back('+');
  out_->append(text);
  out_->append("\r\n", 2);
}

void Writer::error(std::string_view text) {
  const auto is_line_end = [](char c) { return c == '\r' || c == '\n'; };
  while (!text.empty() && is_line_end(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_line_end(text.back())) text.remove_suffix(1);
  out_->push_back('-');
  const auto begin = static_cast<std::ptrdiff_t>(out_->size());
  out_->append(text);
  std::replace_if(out_->begin() + begin, out_->end(), is_line_end, ' ');
  out_->append("\r\n", 2);
}

void Writer::integer(std::int64_t value) {
  std::array<char, kHeaderMax> header;
  out_->append(header.data(), format_header(':', value, header.data()));
}

void Writer::bulk(std::string_view bytes) {
  // Short ones are put together beside the buffer, which is asked for room only once then.
  constexpr std::size_t kShortMax = 512;
  if (bytes.size() <= kShortMax) {
    std::array<char, kHeaderMax + kShortMax + 2> whole;
    char* end = whole.data() + format_header('$', static_cast<std::int64_t>(bytes.size()), whole.data());
    if (!bytes.empty()) std::memcpy(end, bytes.data(), bytes.size());
    end += bytes.size();
    *end++ = '\r';
    *end++ = '\n';
    out_->append(whole.data(), static_cast<std::size_t>(end - whole.data()));
    return;
  }
  std::array<char, kHeaderMax> header;
  out_->append(header.data(), format_header('$', static_cast<std::int64_t>(bytes.size()), header.data()));
  out_->append(bytes);
  out_->append("\r\n", 2);
}

void Writer::bulk_integer(std::int64_t value) {
  std::array<char, kIntegerTextMax> text;
  bulk({text.data(), format_int64(value, text.data())});
}

void Writer::null() {
  out_->append(resp3() ? "_\r\n" : "$-1\r\n");
}

void Writer::null_array() {
  out_->append(resp3() ? "_\r\n" : "*-1\r\n");
}

void Writer::boolean(bool value) {
  if (resp3()) {
    out_->append(value ? "#t\r\n" : "#f\r\n");
  } else {
    out_->append(value ? ":1\r\n" : ":0\r\n");
  }
}

void Writer::number(double value) {
  std::array<char, kDoubleTextMax> text;
  const std::string_view view(text.data(), format_double(value, text.data()));
  if (!resp3()) return bulk(view);
  out_->push_back(',');
  out_->append(view);
  out_->append("\r\n", 2);
}

void Writer::human_long_double(long double value) {
  const std::string text = format_human_long_double(value);
  if (!resp3()) return bulk(text);
  out_->push_back(',');
  out_->append(text);
  out_->append("\r\n", 2);
}

void Writer::big_number(std::string_view digits) {
  if (!resp3()) return bulk(digits);
  out_->push_back('(');
  out_->append(digits);
  out_->append("\r\n", 2);
}

void Writer::verbatim(std::string_view format, std::string_view text) {
  if (!resp3()) return bulk(text);
  ensure(format.size() == 3, "a verbatim string's format has three letters (RESP3)");
  std::array<char, kHeaderMax> header;
  const auto size = static_cast<std::int64_t>(text.size()) + 4;
  out_->append(header.data(), format_header('=', size, header.data()));
  out_->append(format);
  out_->push_back(':');
  out_->append(text);
  out_->append("\r\n", 2);
}

void Writer::attribute(std::size_t pairs) {
  ensure(resp3(), "attributes are written for RESP3 only");
  aggregate('|', pairs);
}

void Writer::aggregate(char type, std::size_t count) {
  std::array<char, kHeaderMax> header;
  out_->append(header.data(), format_header(type, static_cast<std::int64_t>(count), header.data()));
}

void Writer::insert(Deferred deferred, char type, std::size_t count) {
  ensure(deferred.offset_ <= out_->size(), "a deferred aggregate ends in the buffer it began in");
  std::array<char, kHeaderMax> header;
  const std::size_t size = format_header(type, static_cast<std::int64_t>(count), header.data());
  out_->insert(deferred.offset_, header.data(), size);
}

}  // namespace redraft::resp
