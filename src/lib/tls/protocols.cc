#include "tls/protocols.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "base/text.h"

namespace postrider::tls {

namespace {

struct Version {
  std::string_view name;
  int number;
  uint64_t option;  // Excludes it; 0: the library does not have it.
};

constexpr Version kVersions[] = {
    {"SSLv2", SSL2_VERSION, 0},
    {"SSLv3", SSL3_VERSION, SSL_OP_NO_SSLv3},
    {"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
    {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
};

const Version* find_version(std::string_view name) {
  for (const Version& version : kVersions) {
    if (equals_ignore_case(version.name, name)) return &version;
  }
  return nullptr;
}

/// The number of a bound: a name, or hexadecimal digits. "" is no bound.
std::optional<int> bound(std::string_view text) {
  if (text.empty()) return 0;
  if (const Version* version = find_version(text)) return version->number;
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0 || number > 0xffff)
    return std::nullopt;
  return number;
}

}  // namespace

Result<Protocols> parse_protocols(std::string_view list) {
  Protocols out;
  uint64_t included = 0, all = 0;
  bool names_some = false;
  for (const Version& version : kVersions)
    all |= version.option;
  for (std::string_view word : split_any(list, " \t\r\n,:")) {
    auto invalid = [&] {
      return fail(ErrorKind::invalid, fmt::format("unknown TLS protocol \"{}\"", printable(word)));
    };
    if (word.starts_with(">=") || word.starts_with("<=")) {
      auto number = bound(word.substr(2));
      if (!number) return invalid();
      (word[0] == '>' ? out.min : out.max) = *number;
      continue;
    }
    bool excludes = word.starts_with('!');
    const Version* version = find_version(word.substr(excludes ? 1 : 0));
    if (version == nullptr) return invalid();
    (excludes ? out.excluded : included) |= version->option;
    names_some = names_some || !excludes;
  }
  if (names_some) out.excluded |= all & ~included;
  return out;
}

}  // namespace postrider::tls
