// Values of structured headers such as Content-Type (RFC 2045 section 5.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::mail {

struct HeaderToken {
  enum class Kind : unsigned char { word, quoted, special };
  Kind kind;
  std::string text;

  bool is_word(std::string_view word) const;  ///< Ignores case.
  bool is_special(char c) const { return kind == Kind::special && text[0] == c; }
};

/// The first `limit` tokens up to the next ";"; `rest` loses everything up to and with it. White space,
/// control characters and comments are skipped. Nothing when no text is left.
std::optional<std::vector<HeaderToken>> next_header_tokens(std::string_view& rest, size_t limit);

}  // namespace postrider::mail
