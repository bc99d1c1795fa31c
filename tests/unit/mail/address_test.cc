#include "mail/address.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace postrider::mail {
namespace {

/// The shape of a list: words as they are, "quoted", [literal], (comment), {address}, "G:" for a group.
std::string shape(const TokenList& list) {
  std::string out;
  for (const Token& token : list) {
    if (!out.empty()) out += ' ';
    switch (token.kind) {
      case TokenKind::atom:
      case TokenKind::comment:
        out += token.text;
        break;
      case TokenKind::quoted:
        out += "\"" + token.text + "\"";
        break;
      case TokenKind::literal:
        out += "[" + token.text + "]";
        break;
      case TokenKind::special:
        out += token.mark;
        break;
      case TokenKind::group_start:
        out += "G:";
        break;
      case TokenKind::address:
        out += "{" + shape(token.parts) + "}";
        break;
    }
  }
  return out;
}

using Cases = std::vector<std::pair<std::string, std::string>>;

TEST(AddressScan, DividesIntoWordsOperatorsAndQuotedThings) {
  const Cases cases = {
      {"a@b.c", "a @ b . c"},
      {"x!y%z|w", "x ! y % z | w"},
      {"a \"b c\"(d)[1.2.3.4]", "a \"b c\" (d) [1.2.3.4]"},
      {"a#b$c&d'e*f+g-h/i=j?k^l_m`n{o}p~q", "a#b$c&d'e*f+g-h/i=j?k^l_m`n{o}p~q"},
      {"gr\xc3\xbc\xc3\x9f"
       "e@x",
       "gr\xc3\xbc\xc3\x9f"
       "e @ x"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(shape(scan_tokens(text)), expected) << text;
}

TEST(AddressScan, WordsWhoseBackslashesMatterBecomeQuoted) {
  const Cases cases = {
      {"a\\ b", "\"a b\""},
      {"a\\@b", "\"a@b\""},
      {"a\\b", "ab"},
      {"a\\\\b", "\"a\\b\""},
      {"\\\"a", "\"\"a\""},
      {"a\x01"
       "b",
       "\"a\x01"
       "b\""},
      {"a\\", "a"},
      {"a\\ ", "\"a \""},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(shape(scan_tokens(text)), expected) << text;
}

TEST(AddressScan, UnterminatedThingsEndWithTheText) {
  const Cases cases = {
      {"\"abc", "\"abc\""}, {"\"abc\\", "\"abc\""}, {"(a(b)", "(a(b)"},
      {"(a\\", "(a\\"},     {"[1.2", "[1.2]"},      {"\\", ""},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(shape(scan_tokens(text)), expected) << text;
}

TEST(AddressScan, FoldingInsideQuotesReadsAsSpacesButCommentsStay) {
  EXPECT_EQ(shape(scan_tokens("\"a\r\n b\"")), "\"a   b\"");
  EXPECT_EQ(shape(scan_tokens("[a\\\nb]")), "[a b]");
  EXPECT_EQ(shape(scan_tokens("(a\r\n b)c")), "(a\r\n b) c");
}

TEST(AddressScan, CommentsNestAndKeepTheirBackslashes) {
  EXPECT_EQ(shape(scan_tokens("(a(b)c)d")), "(a(b)c) d");
  EXPECT_EQ(shape(scan_tokens("(a\\)b)c")), "(a\\)b) c");
}

TEST(AddressScan, TokensBeyondTheLimitAreIgnored) {
  EXPECT_EQ(shape(scan_tokens("a@b, c@d", 4)), "a @ b ,");
  EXPECT_EQ(shape(parse_address_list("a@b, c@d", 5)), "{a @ b} , {c}");
  EXPECT_TRUE(scan_tokens("a", 0).empty());
}

TEST(AddressScan, DeepNestingNeedsNoStack) {
  std::string deep(1'000'000, '(');
  EXPECT_EQ(scan_tokens(deep).size(), 1U);
}

TEST(AddressList, GathersAddresses) {
  const Cases cases = {
      {"joe@x.y, (c) \"q r\" <a@b>", "{joe @ x . y} , (c) \"q r\" < {a @ b} >"},
      {"John Q. Public <a@b>", "John Q . Public < {a @ b} >"},
      {"<>", "< >"},
      {"<@x,@y:a@b>", "< {@ x , @ y : a @ b} >"},
      {"a@[1.2.3.4]", "{a @ [1.2.3.4]}"},
      {"", ""},
      {"(only a comment)", "(only a comment)"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(shape(parse_address_list(text)), expected) << text;
}

TEST(AddressList, MovesCommentsBehindTheAddressTheyStandIn) {
  EXPECT_EQ(shape(parse_address_list("foo (x) @bar")), "{foo @ bar} (x)");
  EXPECT_EQ(shape(parse_address_list("<a(x)b(y)>(z)")), "< {a b} (x) (y) > (z)");
}

TEST(AddressList, PutsCommasBetweenAddressesThatLackThem) {
  EXPECT_EQ(shape(parse_address_list("a b@c d")), "{a} , {b @ c} , {d}");
  EXPECT_EQ(shape(parse_address_list("a<b>c@d")), "a < {b} > , {c @ d}");
  EXPECT_EQ(shape(parse_address_list("[a][b]")), "{[a]} , {[b]}");
}

TEST(AddressList, UnderstandsGroups) {
  const Cases cases = {
      {"G: a, b;, c", "G G: {a} , {b} ; , {c}"},
      {"a:b,c:d;", "a G: {b} , c G: {d} ;"},
      {"x y z:a b<c>;", "x y z G: a b < {c} > ;"},
      {"g:;", "g G: ;"},
      {"g:<>;", "g G: < > ;"},
      // Without ";" it is no group.
      {"g:a,b", "{g : a} , {b}"},
      {"a:b:c;d;", "a : b G: {c} ; , {d} ;"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(shape(parse_address_list(text)), expected) << text;
}

TEST(AddressList, LeavesWhatFollowsNoGrammarInPlace) {
  const Cases cases = {
      {"a>b<c", "{a} > , {b < c}"},
      {"<a<b>", "< a < {b} >"},
      {"a;b", "{a} ; , {b}"},
      {",,a,,b,,", ", , {a} , , {b} , ,"},
      {";", ";"},
      {":", "{:}"},
      {"a:b<c>", "{a} : b < {c} >"},
      {"<a;b>", "< {a ; b} >"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(shape(parse_address_list(text)), expected) << text;
}

TEST(AddressWrite, PutsBackTheUsualSpaces) {
  const Cases cases = {
      {"g : a@b , c@d ; , <e@f>", "g: a@b, c@d;, <e@f>"},
      {"\"x\"<a@b>(c)", "\"x\" <a@b>(c)"},
      {"John Q. Public <a@b>", "John Q.Public <a@b>"},
      {"a . b @ c", "a.b@c"},
      {"=?x?q?a?= b <c>", "=?x?q?a?= b <c>"},
      {"a:;", "a: ;"},
      {"<a>,,<b>", "<a>, , <b>"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(write_external(parse_address_list(text)), expected) << text;
}

TEST(AddressWrite, QuotesWhereTheAddressNeedsIt) {
  const Cases cases = {
      {"a\\ b@c", "\"a b\"@c"}, {"\"a\\\"b\"@c", "\"a\\\"b\"@c"}, {"\"abc\"@d", "abc@d"},
      {"\"\"@d", "\"\"@d"},     {"[1.2.3.4]", "\"[1.2.3.4]\""},   {"\"q\\\"r\" <a@b>", "\"q\\\"r\" <a@b>"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(write_external(parse_address_list(text)), expected) << text;
}

TEST(AddressWrite, HeaderLayoutBreaksAfterCommas) {
  TokenList list = parse_address_list("g: a, b;, c (x, y)");
  EXPECT_EQ(write_external(list, ListLayout::header), "g: a,\nb;,\nc (x, y)");
}

TEST(AddressWrite, InternalFormHasNoQuotes) {
  EXPECT_EQ(write_internal(parse_address_list("\"q r\" <\"a b\"@c>")), "q r <a b@c>");
  TokenList list = parse_address_list("<a b@c>");
  ASSERT_EQ(addresses_of(list).size(), 1U);
  EXPECT_EQ(internal_address(*addresses_of(list)[0]), "ab@c");
  // Tokens that are in no address keep apart.
  EXPECT_EQ(write_internal(scan_tokens("a b@c")), "a b@c");
}

TEST(AddressWrite, DropsCommentsThatOverflowOldMailers) {
  std::string comment = "(" + std::string(300, 'x') + ")";
  std::vector<std::string> warnings;
  auto rewritten = [&](const std::string& text) {
    return write_external(parse_address_list(text), ListLayout::header, &warnings);
  };
  EXPECT_EQ(rewritten("k, \"q\" " + comment + " <a b@c>, (y) d"), "k,\n<ab@c>,\nd (y)");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0], "stripping too many comments from address: \"q\" (" + std::string(95, 'x') + "...");
  // Without an address there is nothing to reduce to, and a long address is no comment.
  EXPECT_EQ(rewritten(comment), comment);
  EXPECT_EQ(rewritten(std::string(300, 'a') + "@b"), std::string(300, 'a') + "@b");
  EXPECT_EQ(rewritten(comment + "<>"), "<>");
  // 250 bytes are allowed.
  std::string longest = "a@b (" + std::string(247, 'x') + ")";
  EXPECT_EQ(rewritten(longest), longest);
  EXPECT_EQ(rewritten("a@b (" + std::string(248, 'x') + ")"), "<a@b>");
  EXPECT_EQ(warnings.size(), 3U);
}

TEST(AddressWrite, ChangingOneAddressLeavesTheOthersAlone) {
  TokenList list = parse_address_list("\"A, L\" <alice@site>, bob (x), G: carol;");
  for (Token* address : addresses_of(list)) {
    if (internal_address(*address) == "bob") address->parts = scan_tokens("bob@site.test");
  }
  EXPECT_EQ(write_external(list), "\"A, L\" <alice@site>, bob@site.test (x), G: carol;");
}

}  // namespace
}  // namespace postrider::mail
