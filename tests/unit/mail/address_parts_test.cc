#include "mail/address_parts.h"

#include <gtest/gtest.h>

namespace postrider::mail {
namespace {

std::string split(std::string_view localpart, const DelimiterRules& rules) {
  auto parts = split_extension(localpart, rules);
  if (!parts) return "whole";
  return std::string(parts->user) + "|" + parts->delimiter + "|" + std::string(parts->extension);
}

TEST(AddressParts, TheDomainFollowsTheLastAt) {
  EXPECT_EQ(localpart_of("a@b@c"), "a@b");
  EXPECT_EQ(domain_of("a@b@c"), "c");
  EXPECT_EQ(localpart_of("abc"), "abc");
  EXPECT_EQ(domain_of("abc"), "");
  EXPECT_TRUE(has_domain("a@"));
  EXPECT_FALSE(has_domain("a"));
}

TEST(Extension, BeginsAtTheFirstDelimiterOfTheSet) {
  EXPECT_EQ(split("a+b", {.delimiters = "+"}), "a|+|b");
  EXPECT_EQ(split("a++b", {.delimiters = "+"}), "a|+|+b");
  EXPECT_EQ(split("a+", {.delimiters = "+"}), "a|+|");
  EXPECT_EQ(split("a-b+c", {.delimiters = "+-"}), "a|-|b+c");
  EXPECT_EQ(split("a-b+c", {.delimiters = "+"}), "a-b|+|c");
  EXPECT_EQ(split("a+b", {.delimiters = ""}), "whole");
}

TEST(Extension, ALeadingDelimiterDividesNothing) {
  EXPECT_EQ(split("+a+b", {.delimiters = "+"}), "whole");
  EXPECT_EQ(split("-a", {.delimiters = "-"}), "whole");
}

TEST(Extension, SystemNamesAreNeverDivided) {
  EXPECT_EQ(split("MAILER-DAEMON", {.delimiters = "-"}), "whole");
  EXPECT_EQ(split("Double-Bounce", {.delimiters = "-"}), "whole");
  EXPECT_EQ(split("postmaster", {.delimiters = "m"}), "whole");
  EXPECT_EQ(split("postmaster+x", {.delimiters = "+"}), "postmaster|+|x");
}

TEST(Extension, ListOwnersAndRequestAddressesStayWhole) {
  DelimiterRules rules{.delimiters = "-"};
  EXPECT_EQ(split("Owner-list", rules), "whole");
  EXPECT_EQ(split("list-REQUEST", rules), "whole");
  EXPECT_EQ(split("list-request-x", rules), "list|-|request-x");
  // Only where "-" is a delimiter, and only as long as owner_request_special says so.
  EXPECT_EQ(split("owner-list+x", {.delimiters = "+"}), "owner-list|+|x");
  EXPECT_EQ(split("owner-list+x", {.delimiters = "+-"}), "whole");
  rules.owner_request_special = false;
  EXPECT_EQ(split("owner-list", rules), "owner|-|list");
}

TEST(Extension, StrippingKeepsTheDomain) {
  auto stripped = strip_extension("a+b@c+d@e", {.delimiters = "+"});
  ASSERT_TRUE(stripped.has_value());
  EXPECT_EQ(stripped->address, "a@e");
  EXPECT_EQ(stripped->extension, "+b@c+d");
  EXPECT_FALSE(strip_extension("a@b+c", {.delimiters = "+"}).has_value());
  EXPECT_FALSE(strip_extension("+@d", {.delimiters = "+"}).has_value());
}

TEST(LogAddress, IsQuotedUnlessTheAdministratorWantsTheInternalForm) {
  EXPECT_EQ(log_address("a b@c", LogForm::external), "\"a b\"@c");
  EXPECT_EQ(log_address("a b@c", LogForm::internal), "a b@c");
  EXPECT_EQ(log_address("", LogForm::external), "");
  EXPECT_EQ(parse_log_form("internal"), LogForm::internal);
  EXPECT_FALSE(parse_log_form("sideways").has_value());
}

TEST(FoldAddress, FoldsByPart) {
  EXPECT_EQ(fold_address("\u00c4B@\u00c4", FoldParts::localpart, true), "\u00e4b@\u00c4");
  EXPECT_EQ(fold_address("\u00c4B@\u00c4", FoldParts::both, false), "\u00c4b@\u00c4");
  EXPECT_EQ(fold_address("A@B@C", FoldParts::domain, false), "A@B@c");
  EXPECT_EQ(fold_address("A@B@C", FoldParts::localpart, false), "a@b@C");
  EXPECT_EQ(fold_address("AB", FoldParts::domain, false), "AB");
  EXPECT_EQ(fold_address("A@B", FoldParts::both, false), "a@b");
}

}  // namespace
}  // namespace postrider::mail
