#include "mail/hostname.h"

#include <fmt/format.h>

#include "base/hostname.h"
#include "base/idna.h"
#include "base/text.h"

namespace postrider::mail {

namespace {

constexpr std::string_view kIpv6Prefix = "IPv6:";
constexpr size_t kShownText = 100;
constexpr size_t kMaxLiteralText = 45;  // "IPv6:" and an address in its longest usual form

/// `what` about the text that was checked.
bool complain(std::string* why, std::string_view what, std::string_view checked) {
  if (why) *why = fmt::format("{}: {}", what, printable(checked.substr(0, kShownText)));
  return false;
}

bool complain(std::string* why, std::string_view what) {
  if (why) *why = what;
  return false;
}

int byte_of(char c) {
  return static_cast<unsigned char>(c);
}

/// Decimal value of up to 255; a larger one gives 256.
unsigned octet_value(std::string_view digits) {
  unsigned value = 0;
  for (char c : digits)
    value = std::min(value * 10 + static_cast<unsigned>(c - '0'), 256U);
  return value;
}

}  // namespace

bool valid_hostname(std::string_view name, std::string* why, HostnameForm form) {
  std::string problem = hostname_problem(name, form == HostnameForm::pattern);
  if (problem.empty()) return true;
  if (why) *why = std::move(problem);
  return false;
}

bool valid_utf8_hostname(std::string_view name, bool utf8_enabled, std::string* why) {
  if (name.empty()) return complain(why, "valid_utf8_hostname: empty domain name");
  if (!utf8_enabled || is_all_ascii(name)) return valid_hostname(name, why);
  auto ascii = domain_to_ascii(name);
  if (!ascii) return complain(why, "valid_utf8_hostname: malformed UTF-8 domain name");
  return valid_hostname(*ascii, why);
}

bool valid_ipv4_address(std::string_view text, std::string* why) {
  auto bad = [&](std::string_view what) {
    return complain(why, fmt::format("valid_ipv4_hostaddr: {}", what), text);
  };
  // No host has an address in network 0, but 0.0.0.0 stands for any.
  bool all_zero = text.find_first_not_of("0.") == std::string_view::npos;
  size_t octets = 0, begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      if (i == begin) ++octets;
      if (octet_value(text.substr(begin, i + 1 - begin)) > 255) return bad("invalid octet value");
    } else if (text[i] == '.') {
      if (i == begin || i + 1 == text.size()) return bad("misplaced dot");
      if (octets == 1 && !all_zero && octet_value(text.substr(0, i)) == 0)
        return bad("bad initial octet value");
      begin = i + 1;
    } else {
      return bad(fmt::format("invalid character {}(decimal)", byte_of(text[i])));
    }
  }
  return octets == 4 ? true : bad("invalid octet count");
}

namespace {

/// Reads an IPv6 address from left to right. How many groups there are in all is left to the conversion.
class Ipv6Check {
 public:
  Ipv6Check(std::string_view text, std::string* why) : text_(text), why_(why) {}

  bool run() {
    for (size_t i = 0; i < text_.size(); ++i) {
      char c = text_[i];
      if (c == '.') return embedded_ipv4();
      if (c == ':' ? !colon(i) : !digit(c)) return false;
    }
    if (colons_ < 2) return bad("too few `:' in IPv6 address");
    if (text_.ends_with(':') && !text_.ends_with("::")) return bad("bad null last field in IPv6 address");
    return true;
  }

 private:
  bool colon(size_t at) {
    if (at > 0 && text_[at - 1] == ':' && ++gaps_ > 1) return bad("too many `::' in IPv6 address");
    if (++colons_ > 7) return bad("too many `:' in IPv6 address");
    if (at == 0 && text_.size() > 1 && is_alnum(text_[1])) return bad("bad null first field in IPv6 address");
    group_ = at + 1;
    digits_ = 0;
    return true;
  }

  bool digit(char c) {
    if (!is_digit(c) && !(to_lower(c) >= 'a' && to_lower(c) <= 'f')) {
      return bad(fmt::format("invalid character {}(decimal) in IPv6 address", byte_of(c)));
    }
    return ++digits_ <= 4 ? true : bad("malformed IPv6 address");
  }

  // It takes the place of the last two groups.
  bool embedded_ipv4() {
    if (colons_ < 2 || colons_ > 6) return bad("malformed IPv4-in-IPv6 address");
    return valid_ipv4_address(text_.substr(group_), why_);
  }

  bool bad(std::string_view what) {
    return complain(why_, fmt::format("valid_ipv6_hostaddr: {}", what), text_);
  }

  std::string_view text_;
  std::string* why_;
  size_t group_ = 0;  // where the current group begins
  int colons_ = 0, gaps_ = 0, digits_ = 0;
};

}  // namespace

bool valid_ipv6_address(std::string_view text, std::string* why) {
  return Ipv6Check(text, why).run();
}

bool valid_host_address(std::string_view text, std::string* why) {
  if (text.empty()) return complain(why, "valid_hostaddr: empty address");
  if (text.find(':') != std::string_view::npos) return valid_ipv6_address(text, why);
  return valid_ipv4_address(text, why);
}

bool valid_port(std::string_view text, std::string* why) {
  auto bad = [&](std::string_view what) {
    return complain(why, fmt::format("valid_hostport: {}", what), text);
  };
  if (text.size() > 1 && text.front() == '0') return bad("leading zero in port number");
  if (!is_all_digits(text)) return bad("non-numeric port number");
  return parse_unsigned(text).value_or(65536) <= 65535 ? true : bad("out-of-range port number");
}

std::optional<std::string_view> mailhost_address(std::string_view literal_text, std::string* why) {
  if (starts_with_ignore_case(literal_text, kIpv6Prefix)) {
    std::string_view address = literal_text.substr(kIpv6Prefix.size());
    return valid_ipv6_address(address, why) ? std::optional(address) : std::nullopt;
  }
  return valid_ipv4_address(literal_text, why) ? std::optional(literal_text) : std::nullopt;
}

bool valid_mailhost_literal(std::string_view text, std::string* why) {
  auto bad = [&](std::string_view what) {
    return complain(why, fmt::format("valid_mailhost_literal: {}", what), text);
  };
  if (!text.starts_with('[')) return bad("'[' expected at start");
  size_t end = text.find(']');
  if (end == std::string_view::npos) return bad("']' expected at end");
  if (end + 1 != text.size()) return bad("unexpected text after ']'");
  if (end - 1 > kMaxLiteralText) return bad("too much text");
  return mailhost_address(text.substr(1, end - 1), why).has_value();
}

std::string to_mailhost_address(std::string_view address) {
  bool ipv6 = address.find(':') != std::string_view::npos;
  return std::string(ipv6 ? kIpv6Prefix : "") + std::string(address);
}

}  // namespace postrider::mail
