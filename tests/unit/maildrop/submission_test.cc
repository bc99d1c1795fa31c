#include "maildrop/submission.h"

#include <gtest/gtest.h>

namespace postrider::maildrop {
namespace {

using queue::RecordType;
using Verdict = SubmissionFilter::Verdict;

constexpr RecordType kNull{};

TEST(SubmissionFilter, PassesAWholeMessage) {
  SubmissionFilter filter;
  EXPECT_EQ(filter.check(RecordType::attribute, "rewrite_context=local").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::full_name, "Joe").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::sender, "joe").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::verp, "+=").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::recipient, "ann").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::message, "").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::text, "Subject: x").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::text_part, "long").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::extracted, "").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::attribute, "notify_flags=2").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::recipient, "bob").value(), Verdict::keep);
  EXPECT_EQ(filter.check(RecordType::end, "").value(), Verdict::end);
  EXPECT_EQ(filter.sender(), "joe");
  EXPECT_TRUE(filter.has_recipient());
}

TEST(SubmissionFilter, RefusesRecordsThatOnlyTheMailSystemWrites) {
  for (RecordType type :
       {RecordType::size, RecordType::arrival_time, RecordType::create_time, RecordType::done,
        RecordType::original_recipient, RecordType::filter, RecordType::inspector, RecordType::redirect,
        RecordType::flags, RecordType::warn_time, RecordType::pointer, RecordType::padding,
        RecordType::killed, RecordType::dsn_original, RecordType::errors_to, RecordType::priority,
        RecordType::end, RecordType::text, kNull}) {
    SubmissionFilter filter;
    auto verdict = filter.check(type, "x");
    ASSERT_FALSE(verdict) << static_cast<int>(type);
    EXPECT_EQ(verdict.error().text, "unexpected record type: " + std::to_string(static_cast<int>(type)));
  }
}

TEST(SubmissionFilter, HoldsToTheOrderOfSegments) {
  SubmissionFilter filter;
  ASSERT_TRUE(filter.check(RecordType::sender, "joe"));
  ASSERT_TRUE(filter.check(RecordType::message, ""));
  EXPECT_FALSE(filter.check(RecordType::recipient, "in the content"));
  EXPECT_FALSE(filter.check(RecordType::end, "before the content has ended"));
  EXPECT_FALSE(filter.check(RecordType::attribute, "envelope_id=x"));
  ASSERT_TRUE(filter.check(RecordType::extracted, ""));
  EXPECT_FALSE(filter.check(RecordType::text, "after the content"));
  EXPECT_FALSE(filter.check(RecordType::message, ""));
}

TEST(SubmissionFilter, RefusesASecondSender) {
  SubmissionFilter filter;
  ASSERT_TRUE(filter.check(RecordType::sender, "allowed"));
  EXPECT_FALSE(filter.check(RecordType::sender, "forged"));
}

TEST(SubmissionFilter, DropsAttributesThatAreNobodysToSet) {
  SubmissionFilter filter;
  EXPECT_EQ(filter.check(RecordType::attribute, "log_client_address=192.0.2.1").value(), Verdict::drop);
  EXPECT_EQ(filter.warning(), "ignoring attribute record: log_client_address=192.0.2.1");
  EXPECT_EQ(filter.check(RecordType::attribute, "no value").value(), Verdict::drop);
  EXPECT_EQ(filter.warning(), "ignoring malformed record: missing '=' after attribute name: no value");
}

TEST(AllowedAttribute, ChecksValues) {
  EXPECT_TRUE(allowed_attribute("encoding", "8bit"));
  EXPECT_FALSE(allowed_attribute("encoding", "9bit"));
  EXPECT_TRUE(allowed_attribute("rewrite_context", "remote"));
  EXPECT_FALSE(allowed_attribute("rewrite_context", "elsewhere"));
  EXPECT_TRUE(allowed_attribute("notify_flags", "14"));
  EXPECT_FALSE(allowed_attribute("notify_flags", "16"));
  EXPECT_FALSE(allowed_attribute("notify_flags", "-1"));
  EXPECT_FALSE(allowed_attribute("ret_flags", "x"));
  EXPECT_TRUE(allowed_attribute("sendopts", "33"));
  EXPECT_FALSE(allowed_attribute("sendopts", "16"));
}

TEST(AllowedAttribute, KeepsUsersOutOfAddressVerification) {
  EXPECT_TRUE(allowed_attribute("trace_flags", "512"));
  EXPECT_TRUE(allowed_attribute("trace_flags", "1024"));
  EXPECT_FALSE(allowed_attribute("trace_flags", "256"));
  EXPECT_FALSE(allowed_attribute("trace_flags", "1280"));
}

}  // namespace
}  // namespace postrider::maildrop
