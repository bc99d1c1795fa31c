// Address lists of headers, and the two forms of an address.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mail/address.h"
#include "mail/address_transform.h"
#include "mail/quote.h"

using namespace postrider;
using namespace postrider::mail;

namespace {

void check(bool good) {
  if (!good) abort();
}

/// What was written reads back as the same list, where nothing is quoted or left open.
void check_round_trip(std::string_view text) {
  if (text.find_first_of("\"\\()[]") != std::string_view::npos) return;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r' && c != '\n') return;
  }
  const std::string once = write_external(parse_address_list(text));
  if (once.find('"') != std::string::npos) return;
  check(write_external(parse_address_list(once)) == once);
}

void check_limit(std::string_view text) {
  constexpr size_t kLimit = 7;
  size_t words = 0;
  for (const Token& token : parse_address_list(text, kLimit)) {
    words += token.is_address() ? token.parts.size() : 1;
  }
  // Commas that were missing come on top.
  check(words <= 2 * kLimit);
}

void check_forms(std::string_view internal) {
  const std::string external = quote_822_local(internal);
  check(unquote_822_local(external) == internal);
  check(quote_822_local(unquote_822_local(external)) == external);
  (void)quote_821_local(internal, {.eight_bit_clean = false});
}

void check_transforms(std::string_view text) {
  for (auto change : {strip_source_route, swap_bang_path, promote_percent, strip_trailing_dot}) {
    TokenList address = scan_tokens(text);
    const TokenList before = address;
    if (!change(address)) check(address == before);
    (void)append_parent_domain(address, "a.b");
    (void)write_internal(address);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const TokenList list = parse_address_list(text);
  std::vector<std::string> warnings;
  (void)write_external(list, ListLayout::header, &warnings);
  (void)write_internal(list);
  check_round_trip(text);
  check_limit(text);
  check_forms(text);
  check_transforms(text);
  return 0;
}
