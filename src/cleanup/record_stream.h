// Records out of the data frames of a client; a record may be split between two frames.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/record.h"

namespace postrider::cleanup {

class RecordStream {
 public:
  /// The bytes must stay valid until the next call of add().
  void add(std::string_view bytes);
  /// The next complete record; its data is valid until the next call of add(). Nothing when more bytes are
  /// needed.
  Result<std::optional<queue::Record>> next();

  /// Calls `look` with the complete records that next() will return, until it returns false.
  template <typename Look>
  void peek(Look look) const {
    for (std::string_view rest = rest_;;) {
      auto record = parse(rest);
      if (!record || !*record || !look(**record)) return;
    }
  }

 private:
  /// Takes a record off the front of `bytes`.
  static Result<std::optional<queue::Record>> parse(std::string_view& bytes);

  std::string kept_;       // The beginning of a record whose end is in another frame.
  std::string_view rest_;  // In kept_, or the caller's.
};

}  // namespace postrider::cleanup
