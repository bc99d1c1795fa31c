// Tokens to text.
#include "base/text.h"
#include "mail/address.h"
#include "mail/quote.h"

namespace postrider::mail {

namespace {

bool is_operand(const Token& token) {
  return token.kind != TokenKind::special && token.kind != TokenKind::group_start;
}

/// White space of the input is not kept; this much is put back.
bool space_between(const Token& left, const Token& right) {
  if (left.is(',') || left.kind == TokenKind::group_start || right.is('<')) return true;
  return is_operand(left) && is_operand(right);
}

void append_internal(std::string& out, const Token& token) {
  switch (token.kind) {
    case TokenKind::literal:
      out += '[';
      out += token.text;
      out += ']';
      break;
    case TokenKind::group_start:
      out += ':';
      break;
    case TokenKind::special:
      out += token.mark;
      break;
    case TokenKind::address:
      out += internal_address(token);
      break;
    default:
      out += token.text;
  }
}

void append_escaped(std::string& out, std::string_view text, std::string_view escape) {
  for (char c : text) {
    if (escape.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
}

void append_external(std::string& out, const Token& token) {
  switch (token.kind) {
    case TokenKind::address:
      out += external_address(token);
      break;
    case TokenKind::quoted:
      out += '"';
      append_escaped(out, token.text, "\"\\\r\n");
      out += '"';
      break;
    case TokenKind::literal:
      out += '[';
      append_escaped(out, token.text, "\\\r\n");
      out += ']';
      break;
    default:
      append_internal(out, token);
  }
}

/// Watches how much text a list member has beside its address.
class MemberGuard {
 public:
  MemberGuard(std::string& out, std::vector<std::string>* warnings) : out_(out), warnings_(warnings) {}

  void saw_address(const Token* address, size_t length) {
    seen_ = true;
    address_ = address;
    length_ = length;
  }

  void end_member() {
    if (seen_ && out_.size() - start_ - length_ > kMaxNonAddressText) reduce();
    seen_ = false;
  }

  void start_member() { start_ = out_.size(); }

 private:
  void reduce() {
    if (warnings_) {
      std::string_view member = std::string_view(out_).substr(start_, 100);
      warnings_->push_back("stripping too many comments from address: " + printable(member) + "...");
    }
    out_.resize(start_);
    out_ += '<';
    if (address_) out_ += external_address(*address_);
    out_ += '>';
  }

  std::string& out_;
  std::vector<std::string>* warnings_;
  size_t start_ = 0, length_ = 0;
  const Token* address_ = nullptr;  // null for "<>"
  bool seen_ = false;
};

}  // namespace

std::string write_external(const TokenList& list, ListLayout layout, std::vector<std::string>* warnings) {
  std::string out;
  MemberGuard guard(out, warnings);
  const bool header = layout == ListLayout::header;
  for (size_t i = 0; i < list.size(); ++i) {
    const Token& token = list[i];
    const Token* next = i + 1 < list.size() ? &list[i + 1] : nullptr;
    if (token.is(',')) {
      if (header) guard.end_member();
      out += header ? ",\n" : ", ";
      guard.start_member();
      continue;
    }
    size_t before = out.size();
    append_external(out, token);
    if (token.is_address()) guard.saw_address(&token, out.size() - before);
    if (token.is('<') && next && next->is('>')) guard.saw_address(nullptr, 0);
    if (next && space_between(token, *next)) out += ' ';
  }
  if (header) guard.end_member();
  return out;
}

std::string write_internal(const TokenList& list) {
  std::string out;
  for (size_t i = 0; i < list.size(); ++i) {
    append_internal(out, list[i]);
    if (i + 1 < list.size() && space_between(list[i], list[i + 1])) out += ' ';
  }
  return out;
}

std::string internal_address(const Token& address) {
  if (address.spaced) return write_internal(address.parts);
  std::string out;
  for (const Token& part : address.parts)
    append_internal(out, part);
  return out;
}

std::string external_address(const Token& address) {
  return quote_822_local(internal_address(address));
}

std::string quoted_as_written(const Token& address) {
  std::string out;
  for (const Token& part : address.parts)
    append_external(out, part);
  return out;
}

void replace_address(Token& address, std::string_view external) {
  address.parts = scan_tokens(external);
  address.spaced = true;
}

std::vector<Token*> addresses_of(TokenList& list) {
  std::vector<Token*> out;
  for (Token& token : list) {
    if (token.is_address()) out.push_back(&token);
  }
  return out;
}

std::vector<const Token*> addresses_of(const TokenList& list) {
  std::vector<const Token*> out;
  for (const Token& token : list) {
    if (token.is_address()) out.push_back(&token);
  }
  return out;
}

}  // namespace postrider::mail
