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

std::optional<std::string> domain_to_ascii(std::string_view domain) {
  return convert(domain, [](const char* name, char** out) {
    return idn2_to_ascii_8z(name, out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  });
}

std::optional<std::string> domain_to_utf8(std::string_view domain) {
  return convert(domain, [](const char* name, char** out) { return idn2_to_unicode_8z8z(name, out, 0); });
}

}  // namespace postrider
