#include "dsn/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log.h"

namespace postrider::dsn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TemplateTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
  }
  void TearDown() override { log::set_test_sink(nullptr); }

  /// What loading says in the end; empty: nothing.
  std::string load(std::string_view text) {
    auto loaded = templates_.load("t.cf", text);
    return loaded ? "" : loaded.error().text;
  }
  const Template& failure() { return templates_.get(TemplateKind::failure); }

  Templates templates_;
  std::vector<std::string> log_;
};

TEST_F(TemplateTest, WhatTheFileDoesNotSayIsBuiltIn) {
  EXPECT_EQ(load("# comment\n\n  \ndelay_template = <<EOF\nSubject: Late\n\nText\n  more\nEOF\n"), "");
  const Template& delay = templates_.get(TemplateKind::delay);
  EXPECT_EQ(delay.subject, "Late");
  EXPECT_EQ(delay.from, built_in_template(TemplateKind::delay).from);
  EXPECT_EQ(delay.postmaster_subject, "Postmaster Warning: Delayed Mail");
  EXPECT_THAT(delay.text, ElementsAre("Text", "  more"));
  EXPECT_EQ(failure().text, built_in_template(TemplateKind::failure).text);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(TemplateTest, HeadersInAnySpelling) {
  EXPECT_EQ(load("failure_template = << END OF IT\nCHARSET : utf-8\nfrom:\tA <b>\nSubject: s "
                 "\nPostmaster-subject:p\n\n\n"
                 "\xc3\xbc\n\nEND OF IT\n"),
            "");
  EXPECT_EQ(failure().charset, "utf-8");
  EXPECT_EQ(failure().from, "A <b>");
  EXPECT_EQ(failure().subject, "s ");
  EXPECT_EQ(failure().postmaster_subject, "p");
  EXPECT_TRUE(failure().eight_bit);
  EXPECT_THAT(failure().text, ElementsAre("\xc3\xbc", ""));
}

TEST_F(TemplateTest, TextWithoutHeader) {
  EXPECT_EQ(load("failure_template = <<EOF\nno header here\nEOF\n"), "");
  EXPECT_THAT(failure().text, ElementsAre("no header here"));
}

TEST_F(TemplateTest, TheLastOfOneNameCounts) {
  EXPECT_EQ(load("failure_template = <<EOF\na\nEOF\nfailure_template = <<EOF\nb\nEOF\n"), "");
  EXPECT_THAT(failure().text, ElementsAre("b"));
}

TEST_F(TemplateTest, UnusableTemplatesAreLeftOut) {
  const std::pair<const char*, const char*> cases[] = {
      {"EOF", "t.cf: missing message text in failure template -- ignoring this template"},
      {"Subject: x\n\nEOF", "t.cf: missing message text in failure template -- ignoring this template"},
      {"Subject:\n\nx\nEOF",
       "t.cf: empty \"Subject\" header value in failure template -- ignoring this template"},
      {"Subject: \xc3\xbc\n\nx\nEOF",
       "t.cf: non-ASCII \"Subject\" header value in failure template -- ignoring this template"},
      {"Foo: bar\n\nx\nEOF",
       "t.cf: unknown \"Foo\" header label in failure template -- ignoring this template"},
  };
  for (auto [text, warning] : cases) {
    log_.clear();
    EXPECT_EQ(load(std::string("failure_template = <<EOF\n") + text + "\n"), "");
    EXPECT_THAT(log_, IsEmpty()) << "Only what is used is looked at.";
    EXPECT_EQ(failure().origin, "[built-in]");
    (void)failure();
    EXPECT_THAT(log_, ElementsAre(warning));
  }
}

TEST_F(TemplateTest, PostmasterSubjectWhereThereAreNoCopies) {
  EXPECT_EQ(load("verify_template = <<EOF\nPostmaster-Subject: x\n\nx\nEOF\n"), "");
  EXPECT_EQ(templates_.get(TemplateKind::verify).origin, "[built-in]");
  EXPECT_THAT(
      log_,
      ElementsAre("t.cf: inapplicable \"Postmaster-Subject\" header label in verify template -- ignoring "
                  "this template"));
}

TEST_F(TemplateTest, EightBitTextNeedsACharset) {
  EXPECT_EQ(load("failure_template = <<EOF\n\n\xc3\xbc\nEOF\n"), "");
  EXPECT_EQ(failure().origin, "[built-in]");
  EXPECT_THAT(log_, ElementsAre("t.cf: 8-bit message text in failure template",
                                "please specify a charset value other than us-ascii",
                                "-- ignoring this template for now"));
}

TEST_F(TemplateTest, OddFilesAreToldOf) {
  EXPECT_EQ(load("other_template = x\nfailure_template = <<EOF\n\nx"), "");
  EXPECT_THAT(log_,
              ElementsAre("t.cf, line 1: unknown template name: other_template -- ignoring this template",
                          "t.cf, line 4: missing \"EOF\" end marker"));
  EXPECT_THAT(failure().text, ElementsAre("x"));
}

TEST_F(TemplateTest, BrokenFilesAreRefused) {
  EXPECT_EQ(load("failure_template\n"),
            "t.cf, line 1: missing '=' after attribute name: \"failure_template\"");
  EXPECT_EQ(load("\nfoo bar = x\n"), "t.cf, line 2: missing '=' after attribute name: \"foo bar = x\"");
  EXPECT_EQ(load("= x\n"), "t.cf, line 1: missing attribute name: \"= x\"");
  EXPECT_EQ(load("failure_template = <<\n"), "t.cf, line 1: missing end marker after <<");
  EXPECT_EQ(load("failure_template = <<'EOF'\n"), "t.cf, line 1: malformed end marker after <<");
}

}  // namespace
}  // namespace postrider::dsn
