#include "dsn/expand.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/log.h"
#include "sys/file.h"

namespace postrider::dsn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExpandTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-dsn-XXXXXX";
    directory_ = mkdtemp(name);
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    (void)sys::unlink_file(directory_ + "/main.cf");
    (void)sys::remove_directory(directory_);
  }

  Expander expander(const std::string& main_cf) {
    EXPECT_TRUE(sys::replace_file(directory_ + "/main.cf",
                                  "myhostname = mx.site.test\nmydomain = site.test\n" + main_cf, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    return Expander(config::Config::load(options).value());
  }

  /// The expanded lines, or the error as the only one.
  std::vector<std::string> expand(std::vector<std::string> text, const std::string& main_cf = "") {
    Template source = built_in_template(TemplateKind::delay);
    source.origin = "t.cf";
    source.text = std::move(text);
    auto lines = expander(main_cf).expand(source);
    return lines ? *lines : std::vector{"error: " + lines.error().text};
  }

  std::string directory_;
  std::vector<std::string> log_;
};

TEST_F(ExpandTest, NamesOfMainCf) {
  EXPECT_THAT(expand({"at $myhostname ($mydomain) $$5", "${own?yes}${other:no} $(own)", " as\\is $mail_name"},
                     "own = $mydomain!\n"),
              ElementsAre("at mx.site.test (site.test) $5", "yesno site.test!", " as\\is Postrider"));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(ExpandTest, OwnNamesAreShownInUtf8) {
  const std::string main_cf =
      "compatibility_level = 3.6\nmyhostname = mx.xn--bcher-kva.test\nmydomain = xn--bcher-kva.test\n";
  EXPECT_THAT(expand({"$myhostname $mydomain"}, main_cf), ElementsAre("mx.b\xc3\xbc"
                                                                      "cher.test b\xc3\xbc"
                                                                      "cher.test"));
  EXPECT_THAT(expand({"$myhostname"}, main_cf + "smtputf8_enable = no\n"),
              ElementsAre("mx.xn--bcher-kva.test"));
}

TEST_F(ExpandTest, TimesWithUnits) {
  EXPECT_THAT(expand({"$delay_warning_time_minutes $delay_warning_time_hours ${maximal_queue_lifetime_days}",
                      "$maximal_queue_lifetime_weeks"},
                     "delay_warning_time = 4h\nmaximal_queue_lifetime = 2w\n"),
              ElementsAre("240 4 14", "2"));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(ExpandTest, OddTimesAreToldOf) {
  EXPECT_THAT(
      expand({"$delay_warning_time_hours $maximal_queue_lifetime_seconds"}, "delay_warning_time = 30m\n"),
      ElementsAre("0 432000"));
  EXPECT_THAT(
      log_,
      ElementsAre("t.cf: zero result in delay template conversion of parameter \"delay_warning_time_hours\"",
                  "please reduce time unit \"hours\" of \"delay_warning_time_hours\" in delay template",
                  "for instructions see the bounce(5) manual",
                  "t.cf: excessive result \"432000\" in delay template conversion of parameter "
                  "\"maximal_queue_lifetime_seconds\"",
                  "please increase time unit \"seconds\" of \"maximal_queue_lifetime_seconds\" in delay "
                  "template",
                  "for instructions see the bounce(5) manual"));
}

TEST_F(ExpandTest, ZeroForNeverIsNotOdd) {
  EXPECT_THAT(expand({"$delay_warning_time_hours"}, "delay_warning_time = 0\n"), ElementsAre("0"));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(ExpandTest, WhatCannotBeExpanded) {
  EXPECT_THAT(expand({"a $nosuch b"}),
              ElementsAre("error: t.cf: undefined $name in delay template: a $nosuch b"));
  EXPECT_THAT(
      expand({"$delay_warning_time_ages"}),
      ElementsAre("error: t.cf: unrecognized suffix \"ages\" in parameter \"delay_warning_time_ages\""));
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_THAT(expand({"${myhostname x"}),
              ElementsAre("error: t.cf: bad $name syntax in delay template: ${myhostname x"));
  EXPECT_THAT(log_, ElementsAre("truncated macro reference: \"${myhostname x\""));
}

TEST_F(ExpandTest, BuiltInTextsExpand) {
  Templates templates;
  auto shown = show_expanded(templates, expander(""));
  ASSERT_TRUE(shown) << shown.error().text;
  EXPECT_THAT(*shown, HasSubstr("expanded_failure_text = <<EOF\nThe mail system at mx.site.test could"));
  EXPECT_THAT(*shown, HasSubstr("EOF\n\nexpanded_verify_text = <<EOF\n"));
  EXPECT_TRUE(shown->ends_with("\nEOF\n"));
}

TEST_F(ExpandTest, SourceCanBeLoadedAgain) {
  Templates templates;
  ASSERT_TRUE(templates.load("t.cf", "failure_template = <<X\nSubject: s\n\na $$ $mydomain\nX\n"));
  std::string source = show_source(templates);
  EXPECT_THAT(
      source,
      HasSubstr(
          "Subject: s\nPostmaster-Subject: Postmaster Copy: Undelivered Mail\n\na $$ $mydomain\nEOF\n"));
  Templates again;
  ASSERT_TRUE(again.load("u.cf", source));
  EXPECT_EQ(show_source(again), source);
  EXPECT_THAT(log_, IsEmpty());
}

}  // namespace
}  // namespace postrider::dsn
