#include "base/hostname.h"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(Hostname, OrdinaryNamesAreValid) {
  for (const char* name :
       {"example.com", "localhost", "a_b.c-d.e1", "_25._tcp.mx.test", "1.example", "3com.com", "12-34"}) {
    EXPECT_EQ(hostname_problem(name), "") << name;
  }
}

TEST(Hostname, NamesWhoseFaultTheWarningTells) {
  EXPECT_EQ(hostname_problem(""), "valid_hostname: empty hostname");
  EXPECT_EQ(hostname_problem("-x.test"), "valid_hostname: misplaced hyphen: -x.test");
  EXPECT_EQ(hostname_problem("x-.test"), "valid_hostname: misplaced hyphen: x-.test");
  EXPECT_EQ(hostname_problem("x-"), "valid_hostname: misplaced hyphen: x-");
  EXPECT_EQ(hostname_problem(".test"), "valid_hostname: misplaced delimiter: .test");
  EXPECT_EQ(hostname_problem("a..b"), "valid_hostname: misplaced delimiter: a..b");
  EXPECT_EQ(hostname_problem("test."), "valid_hostname: misplaced delimiter: test.");
  EXPECT_EQ(hostname_problem("b\\032x"), "valid_hostname: invalid character 92(decimal): b\\032x");
  EXPECT_EQ(hostname_problem("a\nb"), "valid_hostname: invalid character 10(decimal): a?b");
  EXPECT_EQ(hostname_problem("1234"), "valid_hostname: numeric hostname: 1234");
  EXPECT_EQ(hostname_problem("1.2.3.4"), "valid_hostname: numeric hostname: 1.2.3.4");
}

TEST(Hostname, LengthsAreLimited) {
  std::string label(63, 'a');
  EXPECT_TRUE(is_valid_hostname(label + ".test"));
  EXPECT_FALSE(is_valid_hostname(label + "a.test"));
  std::string longest = label + "." + label + "." + label + "." + label;
  EXPECT_TRUE(is_valid_hostname(longest));
  EXPECT_TRUE(hostname_problem(longest + ".a").starts_with("valid_hostname: bad length 257 for aaa"));
}

TEST(Hostname, AWildcardMayOnlyBeTheFirstLabel) {
  EXPECT_FALSE(is_valid_hostname("*.test"));
  EXPECT_TRUE(is_valid_hostname("*.test", true));
  EXPECT_TRUE(is_valid_hostname("*", true));
  EXPECT_EQ(hostname_problem("a*.test", true), "valid_hostname: '*' can be the first label only: a*.test");
  EXPECT_EQ(hostname_problem("a.*.test", true), "valid_hostname: '*' can be the first label only: a.*.test");
}

}  // namespace
}  // namespace postrider
