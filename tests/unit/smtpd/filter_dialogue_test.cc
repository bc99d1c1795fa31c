#include "smtpd/filter_dialogue.h"

#include <gtest/gtest.h>

namespace postrider::smtpd {
namespace {

smtp::ClientFacts client() {
  smtp::ClientFacts out;
  using enum smtp::XforwardAttribute;
  out[static_cast<size_t>(name)] = "client.test";
  out[static_cast<size_t>(address)] = "192.0.2.1";
  out[static_cast<size_t>(port)] = "unknown";
  out[static_cast<size_t>(helo)] = "a+b";
  out[static_cast<size_t>(protocol)] = "ESMTP";
  return out;
}

std::vector<std::string> commands(const smtp::ClientFacts& facts, std::string_view offer) {
  return filter_xforward(facts, smtp::parse_ehlo(offer, {}));
}

TEST(FilterXforward, TellsWhatTheFilterTakesInOneCommand) {
  EXPECT_EQ(
      commands(client(), "250-f\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"),
      (std::vector<std::string>{"XFORWARD NAME=client.test ADDR=192.0.2.1 PORT=[UNAVAILABLE] HELO=a+2Bb "
                                "IDENT=[UNAVAILABLE] PROTO=ESMTP SOURCE=[UNAVAILABLE]"}));
  EXPECT_EQ(commands(client(), "250-f\n250 XFORWARD ADDR NAME"),
            (std::vector<std::string>{"XFORWARD NAME=client.test ADDR=192.0.2.1"}));
  EXPECT_TRUE(commands(client(), "250-f\n250 8BITMIME").empty());
}

TEST(FilterXforward, BeginsAnotherCommandBeforeOneGetsTooLong) {
  smtp::ClientFacts facts = client();
  std::string helo(484, 'h');
  facts[static_cast<size_t>(smtp::XforwardAttribute::helo)] = helo;
  EXPECT_EQ(
      commands(facts, "250-f\n250 XFORWARD NAME HELO PROTO"),
      (std::vector<std::string>{"XFORWARD NAME=client.test", "XFORWARD HELO=" + helo + " PROTO=ESMTP"}));
}

TEST(FilterReplyText, IsOneLine) {
  EXPECT_EQ(filter_reply_text("250-a\n250 b"), "250-a??250 b");
}

}  // namespace
}  // namespace postrider::smtpd
