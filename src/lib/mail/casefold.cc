#include "mail/casefold.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "mail/casefold_table.h"
#include "mail/utf8.h"

namespace postrider::mail {

namespace {

void append_folded(std::string& out, char32_t code) {
  auto full = std::lower_bound(std::begin(kFullFolds), std::end(kFullFolds), code,
                               [](const FullFold& fold, char32_t c) { return fold.from < c; });
  if (full != std::end(kFullFolds) && full->from == code) {
    for (char32_t c : full->to) {
      if (c != 0) append_utf8(out, c);
    }
    return;
  }
  auto run = std::lower_bound(std::begin(kFoldRuns), std::end(kFoldRuns), code,
                              [](const FoldRun& r, char32_t c) { return r.last < c; });
  bool inside = run != std::end(kFoldRuns) && code >= run->first && (code - run->first) % run->step == 0;
  append_utf8(out, inside ? static_cast<char32_t>(static_cast<int32_t>(code) + run->delta) : code);
}

}  // namespace

std::string casefold(std::string_view text, bool utf8_enabled) {
  if (!utf8_enabled || is_all_ascii(text)) return lowercase(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t length = 1;
    if (is_ascii(text.front())) {
      out += to_lower(text.front());
    } else if (auto character = decode_utf8(text)) {
      append_folded(out, character->code);
      length = character->length;
    } else {
      out += text.front();
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string fold_address(std::string_view address, FoldParts parts, bool utf8_enabled) {
  size_t at = std::min(address.rfind('@'), address.size());
  std::string_view local = address.substr(0, at), domain = address.substr(at);
  auto part = [&](std::string_view text, bool fold) {
    return fold ? casefold(text, utf8_enabled) : std::string(text);
  };
  return part(local, parts != FoldParts::domain) + part(domain, parts != FoldParts::localpart);
}

}  // namespace postrider::mail
