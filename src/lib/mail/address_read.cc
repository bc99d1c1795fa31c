// Text to tokens, and tokens to an address list.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "mail/address.h"

namespace postrider::mail {

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kOperators = "()<>@,;:\".[]!%|";

bool is_word_end(char c) {
  return kSpace.find(c) != std::string_view::npos || kOperators.find(c) != std::string_view::npos;
}

/// Whether a word can be written only between quotes: its backslashes hid something the grammar would act on.
bool needs_quotes(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) {
    return c == '\\' || c == ' ' || is_control(c) || kOperators.find(c) != std::string_view::npos;
  });
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  TokenList scan(size_t limit) {
    TokenList out;
    while (out.size() < limit && skip_space())
      out.push_back(next());
    return out;
  }

 private:
  bool skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
    return !rest_.empty();
  }

  Token next() {
    switch (char c = rest_.front(); c) {
      case '(':
        return make_word(TokenKind::comment, comment());
      case '"':
        return make_word(TokenKind::quoted, delimited('"'));
      case '[':
        return make_word(TokenKind::literal, delimited(']'));
      default:
        if (kOperators.find(c) == std::string_view::npos) return word();
        rest_.remove_prefix(1);
        return make_special(c);
    }
  }

  // Nesting is counted, not recursed into: its depth needs no limit.
  std::string comment() {
    size_t end = 0, depth = 0;
    while (end < rest_.size()) {
      char c = rest_[end++];
      if (c == '\\') {
        end = std::min(end + 1, rest_.size());
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        break;
      }
    }
    return std::string(take(end));
  }

  // A line break inside quotes is folding, and a quoted pair cannot hide it: it reads as a space.
  static char unfolded(char c) { return c == '\n' || c == '\r' || c == '\t' ? ' ' : c; }

  std::string delimited(char end) {
    rest_.remove_prefix(1);
    std::string out;
    while (!rest_.empty()) {
      char c = take_one();
      if (c == end) break;
      if (c == '\\') {
        if (rest_.empty()) break;
        c = take_one();
      }
      out += unfolded(c);
    }
    return out;
  }

  Token word() {
    std::string out;
    while (!rest_.empty() && !is_word_end(rest_.front())) {
      char c = take_one();
      if (c == '\\') {
        if (rest_.empty()) break;
        c = take_one();
      }
      out += unfolded(c);
    }
    TokenKind kind = needs_quotes(out) ? TokenKind::quoted : TokenKind::atom;
    return make_word(kind, std::move(out));
  }

  char take_one() { return take(1).front(); }

  std::string_view take(size_t count) {
    std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

  std::string_view rest_;
};

/// Builds the list from right to left: only what stands right of a word tells what it is (a ">" or ";" comes
/// after what it closes). `done_` and `pending_` are in reverse order.
class ListBuilder {
 public:
  explicit ListBuilder(TokenList tokens) : tokens_(std::move(tokens)) {}

  TokenList build() {
    while (!tokens_.empty())
      step();
    close_address(false);
    std::reverse(done_.begin(), done_.end());
    return std::move(done_);
  }

 private:
  void step() {
    const Token& token = tokens_.back();
    if (token.kind == TokenKind::comment) {
      done_.push_back(take());
    } else if (token.is_word()) {
      if (!word_may_follow_) close_address(true);
      word_may_follow_ = false;
      pending_.push_back(take());
    } else if (token.is(';')) {
      close_address(true);
      done_.push_back(take());
      in_group_ = word_may_follow_ = true;
    } else if (token.is(':') && in_group_) {
      group_name();
    } else if (token.is('>')) {
      bracketed();
    } else if (token.is(',')) {
      close_address(false);
      done_.push_back(take());
      word_may_follow_ = true;
    } else {
      pending_.push_back(take());
      word_may_follow_ = true;
    }
  }

  void group_name() {
    close_address(false);
    take();
    done_.push_back(Token{.kind = TokenKind::group_start});
    while (!tokens_.empty() && !tokens_.back().is(','))
      done_.push_back(take());
  }

  // <address>, and the display name left of it.
  void bracketed() {
    close_address(true);
    done_.push_back(take());
    while (!tokens_.empty() && !tokens_.back().is('<')) {
      TokenList& to = tokens_.back().kind == TokenKind::comment ? done_ : pending_;
      to.push_back(take());
    }
    close_address(false);
    while (!tokens_.empty() && !ends_display_name(tokens_.back()))
      done_.push_back(take());
    // A colon here ends a group's name, or the name of something unknown: no part of an address either way.
    if (!tokens_.empty() && tokens_.back().is(':') && !in_group_) done_.push_back(take());
    word_may_follow_ = true;
  }

  static bool ends_display_name(const Token& token) {
    return token.is('>') || token.is(';') || token.is(',') || token.is(':');
  }

  void close_address(bool with_comma) {
    if (pending_.empty()) return;
    Token address{.kind = TokenKind::address};
    address.parts.assign(std::make_move_iterator(pending_.rbegin()),
                         std::make_move_iterator(pending_.rend()));
    pending_.clear();
    done_.push_back(std::move(address));
    if (with_comma) done_.push_back(make_special(','));
  }

  Token take() {
    Token out = std::move(tokens_.back());
    tokens_.pop_back();
    return out;
  }

  TokenList tokens_, pending_, done_;
  bool in_group_ = false;        // a ";" was seen further right
  bool word_may_follow_ = true;  // the token right of here is no word of the same address
};

}  // namespace

Token make_special(char mark) {
  return Token{.kind = TokenKind::special, .mark = mark};
}

Token make_word(TokenKind kind, std::string text) {
  return Token{.kind = kind, .text = std::move(text)};
}

TokenList scan_tokens(std::string_view text, size_t limit) {
  return Scanner(text).scan(limit);
}

TokenList parse_address_list(std::string_view text, size_t limit) {
  return ListBuilder(scan_tokens(text, limit)).build();
}

}  // namespace postrider::mail
