// Arguments of MAIL and RCPT.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mail/address_parts.h"
#include "mail/dsn_parameters.h"
#include "mail/hostname.h"
#include "mail/quote.h"
#include "mail/smtp_path.h"

using namespace postrider;
using namespace postrider::mail;

namespace {

void check(bool good) {
  if (!good) abort();
}

/// What this system would send for an address is read back as that address.
void check_round_trip(const std::string& address) {
  if (address.find_first_of("\t\r\n") != std::string::npos) return;
  if (!valid_hostname(domain_of(address))) return;
  auto again = parse_smtp_path("<" + quote_821_local(address) + ">");
  check(again.has_value() && *again == address);
}

void check_path(std::string_view path) {
  auto lax = parse_smtp_path(path, {.allow_empty = true});
  auto strict = parse_smtp_path(path, {.strict = true, .allow_empty = true});
  if (strict) check(lax.has_value() && *lax == *strict);
  if (lax) check_round_trip(*lax);
  auto recipient = parse_smtp_path(path);
  if (recipient) check(lax.has_value() && *lax == *recipient && !recipient->empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_path(text);
  std::string_view rest = text;
  while (auto word = next_smtp_word(rest)) {
    check(!word->text.empty());
    check(word->text.data() >= text.data() &&
          word->text.data() + word->text.size() <= text.data() + text.size());
    check_path(word->text);
    (void)parse_notify(word->text);
    (void)parse_envid(word->text);
    if (auto original = parse_orcpt(word->text))
      check(parse_orcpt(format_orcpt(*original, false)).has_value());
  }
  return 0;
}
