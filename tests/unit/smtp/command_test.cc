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
                      .ret = mail::Ret::headers,
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
  EXPECT_EQ((MailCommand{.sender = "x@y", .body = BodyType::seven_bit, .ret = mail::Ret::full}.text(kAll)),
            "MAIL FROM:<x@y> BODY=7BIT RET=FULL");
}

TEST(RcptCommand, OriginalRecipientAndNotify) {
  RcptCommand command{.recipient = "a@b.test",
                      .original = mail::OriginalRecipient{"rfc822", "x+y=z@b.test"},
                      .notify = mail::Notify::success | mail::Notify::delay};
  EXPECT_EQ(command.text(kAll), "RCPT TO:<a@b.test> ORCPT=rfc822;x+2By+3Dz@b.test NOTIFY=SUCCESS,DELAY");
  EXPECT_EQ(command.text({}), "RCPT TO:<a@b.test>");
  EXPECT_EQ((RcptCommand{.recipient = "a@b.test", .notify = mail::Notify::never}.text(kAll)),
            "RCPT TO:<a@b.test> NOTIFY=NEVER");
}

TEST(RcptCommand, InternationalOriginalRecipientsAreAscii) {
  RcptCommand command{.recipient = "a@b", .original = mail::OriginalRecipient{"utf-8", "\xc3\xbc@b"}};
  EXPECT_EQ(command.text(kAll), "RCPT TO:<a@b> ORCPT=utf-8;\\x{FC}@b");
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
