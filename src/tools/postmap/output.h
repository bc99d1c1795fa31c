// Lines from standard input, and results to standard output.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tools/postmap/options.h"

namespace postrider::postmap {

/// Prints keys and values as the command does. Output collects; see Input.
class Output {
 public:
  explicit Output(const Options& options) : options_(options) {}
  void key_and_value(std::string_view key, std::string_view value);
  void value(std::string_view value);
  Result<void> flush();
  /// Flushes when much has collected.
  Result<void> flush_full(size_t limit = kChunk);

 private:
  static constexpr size_t kChunk = size_t{64} * 1024;

  const Options& options_;
  std::string buffer_;
};

/// Standard input by lines.
class Input {
 public:
  /// `before_read` is called before a read that may wait: output is flushed then, so that a program that asks
  /// one key at a time gets each answer.
  explicit Input(std::function<Result<void>()> before_read = {}) : before_read_(std::move(before_read)) {}
  /// Without its newline; nothing at the end. The view is valid until the next call.
  Result<std::optional<std::string_view>> line();

  /// The longest line.
  static constexpr size_t kMaxLine = size_t{16} << 20;

 private:
  std::function<Result<void>()> before_read_;
  std::string buffer_;
  size_t begin_ = 0;
  bool at_end_ = false;
};

}  // namespace postrider::postmap
