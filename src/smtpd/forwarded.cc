#include "smtpd/forwarded.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "mail/hostname.h"

namespace postrider::smtpd {

namespace {

constexpr std::string_view kUnknown = "unknown";
constexpr std::string_view kUnavailable = "[UNAVAILABLE]", kTemporarilyUnavailable = "[TEMPUNAVAIL]";
constexpr size_t kMaxValue = 255;
constexpr size_t kMaxPortDigits = 5;

using Refused = std::unexpected<std::string>;

Refused bad(std::string_view name, std::string_view value) {
  return Refused(fmt::format("501 5.5.4 Bad {} syntax: {}", name, value));
}

struct Pair {
  std::string name, written, value;  // NAME, as it was written, value
};

std::expected<Pair, std::string> split(const mail::SmtpWord& word) {
  size_t equals = word.text.find('=');
  if (equals == std::string_view::npos || equals + 1 == word.text.size()) {
    return Refused("501 5.5.4 Error: attribute=value expected");
  }
  std::string name = printable(word.text.substr(0, equals));
  std::string_view encoded = word.text.substr(equals + 1);
  if (encoded.size() > kMaxValue) return Refused("501 5.5.4 Error: attribute value too long");
  // Old filters send values as they are.
  return Pair{uppercase(name), name, printable(xtext_decode(encoded).value_or(std::string(encoded)))};
}

bool is_unavailable(std::string_view value) {
  return equals_ignore_case(value, kUnavailable);
}

dns::NameCheck check_of(std::string_view value) {
  if (is_unavailable(value)) return dns::NameCheck::permanent;
  return equals_ignore_case(value, kTemporarilyUnavailable) ? dns::NameCheck::temporary : dns::NameCheck::ok;
}

/// An IPv4 address without zeros in front. What has some is octal, as for getaddrinfo(3), which Postfix asks.
std::optional<std::string> without_leading_zeros(std::string_view address) {
  if (address.find(':') != std::string_view::npos) return std::string(address);
  constexpr int kOctal = 8, kDecimal = 10;
  std::string out;
  for (std::string_view part : split_each(address, '.')) {
    int base = part.starts_with('0') ? kOctal : kDecimal;
    unsigned value = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, base);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    out += fmt::format("{}{}", out.empty() ? "" : ".", value);
  }
  return out;
}

/// An IPv4 address, or "IPv6:" and an IPv6 address; nothing when it is none.
std::optional<sys::Address> read_address(std::string_view value, Families families) {
  auto ip = mail::mailhost_address(value);
  auto text = ip ? without_leading_zeros(*ip) : std::nullopt;
  auto address = text ? sys::Address::from_ip(*text) : std::nullopt;
  if (!address) return std::nullopt;
  *address = address->unmapped();
  bool possible = address->family() == AF_INET6 ? families.ipv6 : families.ipv4;
  return possible ? address : std::nullopt;
}

bool read_port(std::string_view value, std::string& to) {
  if (is_unavailable(value)) {
    to = kUnknown;
    return true;
  }
  if (!is_all_digits(value) || value.size() > kMaxPortDigits) return false;
  to = value;
  return true;
}

std::expected<void, std::string> set_xclient(const Pair& pair, Substitute& to, Families families) {
  const auto& [name, written, value] = pair;
  dns::ClientName& names = to.client.names;
  if (name == "NAME" || name == "REVERSE_NAME") {
    dns::NameCheck status = check_of(value);
    if (status == dns::NameCheck::ok && !mail::valid_hostname(value)) return bad(name, value);
    std::string known = status == dns::NameCheck::ok ? value : std::string(kUnknown);
    if (name == "NAME") {
      names.name = known;
      names.name_status = status;
    }
    names.reverse_name = std::move(known);
    names.reverse_status = status;
  } else if (name == "ADDR" || name == "DESTADDR") {
    auto address = read_address(value, families);
    if (!address && !is_unavailable(value)) return bad(name, value);
    std::string text = address ? address->ip() : std::string(kUnknown);
    if (name == "DESTADDR") {
      to.client.server_address = std::move(text);
    } else {
      to.client.address = std::move(text);
      to.client.family = address ? address->family() : 0;
    }
  } else if (name == "PORT" || name == "DESTPORT") {
    if (!read_port(value, name == "PORT" ? to.client.port : to.client.server_port)) return bad(name, value);
  } else if (name == "HELO") {
    to.has_helo = true;
    to.helo_name.reset();
    if (!is_unavailable(value)) to.helo_name = harmless_name(value);
  } else if (name == "PROTO") {
    if (equals_ignore_case(value, "SMTP")) {
      to.protocol = "SMTP";
    } else if (equals_ignore_case(value, "ESMTP")) {
      to.protocol = "ESMTP";
    } else {
      return bad(name, value);
    }
  } else if (name == "LOGIN") {
    to.client.login = is_unavailable(value) ? std::string() : value;
    to.client.login_method = to.client.login.empty() ? "" : kXclientLogin;
  } else {
    return Refused(fmt::format("501 5.5.4 Bad XCLIENT attribute name: {}", written));
  }
  return {};
}

std::expected<void, std::string> set_xforward(const Pair& pair, Forwarded& to, Families families) {
  const auto& [name, written, value] = pair;
  bool missing = is_unavailable(value);
  if (name == "NAME") {
    if (!missing && !mail::valid_hostname(value)) return bad(name, harmless_name(value));
    to.name = missing ? std::string(kUnknown) : harmless_name(value);
  } else if (name == "ADDR") {
    auto address = read_address(value, families);
    if (!address && !missing) return bad(name, value);
    to.address = address ? address->ip() : std::string(kUnknown);
  } else if (name == "PORT") {
    if (!read_port(value, to.port)) return bad(name, value);
  } else if (name == "HELO") {
    to.helo_name = missing ? std::string() : harmless_name(value);
  } else if (name == "PROTO") {
    to.protocol = missing ? std::string() : harmless_name(value);
  } else if (name == "IDENT") {
    to.ident = missing ? std::string() : harmless_name(value);
  } else if (name == "SOURCE") {
    if (!missing && !equals_ignore_case(value, "LOCAL") && !equals_ignore_case(value, "REMOTE"))
      return bad(name, value);
    to.local = missing ? std::nullopt : std::optional(equals_ignore_case(value, "LOCAL"));
  } else {
    return Refused(fmt::format("501 5.5.4 Bad XFORWARD attribute name: {}", written));
  }
  return {};
}

template <typename To, typename Set>
std::expected<void, std::string> apply(std::span<const mail::SmtpWord> words, To& to, Families families,
                                       Set set) {
  for (const mail::SmtpWord& word : words) {
    auto pair = split(word);
    if (!pair) return Refused(std::move(pair).error());
    if (auto done = set(*pair, to, families); !done) return done;
  }
  return {};
}

}  // namespace

std::string harmless_name(std::string_view name) {
  constexpr std::string_view kSpecial = " <>()\\\";@";
  std::string out = printable(name);
  std::replace_if(
      out.begin(), out.end(), [&](char c) { return kSpecial.find(c) != std::string_view::npos; }, '?');
  return out;
}

std::expected<void, std::string> apply_xclient(std::span<const mail::SmtpWord> words, Substitute& to,
                                               Families families) {
  return apply(words, to, families, set_xclient);
}

void Forwarded::make_label(bool with_port) {
  label = name;
  if (address == kUnknown) return;
  label += fmt::format("[{}]", address);
  if (with_port) label += fmt::format(":{}", port);
}

std::expected<void, std::string> apply_xforward(std::span<const mail::SmtpWord> words, Forwarded& to,
                                                Families families) {
  to.renamed = false;
  bool has_client = false;
  auto applied = apply(words, to, families, [&](const Pair& pair, Forwarded& out, Families usable) {
    if (pair.name != "SOURCE" && pair.name != "IDENT") has_client = true;
    if (pair.name == "NAME" || pair.name == "ADDR") out.renamed = true;
    return set_xforward(pair, out, usable);
  });
  to.told = to.told || applied;
  to.has_client = to.has_client || (applied && has_client);
  return applied;
}

}  // namespace postrider::smtpd
