// Errors as values. Exceptions only end a start-up.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace postrider {

/// What kind of failure this is, where a caller decides by it. The text is for people.
enum class ErrorKind : unsigned char {
  system,     ///< A system call failed; `code` is its errno.
  invalid,    ///< Input that does not follow its grammar.
  timeout,    ///< The deadline passed.
  closed,     ///< The peer ended the connection.
  not_found,  ///< The thing asked for does not exist.
  limit,      ///< A configured or built-in limit was reached.
  denied,     ///< The peer or the configuration does not allow it.
  temporary,  ///< A service could not answer now; the same request may succeed later.
};

/// A failure with a text that can stand in a log line.
struct Error {
  ErrorKind kind = ErrorKind::invalid;
  int code = 0;  ///< errno for ErrorKind::system, else 0.
  std::string text;

  Error(ErrorKind k, std::string message) : kind(k), text(std::move(message)) {}
  Error(ErrorKind k, int errno_value, std::string message)
      : kind(k), code(errno_value), text(std::move(message)) {}

  /// ErrorKind::system with the text "what: strerror(errno_value)".
  static Error from_errno(std::string_view what, int errno_value);
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string text) {
  return std::unexpected(Error(kind, std::move(text)));
}

/// fail() for the current errno: "what: No such file or directory".
std::unexpected<Error> fail_errno(std::string_view what);

}  // namespace postrider

// The value of a Result, or return its error from the enclosing function.
#define TRY(expression)                                                       \
  ({                                                                          \
    auto try_result_ = (expression);                                          \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    std::move(try_result_).value();                                           \
  })
