// Single headers: names, folding, cutting, encoded words.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/header_tokens.h"
#include "mail/trace_header.h"

using namespace postrider;
using namespace postrider::mail;

namespace {

void check(bool good) {
  if (!good) abort();
}

void check_assembly(std::string_view text) {
  constexpr size_t kLimit = 40;
  HeaderAssembler header(kLimit);
  for (std::string_view line : split_each(text, '\n')) {
    size_t name = header_name_length(line);
    check(name <= line.size());
    if (name != 0) {
      header.start(line, name);
      check(header_name_length(header.text()) == name);
    } else if (!header.empty()) {
      header.add_line(line);
    }
  }
  if (header.empty()) return;
  (void)find_header(header.text());
  std::string cut = header.text();
  truncate_header(cut, kLimit);
  check(cut.size() <= kLimit && header.text().starts_with(cut));
}

void check_fold(std::string_view text) {
  const std::string folded = fold_address_header(text);
  auto words = [](std::string_view t) {
    std::string out;
    std::copy_if(t.begin(), t.end(), std::back_inserter(out), [](char c) { return !is_space(c); });
    return out;
  };
  check(words(folded) == words(text));
}

void check_encoded_words(std::string_view text) {
  for (auto place : {EncodedWordPlace::comment, EncodedWordPlace::phrase}) {
    auto encoded = encode_words(text, place, "utf-8");
    check(encoded.has_value() == !text.empty());
    if (!encoded) continue;
    for (std::string_view line : split_each(*encoded, '\n')) {
      check(trim(line).size() <= 75 && is_all_ascii(line));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_assembly(text);
  check_fold(text);
  check_encoded_words(text);
  std::string_view rest = text;
  while (auto tokens = next_header_tokens(rest, 3))
    check(tokens->size() <= 3);
  auto from = make_from(text, text, FromFormat::standard, "utf-8");
  if (from) (void)make_from(*from, *from, FromFormat::obsolete, "us-ascii");
  return 0;
}
