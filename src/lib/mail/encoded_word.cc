#include "mail/encoded_word.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "base/utf8.h"

namespace postrider::mail {

namespace {

constexpr size_t kMaxWord = 75;
constexpr size_t kMaxCharset = kMaxWord / 2;
constexpr size_t kShortText = 20;

bool in(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

bool is_charset_char(char c) {
  return is_printable(c) && c != ' ' && !in("()<>@,;:\\\"/[]?.=", c);
}

/// RFC 2047 section 5: a comment must not end early; of a phrase little more than letters and digits is safe.
bool needs_q(char c, EncodedWordPlace place) {
  if (!is_printable(c) || in("=?_ ", c)) return true;
  if (place == EncodedWordPlace::comment) return in("()\\", c);
  return !is_alnum(c) && !in("!*+-/", c);
}

/// The character at the start of `text`, or a byte where it is none.
std::string_view next_character(std::string_view text) {
  auto character = decode_utf8(text);
  return text.substr(0, character ? character->length : 1);
}

std::string q_encoded(std::string_view character, EncodedWordPlace place) {
  std::string out;
  for (char c : character) {
    if (c == ' ') {
      out += '_';
    } else if (needs_q(c, place)) {
      out += '=';
      out += hex({&c, 1});
    } else {
      out += c;
    }
  }
  return out;
}

/// Takes from `text` as many characters as fill `room` bytes of encoded text.
std::string take_q(std::string_view& text, size_t room, EncodedWordPlace place) {
  std::string out;
  while (!text.empty()) {
    std::string_view character = next_character(text);
    std::string encoded = q_encoded(character, place);
    if (out.size() + encoded.size() > room) break;
    out += encoded;
    text.remove_prefix(character.size());
  }
  return out;
}

std::string take_b(std::string_view& text, size_t room) {
  const size_t most = room / 4 * 3;
  size_t length = 0;
  while (length < text.size()) {
    size_t next = length + next_character(text.substr(length)).size();
    if (next > most) break;
    length = next;
  }
  std::string out = base64_encode(text.substr(0, length));
  text.remove_prefix(length);
  return out;
}

bool better_in_base64(std::string_view text, EncodedWordPlace place) {
  if (text.size() < kShortText) return false;
  auto coded = std::count_if(text.begin(), text.end(), [&](char c) { return needs_q(c, place); });
  return static_cast<size_t>(coded) >= text.size() / 2;
}

}  // namespace

Result<std::string> encode_words(std::string_view text, EncodedWordPlace place, std::string_view charset,
                                 std::string_view separator) {
  if (charset.empty() || charset.size() > kMaxCharset ||
      !std::all_of(charset.begin(), charset.end(), is_charset_char)) {
    return fail(ErrorKind::invalid,
                fmt::format("invalid character set name: '{}'", printable(charset.substr(0, 100))));
  }
  if (text.empty()) return fail(ErrorKind::invalid, "no text to encode");
  const bool base64 = better_in_base64(text, place);
  const std::string prologue = fmt::format("=?{}?{}?", charset, base64 ? 'B' : 'Q');
  const size_t room = kMaxWord - prologue.size() - 2;
  std::string out;
  while (!text.empty()) {
    if (!out.empty()) out += separator;
    out += prologue;
    out += base64 ? take_b(text, room) : take_q(text, room, place);
    out += "?=";
  }
  return out;
}

}  // namespace postrider::mail
