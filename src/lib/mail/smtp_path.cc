#include "mail/smtp_path.h"

#include <string>

#include "base/text.h"
#include "mail/address.h"

namespace postrider::mail {

namespace {

/// Reads one word of a command.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  SmtpWord read() {
    while (at_ < text_.size() && !is_space(text_[at_])) {
      char c = text_[at_++];
      if (c == '\\') {
        skip_one();
      } else if (c == '<') {
        closed_ = skip_to_end_of('>');
      } else if (c == '"') {
        closed_ = skip_to_end_of('"');
      } else if (c == ':' && is_keyword()) {
        break;
      }
    }
    return SmtpWord{.text = text_.substr(0, at_), .balanced = closed_};
  }

 private:
  bool is_keyword() const {
    std::string_view word = text_.substr(0, at_);
    return equals_ignore_case(word, "to:") || equals_ignore_case(word, "from:");
  }

  void skip_one() {
    if (at_ < text_.size()) ++at_;
  }

  // Quotes hide brackets; brackets hold quotes and further brackets.
  bool skip_to_end_of(char end) {
    std::string open(1, end);
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '\\') {
        skip_one();
      } else if (c == open.back()) {
        open.pop_back();
        if (open.empty()) return true;
      } else if (open.back() == '>' && (c == '<' || c == '"')) {
        open += c == '<' ? '>' : '"';
      }
    }
    return false;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool closed_ = true;
};

/// What is left behind "@relay,@relay:". It is looked for before anything is parsed: an address that begins
/// with
/// "@" has no other reading.
std::string_view without_route(std::string_view text) {
  if (!text.starts_with('@')) return text;
  size_t colon = text.find(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

}  // namespace

std::optional<SmtpWord> next_smtp_word(std::string_view& rest) {
  rest = trim_left(rest);
  if (rest.empty()) return std::nullopt;
  SmtpWord word = WordReader(rest).read();
  rest = trim_left(rest.substr(word.text.size()));
  return word;
}

std::string_view describe(PathProblem problem) {
  switch (problem) {
    case PathProblem::several_addresses:
      return "more than one address";
    case PathProblem::not_strict:
      return "not in the form <address>";
    case PathProblem::empty:
      return "no address";
  }
  return "";
}

std::expected<std::string, PathProblem> parse_smtp_path(std::string_view path, PathOptions options) {
  const bool bracketed = path.size() > 1 && path.starts_with('<') && path.ends_with('>');
  std::string_view inner = bracketed ? path.substr(1, path.size() - 2) : path;
  const TokenList list = parse_address_list(without_route(inner));
  const Token* found = nullptr;
  bool other_text = !path.starts_with('<');
  for (const Token& token : list) {
    if (token.is_address()) {
      if (found) return std::unexpected(PathProblem::several_addresses);
      found = &token;
    } else if (!token.is('<') && !token.is('>')) {
      other_text = true;
    }
  }
  if (options.strict && other_text) return std::unexpected(PathProblem::not_strict);
  std::string address = found ? internal_address(*found) : std::string();
  if (address.empty() && !options.allow_empty) return std::unexpected(PathProblem::empty);
  if (options.strict && address.starts_with('@')) return std::unexpected(PathProblem::not_strict);
  return address;
}

}  // namespace postrider::mail
