#include "checks/action.h"

#include <gtest/gtest.h>

#include "log/log.h"

namespace postrider::checks {
namespace {

class ActionTest : public testing::Test {
 protected:
  void SetUp() override {
    log::set_test_sink([this](log::Severity, std::string_view text) { log_ += std::string(text) + "\n"; });
  }
  void TearDown() override { log::set_test_sink(nullptr); }

  /// "verb/text", or the warning.
  std::string read(std::string_view value, Place place = Place::header,
                   Repertoire repertoire = Repertoire::messages) {
    log_.clear();
    Action action = parse_action(value, place, "header_checks", repertoire);
    if (!log_.empty() && action.verb == Verb::dunno) return log_.substr(0, log_.size() - 1);
    return std::string(action.log_word()) + "/" + action.text;
  }

  std::string log_;
};

TEST_F(ActionTest, VerbsInAnyCaseWithOptionalText) {
  EXPECT_EQ(read("warn  about it "), "warning/about it ");
  EXPECT_EQ(read("INFO"), "info/");
  EXPECT_EQ(read("strip\tbecause"), "strip/because");
  EXPECT_EQ(read("Ignore this"), "ignore/this");
  EXPECT_EQ(read("HOLD"), "hold/");
  EXPECT_EQ(read("DISCARD x"), "discard/x");
  EXPECT_EQ(read("PASS"), "pass/");
  EXPECT_EQ(read("DUNNO whatever"), "dunno/whatever");
  EXPECT_EQ(read("OK"), "dunno/");
}

TEST_F(ActionTest, RejectHasAStatusCode) {
  EXPECT_EQ(read("REJECT"), "reject/5.7.1 message content rejected");
  EXPECT_EQ(read("REJECT No thanks"), "reject/5.7.1 No thanks");
  EXPECT_EQ(read("REJECT 4.7.0 Later"), "reject/4.7.0 Later");
  EXPECT_EQ(read("REJECT 2.0.0 huh"), "reject/4.0.0 huh");
  EXPECT_EQ(log_, "bad DSN action in 2.0.0 huh -- need 4.x.x or 5.x.x\n");
}

TEST_F(ActionTest, HeadersMustBeHeaders) {
  EXPECT_EQ(read("PREPEND X: y"), "prepend/X: y");
  EXPECT_EQ(read("PREPEND"), "PREPEND action without text in header_checks map");
  EXPECT_EQ(read("replace y"),
            "bad REPLACE header text \"y\" in header_checks map -- need \"headername: headervalue\"");
  EXPECT_EQ(read("REPLACE y", Place::body), "replace/y");
}

TEST_F(ActionTest, DestinationsMustBeDestinations) {
  EXPECT_EQ(read("FILTER smtp:[x]"), "filter/smtp:[x]");
  EXPECT_EQ(read("FILTER"), "missing FILTER command argument in header_checks map");
  EXPECT_EQ(read("FILTER x"), "bad FILTER command x in header_checks -- need transport:destination");
  EXPECT_EQ(read("REDIRECT x@y"), "redirect/x@y");
  EXPECT_EQ(read("REDIRECT x"), "bad REDIRECT target \"x\" in header_checks map -- need user@domain");
  EXPECT_EQ(read("BCC x"), "bad BCC address \"x\" in header_checks map -- need user@domain");
}

TEST_F(ActionTest, AProgramThatOnlyPassesLinesOnKnowsFewerActions) {
  EXPECT_EQ(read("FROB x"), "unknown command in header_checks map: FROB x");
  EXPECT_EQ(read("REJECT no", Place::header, Repertoire::lines),
            "unsupported command in header_checks map: REJECT no");
  EXPECT_EQ(read("FROB x", Place::header, Repertoire::lines),
            "unsupported command in header_checks map: FROB x");
  EXPECT_EQ(read("REPLACE X: y", Place::header, Repertoire::lines), "replace/X: y");
}

}  // namespace
}  // namespace postrider::checks
