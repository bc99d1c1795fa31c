#include "maildrop/postdrop_protocol.h"

#include <gtest/gtest.h>

namespace postrider::maildrop {
namespace {

TEST(PostdropProtocol, SaysWhatPostfixSays) {
  using namespace std::literals;
  EXPECT_EQ(greeting("ABC"), "protocol\0postdrop_protocol\0queue_id\0ABC\0\0"sv);
  EXPECT_EQ(reply({.problems = 0}), "status\0000\0reason\0\0\0"sv);
}

TEST(PostdropProtocol, ReplyComesBackAsItWas) {
  Outcome outcome =
      parse_reply(greeting("ABC") + reply({.problems = proto::kProblemContent, .reason = "not you"}));
  EXPECT_EQ(outcome.problems, proto::kProblemContent);
  EXPECT_EQ(outcome.text(), "not you");
}

TEST(PostdropProtocol, SuccessNeedsACompleteReply) {
  std::string whole = greeting("ABC") + reply({.problems = 0});
  EXPECT_EQ(parse_reply(whole).problems, 0U);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(parse_reply(std::string_view(whole).substr(0, length)).problems, 0U) << length;
  }
}

TEST(PostdropProtocol, AStatusThatIsNoNumberIsAFailure) {
  using namespace std::literals;
  EXPECT_NE(parse_reply("status\0ok\0\0"sv).problems, 0U);
  EXPECT_NE(parse_reply("status\0004294967296\0\0"sv).problems, 0U);
}

TEST(Outcome, NamesTheProblemWhenThereIsNoReason) {
  EXPECT_EQ(Outcome{.problems = proto::kProblemSize}.text(), "message file too big");
  EXPECT_EQ(Outcome{.problems = proto::kProblemWrite}.text(), "queue file write error");
}

}  // namespace
}  // namespace postrider::maildrop
