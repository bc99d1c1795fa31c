#include "base/sha1.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace postrider {
namespace {

TEST(Sha1, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(hex(sha1("")), "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709");
  EXPECT_EQ(hex(sha1("abc")), "A9993E364706816ABA3E25717850C26C9CD0D89D");
  EXPECT_EQ(hex(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "84983E441C3BD26EBAAE4AA1F95129E5E54670F1");
  EXPECT_EQ(hex(sha1(std::string(1'000'000, 'a'))), "34AA973CD4C4DAA4F61EEB2BDBAD27316534016F");
}

TEST(Sha1, PadsTextsOfAnyLength) {
  // Around the place where the length takes another block.
  EXPECT_EQ(hex(sha1(std::string(55, 'x'))), "CEF734BA81A024479E09EB5A75B6DDAE62E6ABF1");
  EXPECT_EQ(hex(sha1(std::string(56, 'x'))), "901305367C259952F4E7AF8323F480D59F81335B");
  EXPECT_EQ(hex(sha1(std::string(64, 'x'))), "BB2FA3EE7AFB9F54C6DFB5D021F14B1FFE40C163");
}

}  // namespace
}  // namespace postrider
