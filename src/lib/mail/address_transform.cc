#include "mail/address_transform.h"

#include <algorithm>
#include <iterator>

namespace postrider::mail {

namespace {

void append_tokens(TokenList& to, TokenList tokens) {
  to.insert(to.end(), std::make_move_iterator(tokens.begin()), std::make_move_iterator(tokens.end()));
}

auto at(TokenList& address, size_t index) {
  return address.begin() + static_cast<ptrdiff_t>(index);
}

}  // namespace

size_t find_special(const TokenList& address, char mark) {
  auto found = std::find_if(address.begin(), address.end(), [&](const Token& t) { return t.is(mark); });
  return found == address.end() ? kNotFound : static_cast<size_t>(found - address.begin());
}

size_t find_last_special(const TokenList& address, char mark) {
  auto found = std::find_if(address.rbegin(), address.rend(), [&](const Token& t) { return t.is(mark); });
  return found == address.rend() ? kNotFound : static_cast<size_t>(address.rend() - found) - 1;
}

bool strip_source_route(TokenList& address) {
  if (address.empty() || !address.front().is('@')) return false;
  size_t colon = find_special(address, ':');
  if (colon == kNotFound || colon + 1 == address.size()) return false;
  address.erase(address.begin(), at(address, colon + 1));
  return true;
}

bool swap_bang_path(TokenList& address) {
  size_t bang = find_special(address, '!');
  if (bang == kNotFound) return false;
  address[bang] = make_special('@');
  // domain @ rest -> rest @ domain
  std::rotate(address.begin(), at(address, bang), address.end());
  std::rotate(address.begin(), address.begin() + 1, address.end() - static_cast<ptrdiff_t>(bang));
  return true;
}

bool promote_percent(TokenList& address) {
  size_t percent = find_last_special(address, '%');
  if (percent == kNotFound) return false;
  address[percent] = make_special('@');
  return true;
}

void append_domain(TokenList& address, std::string_view domain) {
  address.push_back(make_special('@'));
  append_tokens(address, scan_tokens(domain));
}

bool append_parent_domain(TokenList& address, std::string_view parent) {
  size_t separator = find_last_special(address, '@');
  if (separator == kNotFound || separator + 1 == address.size()) return false;
  auto part_of_full_name = [](const Token& t) { return t.is('.') || t.kind == TokenKind::literal; };
  if (std::any_of(at(address, separator + 1), address.end(), part_of_full_name)) return false;
  address.push_back(make_special('.'));
  append_tokens(address, scan_tokens(parent));
  return true;
}

bool strip_trailing_dot(TokenList& address) {
  if (address.size() < 2 || !address.back().is('.')) return false;
  const Token& before = address[address.size() - 2];
  if (before.is('.') || before.is('@')) return false;
  address.pop_back();
  return true;
}

}  // namespace postrider::mail
