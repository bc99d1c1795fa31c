#include "support.h"

namespace postrider::table {
namespace {

using SimpleTables = TableTest;

TEST_F(SimpleTables, StaticAnswersEverything) {
  EXPECT_EQ(look_up("static:always", "anything"), "always");
  EXPECT_EQ(look_up("static:{two words}", "x"), "two words");
  EXPECT_EQ(look_up("static:{ padded  }", "x"), "padded");
}

TEST_F(SimpleTables, StaticRefusesUnbalancedBraces) {
  EXPECT_EQ(open_error("static:{a b}x"), "bad static:name syntax: syntax error after '}' in \"{a b}x\"");
  EXPECT_EQ(open_error("static:{a b"), "bad static:name syntax: missing '}' in \"{a b\"");
}

TEST_F(SimpleTables, InlineFindsWithoutRegardToCase) {
  EXPECT_EQ(look_up("inline:{a=1, {B = two words}}", "b"), "two words");
  EXPECT_EQ(look_up("inline:{a=1}", "A"), "1");
  EXPECT_EQ(look_up("inline:{a=1}", "zz"), "(none)");
  EXPECT_EQ(look_up("inline:{\u00c9=1}", "\u00e9"), "1");
}

TEST_F(SimpleTables, InlineKeepsQuotesAndInnerBraces) {
  EXPECT_EQ(look_up("inline:{ {\"a b\" = b c} }", "\"a b\""), "b c");
  EXPECT_EQ(look_up("inline:{ {x = {y} } }", "x"), "{y}");
}

TEST_F(SimpleTables, InlineLastOfEqualKeysWins) {
  EXPECT_EQ(look_up("inline:{a=1,a=2}", "a"), "2");
}

TEST_F(SimpleTables, InlineSaysWhatIsWrong) {
  EXPECT_EQ(open_error("inline:{}"), "bad syntax: \"inline:{}\"; need \"inline:{name=value...}\"");
  EXPECT_EQ(open_error("inline:{bad"), "bad syntax: \"inline:{bad\"; need \"inline:{name=value...}\"");
  EXPECT_EQ(open_error("inline:{a=b} "), "bad syntax: \"inline:{a=b} \"; need \"inline:{name=value...}\"");
  EXPECT_EQ(open_error("inline:{a}"),
            "missing '=' after attribute name: \"inline:{a}\"; need \"inline:{name=value...}\"");
  EXPECT_EQ(open_error("inline:{ {} }"),
            "no key found; expected format: key = value: \"inline:{ {} }\"; need \"inline:{name=value...}\"");
  EXPECT_EQ(
      open_error("inline:{ {a = b}c }"),
      "syntax error after '}' in \"{a = b}c\": \"inline:{ {a = b}c }\"; need \"inline:{name=value...}\"");
  EXPECT_EQ(open_error("inline:{a=\xc3}"),
            "bad UTF-8 syntax: \"inline:{a=?}\"; need \"inline:{name=value...}\"");
}

TEST_F(SimpleTables, InlineCanBeListed) {
  auto table = open_table("inline:{b=1, a=2}");
  EXPECT_EQ(all_entries(*table), (std::vector<Entry>{{"b", "1"}, {"a", "2"}}));
}

TEST_F(SimpleTables, FailAlwaysFails) {
  EXPECT_EQ(look_up("fail:oops", "x"), "table fail:oops: query error: Application error");
  auto builder = create("fail:oops", 0644, options());
  ASSERT_TRUE(builder);
  EXPECT_EQ((*builder)->add("a", "b").error().text, "table fail:oops: write error: Application error");
}

TEST_F(SimpleTables, ValuesThatAreFilesBecomeBase64) {
  std::string one = write("one", "hello"), two = write("two", "world");
  OpenOptions with = options();
  with.values_are_files = true;
  auto table = open("inline:{ {a = " + one + ", " + two + "} }", with);
  ASSERT_TRUE(table) << table.error().text;
  EXPECT_EQ(look_up(**table, "a"), "aGVsbG8Kd29ybGQ=");
}

TEST_F(SimpleTables, MalformedKeysAreNotFoundAndMalformedValuesAreErrors) {
  auto table = open_table("inline:{a=1}");
  EXPECT_EQ(look_up(*table, "\xc3"), "(none)");
  EXPECT_THAT(logged(), testing::ElementsAre(
                            "inline:{a=1}: non-UTF-8 key \"?\": malformed UTF-8 or invalid codepoint"));
  EXPECT_EQ(look_up("static:\xc3", "k"), "table static:?: query error");
  EXPECT_THAT(logged(), testing::ElementsAre("static:?: key \"k\": non-UTF-8 value \"?\": malformed UTF-8 or "
                                             "invalid codepoint"));
}

TEST_F(SimpleTables, OpenRefusesWhatIsNoTable) {
  EXPECT_EQ(open_error("foo"), "open dictionary: expecting \"type:name\" form instead of \"foo\"");
  EXPECT_EQ(open_error("foo:"), "open dictionary: expecting \"type:name\" form instead of \"foo:\"");
  EXPECT_EQ(open_error(":bar"), "open dictionary: expecting \"type:name\" form instead of \":bar\"");
  EXPECT_EQ(open_error("nosuch:x"), "unsupported dictionary type: nosuch");
}

TEST_F(SimpleTables, CreateRefusesWhatIsNotBuiltFromASource) {
  EXPECT_EQ(create("nosuch:x", 0644, options()).error().text,
            "unsupported dictionary type: nosuch. Is the postfix-nosuch package installed?");
  EXPECT_EQ(create("texthash:x", 0644, options()).error().text,
            "unsupported dictionary type: texthash does not support bulk-mode creation.");
}

TEST_F(SimpleTables, OtherTypesCanBeRegistered) {
  register_type({"echo",
                 [](std::string_view name, const OpenOptions& with) {
                   return open("static:" + std::string(name), with);
                 },
                 nullptr, nullptr});
  EXPECT_TRUE(is_known_type("echo"));
  EXPECT_EQ(look_up("echo:hello", "x"), "hello");
  EXPECT_THAT(type_names(), testing::Contains("echo"));
}

TEST_F(SimpleTables, SurrogateFailsAndTellsWhy) {
  auto table = open_or_surrogate("texthash:" + path("none"), options());
  std::string reason = "open database " + path("none") + ": No such file or directory";
  EXPECT_THAT(logged(), testing::ElementsAre(reason));
  EXPECT_EQ(look_up(*table, "x"), "texthash:" + path("none") + " is unavailable. " + reason);
  EXPECT_THAT(logged(), testing::ElementsAre("texthash:" + path("none") + " is unavailable. " + reason));
}

TEST_F(SimpleTables, RequiredPathsNameFilesOnly) {
  EXPECT_THAT(required_paths("hash:/x"), testing::ElementsAre(RequiredPath{"/x.db"}, RequiredPath{"/x"}));
  EXPECT_THAT(required_paths("texthash:/x"), testing::ElementsAre(RequiredPath{"/x"}));
  EXPECT_THAT(required_paths("static:/x"), testing::IsEmpty());
}

}  // namespace
}  // namespace postrider::table
