#include "mail/idna.h"

#include <memory>

#include <fmt/format.h>
#include <idn2.h>

#include "base/text.h"
#include "mail/hostname.h"

namespace postrider::mail {

namespace {

struct Idn2Free {
  void operator()(void* text) const { idn2_free(text); }
};

// A name longer than this is none, in any encoding; it bounds the work done for it.
constexpr size_t kMaxInput = 4 * kMaxHostnameLength;

Error translation_error(std::string_view name, std::string_view form, std::string_view reason) {
  return Error(ErrorKind::invalid, fmt::format("Problem translating domain \"{:.100}\" to {} form: {}",
                                               printable(name), form, reason));
}

Result<std::string> to_ascii(std::string_view name, IdnaMapping mapping) {
  static constexpr std::string_view kForm = "ASCII";
  if (name.empty() || name.size() > kMaxInput || name.find('\0') != std::string_view::npos) {
    return std::unexpected(translation_error(name, kForm, "bad length"));
  }
  if (!is_valid_utf8(name)) return std::unexpected(translation_error(name, kForm, "malformed UTF-8"));
  int flags = IDN2_NFC_INPUT | IDN2_NO_ALABEL_ROUNDTRIP;
  flags |= mapping == IdnaMapping::idna2003 ? IDN2_TRANSITIONAL : IDN2_NONTRANSITIONAL;
  char* raw = nullptr;
  int code = idn2_to_ascii_8z(std::string(name).c_str(), &raw, flags);
  std::unique_ptr<char, Idn2Free> ascii(raw);
  if (code != IDN2_OK) return std::unexpected(translation_error(name, kForm, idn2_strerror(code)));
  return std::string(ascii.get());
}

template <typename Convert>
Result<std::string> convert_suffix(std::string_view suffix, Convert convert) {
  if (!suffix.starts_with('.')) return convert(suffix);
  return "." + TRY(convert(suffix.substr(1)));
}

}  // namespace

Result<std::string> domain_to_ascii(std::string_view name, IdnaMapping mapping) {
  std::string ascii = TRY(to_ascii(name, mapping));
  if (!valid_hostname(ascii))
    return std::unexpected(translation_error(name, "ASCII", "malformed ASCII label(s)"));
  return ascii;
}

Result<std::string> domain_to_utf8(std::string_view name, IdnaMapping mapping) {
  // By way of ASCII, which gives one UTF-8 form for all spellings of a name.
  std::string ascii = TRY(domain_to_ascii(name, mapping));
  char* raw = nullptr;
  int code = idn2_to_unicode_8z8z(ascii.c_str(), &raw, 0);
  std::unique_ptr<char, Idn2Free> utf8(raw);
  if (code != IDN2_OK) return std::unexpected(translation_error(name, "UTF8", idn2_strerror(code)));
  return std::string(utf8.get());
}

Result<std::string> domain_suffix_to_ascii(std::string_view suffix, IdnaMapping mapping) {
  return convert_suffix(suffix, [&](std::string_view name) { return domain_to_ascii(name, mapping); });
}

Result<std::string> domain_suffix_to_utf8(std::string_view suffix, IdnaMapping mapping) {
  return convert_suffix(suffix, [&](std::string_view name) { return domain_to_utf8(name, mapping); });
}

}  // namespace postrider::mail
