#include <gtest/gtest.h>

#include "mail/address_transform.h"

namespace postrider::mail {
namespace {

template <typename Change>
std::string changed(std::string_view text, Change change) {
  TokenList address = scan_tokens(text);
  bool applied = change(address);
  return (applied ? "" : "not: ") + write_internal(address);
}

TEST(AddressTransform, SourceRoutesAreStripped) {
  EXPECT_EQ(changed("@a,@b:c@d", strip_source_route), "c@d");
  EXPECT_EQ(changed("@a:b:c@d", strip_source_route), "b:c@d");
  EXPECT_EQ(changed("@a:", strip_source_route), "not: @a:");
  EXPECT_EQ(changed("@a", strip_source_route), "not: @a");
  EXPECT_EQ(changed("a:b@c", strip_source_route), "not: a:b@c");
}

TEST(AddressTransform, BangPathsAreSwapped) {
  EXPECT_EQ(changed("a!b", swap_bang_path), "b@a");
  EXPECT_EQ(changed("a.b!c!d", swap_bang_path), "c!d@a.b");
  EXPECT_EQ(changed("!b", swap_bang_path), "b@");
  EXPECT_EQ(changed("a!", swap_bang_path), "@a");
  EXPECT_EQ(changed("!", swap_bang_path), "@");
  EXPECT_EQ(changed("ab", swap_bang_path), "not: ab");
}

TEST(AddressTransform, TheLastPercentBecomesAnAt) {
  EXPECT_EQ(changed("a%b%c", promote_percent), "a%b@c");
  EXPECT_EQ(changed("\"a%b\"", promote_percent), "not: a%b");
}

TEST(AddressTransform, DomainsAreCompleted) {
  TokenList address = scan_tokens("a");
  append_domain(address, "b.c");
  EXPECT_EQ(write_internal(address), "a@b.c");
  auto complete = [](TokenList& tokens) { return append_parent_domain(tokens, "x.y"); };
  EXPECT_EQ(changed("a@b", complete), "a@b.x.y");
  for (const char* whole : {"a@b.c", "a@[1.2.3.4]", "a@", "a", "a@b."}) {
    EXPECT_EQ(changed(whole, complete), "not: " + std::string(whole));
  }
}

TEST(AddressTransform, OneTrailingDotIsStripped) {
  EXPECT_EQ(changed("a@b.", strip_trailing_dot), "a@b");
  EXPECT_EQ(changed("a.", strip_trailing_dot), "a");
  for (const char* broken : {"a@b..", "a@.", ".", "a@b"}) {
    EXPECT_EQ(changed(broken, strip_trailing_dot), "not: " + std::string(broken));
  }
}

}  // namespace
}  // namespace postrider::mail
