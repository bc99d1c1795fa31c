// EHLO keywords (RFC 5321 section 4.1.1.1 and the extensions), and what a server offers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::smtp {

enum class Keyword : uint32_t {
  eightbitmime = 1U << 0,
  auth = 1U << 1,
  etrn = 1U << 2,
  pipelining = 1U << 3,
  size = 1U << 4,
  verp = 1U << 5,
  vrfy = 1U << 6,
  xclient = 1U << 7,
  xforward = 1U << 8,
  starttls = 1U << 9,
  enhancedstatuscodes = 1U << 10,
  dsn = 1U << 11,
  smtputf8 = 1U << 12,
  chunking = 1U << 13,
  requiretls = 1U << 14,
  silent_discard = 1U << 15,  ///< In a list of keywords to discard: do not log that.
};

class KeywordSet {
 public:
  bool has(Keyword keyword) const { return (bits_ & static_cast<uint32_t>(keyword)) != 0; }
  void add(Keyword keyword) { bits_ |= static_cast<uint32_t>(keyword); }
  void remove(Keyword keyword) { bits_ &= ~static_cast<uint32_t>(keyword); }
  bool empty() const { return bits_ == 0; }
  friend bool operator==(KeywordSet, KeywordSet) = default;

 private:
  uint32_t bits_ = 0;
};

/// A list as in smtp_discard_ehlo_keywords: in any case, separated by commas or white space. Unknown words
/// are ignored.
KeywordSet parse_keywords(std::string_view list);
/// The reverse, separated by blanks, for log lines.
std::string keyword_text(KeywordSet keywords);
/// The keyword of one word, in any case.
std::optional<Keyword> find_keyword(std::string_view word);

/// Attributes of the XFORWARD extension.
enum class XforwardAttribute : unsigned char { name, address, port, protocol, helo, ident, source };
inline constexpr size_t kXforwardAttributes = 7;
/// "NAME", "ADDR" ...
std::string_view xforward_name(XforwardAttribute attribute);

/// What the reply to EHLO or LHLO says.
struct Capabilities {
  std::string server_name;              ///< The first word of the first line.
  KeywordSet offered;                   ///< Without those to be discarded.
  std::optional<uint64_t> size_limit;   ///< Of SIZE, when there is one and it is not 0.
  std::optional<std::string> bad_size;  ///< A SIZE argument that is no number.
  std::vector<std::string> auth;        ///< The arguments of each AUTH line, also of the form "AUTH=...".
  bool xforward[kXforwardAttributes] = {};

  bool has(Keyword keyword) const { return offered.has(keyword); }
  bool takes(XforwardAttribute attribute) const { return xforward[static_cast<size_t>(attribute)]; }
};

/// `text` is that of a Reply.
Capabilities parse_ehlo(std::string_view text, KeywordSet discard);

}  // namespace postrider::smtp
