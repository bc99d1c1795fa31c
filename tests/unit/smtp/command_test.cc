#include "smtp/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::smtp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Capabilities offering(std::string_view keywords) {
  std::string text = "250-mx.test";
  for (char c : std::string(keywords))
    text += c == ',' ? std::string("\n250-") : std::string(1, c);
  return parse_ehlo(text, {});
}

const Capabilities kAll = offering(",SIZE,8BITMIME,DSN,SMTPUTF8,REQUIRETLS,AUTH PLAIN");

TEST(MailCommand, HasWhatTheServerTakes) {
  MailCommand command{.sender = "a@b.test",
                      .size = 123,
                      .body = BodyType::eight_bit,
                      .ret = ReturnContent::headers,
                      .envelope_id = "id+2B1",
                      .smtputf8 = true,
                      .requiretls = true,
                      .null_auth = true};
  EXPECT_EQ(command.text(kAll),
            "MAIL FROM:<a@b.test> SIZE=123 BODY=8BITMIME ENVID=id+2B1 RET=HDRS SMTPUTF8 REQUIRETLS AUTH=<>");
  EXPECT_EQ(command.text({}), "MAIL FROM:<a@b.test>");
}

TEST(MailCommand, HasNothingThatIsNotKnown) {
  EXPECT_EQ(MailCommand{}.text(kAll), "MAIL FROM:<>");
  EXPECT_EQ(
      (MailCommand{.sender = "x@y", .body = BodyType::seven_bit, .ret = ReturnContent::full}.text(kAll)),
      "MAIL FROM:<x@y> BODY=7BIT RET=FULL");
}

TEST(RcptCommand, OriginalRecipientAndNotify) {
  RcptCommand command{
      .recipient = "a@b.test", .original = "rfc822;x+y=z@b.test", .notify = kNotifySuccess | kNotifyDelay};
  EXPECT_EQ(command.text(kAll), "RCPT TO:<a@b.test> ORCPT=rfc822;x+2By+3Dz@b.test NOTIFY=SUCCESS,DELAY");
  EXPECT_EQ(command.text({}), "RCPT TO:<a@b.test>");
  EXPECT_EQ((RcptCommand{.recipient = "a@b.test", .notify = kNotifyNever}.text(kAll)),
            "RCPT TO:<a@b.test> NOTIFY=NEVER");
}

TEST(RcptCommand, InternationalOriginalRecipient) {
  EXPECT_EQ((RcptCommand{.recipient = "a@b", .original = "utf-8;\xc3\xbc+\\@\xf0\x9f\x98\x80"}.text(kAll)),
            "RCPT TO:<a@b> ORCPT=utf-8;\\x{FC}\\x{2B}\\x{5C}@\\x{1F600}");
  EXPECT_EQ((RcptCommand{.recipient = "a@b", .original = "utf-8;\xff"}.text(kAll)), "RCPT TO:<a@b>");
}

TEST(Xforward, SendsWhatIsKnownAndWanted) {
  ClientFacts facts{"client.test", "198.51.100.7", "4711", "ESMTP", "he lo", "QID", "REMOTE"};
  EXPECT_THAT(xforward_commands(facts, offering(",XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")),
              ElementsAre("XFORWARD NAME=client.test ADDR=198.51.100.7 PORT=4711",
                          "XFORWARD PROTO=ESMTP HELO=he+20lo IDENT=QID SOURCE=REMOTE"));
  EXPECT_THAT(xforward_commands(facts, offering(",XFORWARD ADDR")),
              ElementsAre("XFORWARD ADDR=198.51.100.7"));
  EXPECT_THAT(xforward_commands(facts, {}), IsEmpty());
  ClientFacts local{"unknown", "", "unknown", "", "", "", "LOCAL"};
  EXPECT_THAT(xforward_commands(local, offering(",XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")),
              ElementsAre("XFORWARD SOURCE=LOCAL"));
}

}  // namespace
}  // namespace postrider::smtp
