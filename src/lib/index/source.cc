#include "index/source.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "mail/address.h"
#include "table/file_value.h"
#include "table/syntax.h"

namespace postrider::index {

using mail::Token;
using mail::TokenList;
using table::Entry;

std::expected<Entry, LineProblem> parse_alias_line(std::string_view line, bool utf8) {
  if (utf8 && !is_valid_utf8(line)) {
    return std::unexpected(
        LineProblem{fmt::format("non-UTF-8 input \"{}\" -- ignoring this line", printable(line))});
  }
  TokenList tokens = mail::scan_tokens(line);
  if (tokens.empty()) return std::unexpected(LineProblem{{}, true});
  auto colon = std::find_if(tokens.begin(), tokens.end(), [](const Token& token) { return token.is(':'); });
  auto name_has = [&](char mark) {
    return std::any_of(tokens.begin(), colon, [mark](const Token& token) { return token.is(mark); });
  };
  bool pair = colon != tokens.end() && colon != tokens.begin() && colon + 1 != tokens.end();
  if (!pair || name_has(',')) return std::unexpected(LineProblem{"need name:value pair"});
  if (name_has('@') || name_has('%')) return std::unexpected(LineProblem{"name must be local"});
  return Entry{mail::write_internal(TokenList(tokens.begin(), colon)),
               mail::write_external(TokenList(colon + 1, tokens.end()))};
}

std::expected<Entry, LineProblem> parse_map_line(std::string_view line, bool values_are_files, bool utf8,
                                                 std::string& remark) {
  auto entry = table::parse_entry(line, utf8);
  if (!entry) return std::unexpected(LineProblem{table::fault_text(entry.error(), line, false)});
  if (table::looks_like_alias(*entry)) remark = table::kAliasLikeWarning;
  Entry out{std::string(entry->key), std::string(entry->value)};
  if (!values_are_files) return out;
  auto encoded = table::encode_files(entry->value);
  if (!encoded) return std::unexpected(LineProblem{encoded.error().text + ": skipping this entry"});
  out.value = std::move(*encoded);
  return out;
}

}  // namespace postrider::index
