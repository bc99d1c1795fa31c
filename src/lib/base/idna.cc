#include "base/idna.h"

#include <cstdlib>
#include <memory>

#include <idn2.h>

#include "base/text.h"

namespace postrider {
namespace {

// Names longer than this are no domain names; the limit bounds the work of the library.
constexpr size_t kMaxName = 1024;

struct Release {
  void operator()(char* text) const { idn2_free(text); }
};
using Owned = std::unique_ptr<char, Release>;

template <typename Convert>
std::optional<std::string> convert(std::string_view domain, Convert run) {
  if (domain.size() > kMaxName || domain.find('\0') != std::string_view::npos) return std::nullopt;
  // The library refuses empty labels, also the one that a leading or trailing dot makes.
  bool leading = domain.starts_with('.');
  if (leading) domain.remove_prefix(1);
  bool trailing = domain.ends_with('.');
  if (trailing) domain.remove_suffix(1);
  char* raw = nullptr;
  std::string result;
  if (!domain.empty()) {
    if (run(std::string(domain).c_str(), &raw) != IDN2_OK || !raw) return std::nullopt;
    result = Owned(raw).get();
  }
  return (leading ? "." : "") + result + (trailing ? "." : "");
}

}  // namespace

std::optional<std::string> domain_to_ascii(std::string_view domain, IdnaMapping mapping) {
  if (!is_valid_utf8(domain)) return std::nullopt;
  // An A-label that is given is not checked by decoding it: what others have registered is theirs to answer
  // for.
  int flags = IDN2_NFC_INPUT | IDN2_NO_ALABEL_ROUNDTRIP;
  flags |= mapping == IdnaMapping::idna2003 ? IDN2_TRANSITIONAL : IDN2_NONTRANSITIONAL;
  return convert(domain, [&](const char* name, char** out) { return idn2_to_ascii_8z(name, out, flags); });
}

std::optional<std::string> domain_to_ascii(std::string_view domain) {
  return domain_to_ascii(domain, IdnaMapping::idna2008);
}

std::optional<std::string> domain_to_utf8(std::string_view domain, IdnaMapping mapping) {
  // By way of ASCII, which gives one form for all spellings of a name.
  auto ascii = domain_to_ascii(domain, mapping);
  if (!ascii) return std::nullopt;
  return convert(*ascii, [](const char* name, char** out) { return idn2_to_unicode_8z8z(name, out, 0); });
}

std::optional<std::string> domain_to_utf8(std::string_view domain) {
  return domain_to_utf8(domain, IdnaMapping::idna2008);
}

}  // namespace postrider
