#include "smtp/ehlo.h"

#include "base/text.h"

namespace postrider::smtp {

namespace {

struct Name {
  Keyword keyword;
  std::string_view text;
};
/// In the order in which lists of them are logged.
constexpr Name kKeywords[] = {
    {Keyword::eightbitmime, "8BITMIME"},
    {Keyword::auth, "AUTH"},
    {Keyword::etrn, "ETRN"},
    {Keyword::pipelining, "PIPELINING"},
    {Keyword::size, "SIZE"},
    {Keyword::verp, "VERP"},
    {Keyword::vrfy, "VRFY"},
    {Keyword::xclient, "XCLIENT"},
    {Keyword::xforward, "XFORWARD"},
    {Keyword::starttls, "STARTTLS"},
    {Keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES"},
    {Keyword::dsn, "DSN"},
    {Keyword::smtputf8, "SMTPUTF8"},
    {Keyword::chunking, "CHUNKING"},
    {Keyword::requiretls, "REQUIRETLS"},
    {Keyword::silent_discard, "SILENT-DISCARD"},
};
constexpr std::string_view kXforwardNames[kXforwardAttributes] = {"NAME", "ADDR",  "PORT",  "PROTO",
                                                                  "HELO", "IDENT", "SOURCE"};
constexpr std::string_view kBlanks = " \t";

void read_size(std::string_view rest, Capabilities& out) {
  auto argument = next_token(rest, kBlanks);
  if (!argument) return;
  if (!is_all_digits(*argument)) {
    out.bad_size = *argument;
  } else if (auto limit = parse_unsigned(*argument); limit && *limit > 0) {
    // A number that does not fit is no limit for any message.
    out.size_limit = *limit;
  }
}

void read_xforward(std::string_view rest, Capabilities& out) {
  while (auto word = next_token(rest, kBlanks)) {
    for (size_t i = 0; i < kXforwardAttributes; ++i) {
      if (equals_ignore_case(*word, kXforwardNames[i])) out.xforward[i] = true;
    }
  }
}

}  // namespace

std::optional<Keyword> find_keyword(std::string_view word) {
  for (const Name& name : kKeywords) {
    if (equals_ignore_case(word, name.text)) return name.keyword;
  }
  return std::nullopt;
}

KeywordSet parse_keywords(std::string_view list) {
  KeywordSet out;
  for (std::string_view word : split_any(list, kListSeparators)) {
    if (auto keyword = find_keyword(word)) out.add(*keyword);
  }
  return out;
}

std::string keyword_text(KeywordSet keywords) {
  std::string out;
  for (const Name& name : kKeywords) {
    if (!keywords.has(name.keyword)) continue;
    if (!out.empty()) out += ' ';
    out += name.text;
  }
  return out;
}

std::string_view xforward_name(XforwardAttribute attribute) {
  return kXforwardNames[static_cast<size_t>(attribute)];
}

Capabilities parse_ehlo(std::string_view text, KeywordSet discard) {
  Capabilities out;
  bool first = true;
  for (std::string_view line : split_each(text, '\n')) {
    if (!next_token(line, "- ")) continue;  // The reply code.
    // "AUTH=LOGIN" is how some servers understood an early draft.
    auto word = next_token(line, " \t=");
    if (!word) continue;
    if (first) {
      out.server_name = *word;
      first = false;
      continue;
    }
    auto keyword = find_keyword(*word);
    if (!keyword || discard.has(*keyword)) continue;
    out.offered.add(*keyword);
    if (*keyword == Keyword::size) read_size(line, out);
    if (*keyword == Keyword::xforward) read_xforward(line, out);
    if (*keyword == Keyword::auth) out.auth.emplace_back(trim(line));
  }
  out.offered.remove(Keyword::silent_discard);
  return out;
}

}  // namespace postrider::smtp
