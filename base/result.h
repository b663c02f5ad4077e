#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace redraft {

// What a caller can do about an error decides its code; the message is for the operator and names file and offset.
enum class ErrorCode {
  kCorrupt,      // bytes that were durable are damaged (storage-faults rows 2, 8, 9, 15)
  kNoSpace,      // ENOSPC or EDQUOT: nothing of the operation counts, space may come back (row 7)
  kIo,           // any other failure of the disk; fatal for log and metadata (rows 5, 6, 19)
  kNotFound,     // a name that does not exist
  kInUse,        // locked by another process (row 17)
  kUnsupported,  // a format version from the future (row 20)
  kInvalid,      // the caller's or operator's input is wrong
};

struct Error {
  ErrorCode code;
  std::string message;
};

// A value or the reason why there is none (C++20 has no std::expected). Access without a check ends the process.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: a result is made by returning either
  Result(Error error) : state_(std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & {
    ensure(ok(), "a result is read only when it is one");
    return std::get<T>(state_);
  }
  [[nodiscard]] const T& value() const& {
    ensure(ok(), "a result is read only when it is one");
    return std::get<T>(state_);
  }
  [[nodiscard]] T&& value() && {
    ensure(ok(), "a result is read only when it is one");
    return std::get<T>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const {
    ensure(!ok(), "an error is read only when there is one");
    return std::get<Error>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

struct Done {};
using Status = Result<Done>;

}  // namespace redraft
