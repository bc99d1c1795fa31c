#include "milter/settings.h"

#include <gtest/gtest.h>

namespace postrider::milter {
namespace {

FilterSettings defaults() {
  return {.endpoint = {},
          .connect_timeout = seconds(30),
          .command_timeout = seconds(30),
          .content_timeout = seconds(300),
          .default_action = "tempfail",
          .protocol = "6"};
}

TEST(MilterSettings, FiltersHaveSettingsOfTheirOwn) {
  auto filters = parse_filters(
      "inet:localhost:1, { unix:/run/a, connect_timeout=1m default_action=accept } "
      "{inet:[::1]:2, {protocol = 2, no_header_reply}, command_timeout=2, content_timeout=3s}",
      defaults());
  ASSERT_TRUE(filters);
  ASSERT_EQ(filters->size(), 3U);
  EXPECT_EQ((*filters)[0].endpoint, "inet:localhost:1");
  EXPECT_EQ((*filters)[0].content_timeout, seconds(300));
  EXPECT_EQ((*filters)[1].endpoint, "unix:/run/a");
  EXPECT_EQ((*filters)[1].connect_timeout, seconds(60));
  EXPECT_EQ((*filters)[1].default_action, "accept");
  EXPECT_EQ((*filters)[2].protocol, "2, no_header_reply");
  EXPECT_EQ((*filters)[2].command_timeout, seconds(2));
  EXPECT_EQ((*filters)[2].content_timeout, seconds(3));
  EXPECT_TRUE(needs_network(*filters));
  EXPECT_FALSE(needs_network(*parse_filters("unix:a", defaults())));
}

TEST(MilterSettings, MistakesAreTold) {
  EXPECT_EQ(parse_filters("{ }", defaults()).error().text, "empty milter definition: \"{ }\"");
  EXPECT_EQ(parse_filters("{ inet:a:1, size=1 }", defaults()).error().text, "unknown option: \"size = 1\"");
  EXPECT_EQ(parse_filters("{ inet:a:1, connect_timeout=x }", defaults()).error().text,
            "connect_timeout: bad time value or unit: x");
  EXPECT_FALSE(parse_filters("{ inet:a:1, connect_timeout=0 }", defaults()));
  EXPECT_FALSE(parse_filters("{ inet:a:1, nothing }", defaults()));
}

TEST(MilterSettings, ProtocolsAreVersionsAndExtensions) {
  EXPECT_EQ(parse_protocol("6")->version, 6U);
  EXPECT_TRUE(parse_protocol("2, no_header_reply")->no_header_reply);
  EXPECT_EQ(parse_protocol("5").error().text, "5");
  EXPECT_EQ(parse_protocol("6 all").error().text, "all");
  EXPECT_FALSE(parse_protocol("no_header_reply"));
}

TEST(MilterSettings, MacroNamesMayStandInBraces) {
  EXPECT_EQ(bare_name("{client_addr}"), "client_addr");
  EXPECT_EQ(bare_name("i"), "i");
  EXPECT_EQ(bare_name("{}"), "{}");
}

}  // namespace
}  // namespace postrider::milter
