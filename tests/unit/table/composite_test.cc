#include "support.h"

namespace postrider::table {
namespace {

using Composite = TableTest;

TEST_F(Composite, UnionJoinsTheValuesOfAllTables) {
  EXPECT_EQ(look_up("unionmap:{inline:{a=1}, static:2, inline:{b=3}}", "a"), "1,2");
  EXPECT_EQ(look_up("unionmap:{inline:{a=1}, inline:{a=2}}", "b"), "(none)");
  EXPECT_EQ(look_up("unionmap:{static:{}, static:{}}", "a"), "(none)");
}

TEST_F(Composite, PipeAsksEachTableForTheValueBefore) {
  EXPECT_EQ(look_up("pipemap:{inline:{a=b}, inline:{b=c}, regexp:{{/c/ d}}}", "A"), "d");
  EXPECT_EQ(look_up("pipemap:{inline:{a=b}, inline:{x=c}}", "a"), "(none)");
}

TEST_F(Composite, RandomChoosesAmongItsValues) {
  EXPECT_EQ(look_up("randmap:{only, only}", "x"), "only");
  EXPECT_EQ(look_up("randmap:{{a b}}", "x"), "{a b}");
}

TEST_F(Composite, ErrorsOfPartsAreErrorsOfTheWhole) {
  EXPECT_EQ(look_up("unionmap:{inline:{a=1},fail:x}", "a"),
            "table unionmap:{inline:{a=1},fail:x}: query error: Application error");
  EXPECT_EQ(look_up("pipemap:{fail:x,inline:{a=1}}", "a"),
            "table pipemap:{fail:x,inline:{a=1}}: query error: Application error");
}

TEST_F(Composite, SaysWhatIsNeeded) {
  EXPECT_EQ(open_error("unionmap:{}"), "bad syntax: \"unionmap:{}\"; need \"unionmap:{type:name...}\"");
  EXPECT_EQ(open_error("pipemap:{x}"), "bad syntax: \"pipemap:{x}\"; need \"pipemap:{type:name...}\"");
  EXPECT_EQ(open_error("randmap:x"), "bad syntax: \"randmap:x\"; need \"randmap:{value...}\"");
  EXPECT_EQ(open_error("unionmap:{nosuch:x}"), "unsupported dictionary type: nosuch");
}

TEST_F(Composite, NestingHasALimit) {
  std::string spec = "static:x";
  for (int i = 0; i < 100; ++i)
    spec = "unionmap:{" + spec + "}";
  EXPECT_THAT(open_error(spec), testing::HasSubstr("bad syntax"));
  EXPECT_NO_FATAL_FAILURE(required_paths(spec));
}

TEST_F(Composite, OnlyPatternsInsideMeanWholeKeysOnly) {
  EXPECT_TRUE(open_table("unionmap:{regexp:{{/x/ y}}}")->matches_patterns());
  EXPECT_FALSE(open_table("unionmap:{regexp:{{/x/ y}}, inline:{a=b}}")->matches_patterns());
  EXPECT_TRUE(open_table("pipemap:{regexp:{{/x/ y}}, inline:{a=b}}")->matches_patterns());
}

TEST_F(Composite, TheLeastTrustedPartDecidesWhoOwnsTheWhole) {
  EXPECT_EQ(open_table("unionmap:{static:x, inline:{a=b}}")->owner().trust, Owner::Trust::trusted);
  EXPECT_EQ(open_table("unionmap:{static:x, fail:y}")->owner().trust, Owner::Trust::trusted);
  EXPECT_EQ(open_table("unionmap:{static:x, tcp:127.0.0.1:1}")->owner().trust, Owner::Trust::unknown);
}

TEST_F(Composite, DebugLogsQuestionsAndAnswers) {
  auto table = open_table("debug:inline:{a=b}");
  EXPECT_EQ(look_up(*table, "a"), "b");
  EXPECT_EQ(look_up(*table, "z"), "(none)");
  EXPECT_THAT(logged(), testing::ElementsAre("inline:{a=b} lookup: \"a\" = \"b\"",
                                             "inline:{a=b} lookup: \"z\" = \"not_found\""));
}

TEST_F(Composite, TypesThatThereAreNotSayWhy) {
  EXPECT_THAT(open_error("dbm:x"), testing::StartsWith("unsupported dictionary type: dbm: "));
  EXPECT_THAT(open_error("mongodb:x"), testing::StartsWith("unsupported dictionary type: mongodb: "));
}

TEST_F(Composite, EnvironReadsTheEnvironment) {
  setenv("postrider_test", "value", 1);
  EXPECT_EQ(look_up("environ:x", "POSTRIDER_TEST"), "value");  // Keys are folded.
  EXPECT_EQ(look_up("environ:x", "postrider_no_such"), "(none)");
}

}  // namespace
}  // namespace postrider::table
