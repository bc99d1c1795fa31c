#include "base/idna.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace postrider {
namespace {

TEST(Idna, TranslatesBothWays) {
  EXPECT_EQ(domain_to_ascii("B\u00dccher.DE"), "xn--bcher-kva.de");
  EXPECT_EQ(domain_to_utf8("XN--bcher-kva.de"), "b\u00fccher.de");
  EXPECT_EQ(domain_to_ascii("a\u3002b"), "a.b");  // ideographic full stop
  EXPECT_EQ(domain_to_ascii("Plain.Test"), "plain.test");
}

TEST(Idna, HasTwoMappings) {
  EXPECT_EQ(domain_to_ascii("stra\u00dfe.de"), "xn--strae-oqa.de");
  EXPECT_EQ(domain_to_ascii("stra\u00dfe.de", IdnaMapping::idna2003), "strasse.de");
}

TEST(Idna, KeepsDotsAtTheEnds) {
  EXPECT_EQ(domain_to_ascii(".b\u00fccher.de"), ".xn--bcher-kva.de");
  EXPECT_EQ(domain_to_utf8("xn--bcher-kva.de."), "b\u00fccher.de.");
}

TEST(Idna, RefusesNamesWithoutAsciiForm) {
  for (const char* name : {"\u00fc-", "-\u00fc", "xn--\u00fc", "xn--a", "\xff", "\u2603.net"}) {
    EXPECT_FALSE(domain_to_ascii(name).has_value()) << name;
    EXPECT_FALSE(domain_to_utf8(name).has_value()) << name;
  }
  EXPECT_FALSE(domain_to_ascii(std::string_view("a\0b", 3)).has_value());
  EXPECT_FALSE(domain_to_ascii(std::string(100'000, 'a')).has_value());
}

TEST(Utf8, RoundTripsCharacters) {
  for (char32_t code : {0x41U, 0xfcU, 0x20acU, 0x1f4eeU, 0x10ffffU}) {
    std::string text;
    append_utf8(text, code);
    auto character = decode_utf8(text + "x");
    ASSERT_TRUE(character.has_value());
    EXPECT_EQ(character->code, code);
    EXPECT_EQ(character->length, text.size());
  }
}

TEST(Utf8, RefusesMalformedSequences) {
  for (const char* text : {"", "\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(decode_utf8(text).has_value());
  }
}

}  // namespace
}  // namespace postrider
