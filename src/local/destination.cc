#include "local/destination.h"

#include <utility>

#include "base/text.h"
#include "mail/address.h"

namespace postrider::local {

namespace {

constexpr std::string_view kInclude = ":include:";

Destination classify(const mail::Token& address) {
  std::string text = mail::internal_address(address);
  if (text.starts_with('/')) return {Destination::Kind::file, std::move(text)};
  if (text.starts_with('~')) return {Destination::Kind::home, std::move(text)};
  if (text.starts_with('|')) return {Destination::Kind::command, text.substr(1)};
  if (starts_with_ignore_case(text, kInclude))
    return {Destination::Kind::include, text.substr(kInclude.size())};
  // Where nothing stands but "@" there is no address, not one with an empty name.
  if (text == "@") return {Destination::Kind::address, mail::quoted_as_written(address)};
  return {Destination::Kind::address, mail::external_address(address)};
}

}  // namespace

std::vector<Destination> parse_destinations(std::string_view text) {
  mail::TokenList list = mail::parse_address_list(text);
  std::vector<Destination> out;
  for (const mail::Token* address : mail::addresses_of(std::as_const(list)))
    out.push_back(classify(*address));
  return out;
}

}  // namespace postrider::local
