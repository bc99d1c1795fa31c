// Address lists of RFC 5322 as tokens: read them, change addresses in them, write them back.
//
// The reader never fails. It understands the obsolete forms (RFC 5322 section 4.4), and text that follows no
// grammar stays in place as tokens, so that rewriting one address loses nothing of the others.
//
// An address has two forms. The external form is the one of headers and SMTP commands, quoted where the
// grammar asks for it: "joe smith"@example.com. The internal form is without quotes (joe smith@example.com):
// it is the one in queue files, in lookup table keys and in all programs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::mail {

enum class TokenKind : unsigned char {
  atom,         ///< A word. Bytes outside US-ASCII are word characters.
  quoted,       ///< "text"; also a word whose backslashes hide characters that need quotes.
  literal,      ///< [text], a domain literal.
  comment,      ///< (text).
  special,      ///< One of ()<>@,;:\".[] or of the routing operators !%|.
  group_start,  ///< The colon after a group's name.
  address,      ///< An address in a list, with its tokens as `parts`.
};

struct Token {
  TokenKind kind = TokenKind::atom;
  char mark = 0;             ///< The character of a `special`.
  std::string text;          ///< Content; of a comment as it stands, with parentheses and backslashes.
  std::vector<Token> parts;  ///< The tokens of an `address`.
  /// Words of an `address` that stand side by side get a space between them: set when it was replaced.
  bool spaced = false;

  bool is(char c) const { return kind == TokenKind::special && mark == c; }
  bool is_address() const { return kind == TokenKind::address; }
  bool is_word() const {
    return kind == TokenKind::atom || kind == TokenKind::quoted || kind == TokenKind::literal;
  }
  friend bool operator==(const Token&, const Token&) = default;
};

using TokenList = std::vector<Token>;

Token make_special(char mark);
Token make_word(TokenKind kind, std::string text);

inline constexpr size_t kNoTokenLimit = static_cast<size_t>(-1);

/// The tokens of `text` without grouping; white space between them is dropped. Tokens after the first `limit`
/// (header_address_token_limit) are ignored. Unterminated quotes, comments and literals end with the text.
TokenList scan_tokens(std::string_view text, size_t limit = kNoTokenLimit);

/// The tokens of an address list. What can be mailed to is gathered in `address` tokens; comments inside an
/// address are moved behind it, and a comma is put between two addresses that lack one. Display names, group
/// names, brackets and separators stay tokens of the list.
TokenList parse_address_list(std::string_view text, size_t limit = kNoTokenLimit);

enum class ListLayout : unsigned char {
  one_line,  ///< A comma is followed by a space.
  header,    ///< A comma is followed by a newline, for fold_address_header(), and too long comments are
             ///< dropped.
};

/// Display text and comments of one list member may have this many bytes beside the address in a header;
/// longer ones are dropped, because old mailers overflow on them (CERT advisory CA-2003-07).
inline constexpr size_t kMaxNonAddressText = 250;

/// The list in external form. A member that lost its comments leaves a text for a log line in `warnings`.
std::string write_external(const TokenList& list, ListLayout layout = ListLayout::one_line,
                           std::vector<std::string>* warnings = nullptr);

/// The list in internal form: nothing is quoted.
std::string write_internal(const TokenList& list);

/// One address token in internal form; its parts stand side by side.
std::string internal_address(const Token& address);
/// One address token in external form.
std::string external_address(const Token& address);
/// The same with each word in quotes, or not, as it was: for questions to the rewrite service.
std::string quoted_as_written(const Token& address);
/// Puts another address, in external form, in the place of one.
void replace_address(Token& address, std::string_view external);

/// All `address` tokens of a list, for a caller that rewrites them.
std::vector<Token*> addresses_of(TokenList& list);
std::vector<const Token*> addresses_of(const TokenList& list);

}  // namespace postrider::mail
