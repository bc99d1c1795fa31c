#include "table/maps.h"

#include "support.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;

class MapsTest : public TableTest {
 protected:
  Maps maps(std::string_view value, Use use = {}) {
    return Maps::create(catalog_, "test_maps", value, use).value();
  }
  static std::string find(const Maps& maps, std::string_view key, Where where = Where::all) {
    auto found = maps.find(key, where, Deadline::never());
    if (!found) return found.error().text;
    return *found ? (*found)->value : "(none)";
  }
  Catalog catalog_{options()};
};

TEST_F(MapsTest, TheFirstTableThatHasTheKeyAnswers) {
  Maps list = maps("inline:{a=1}, inline:{ {a = 2}, {b = 3} } static:{last one}");
  EXPECT_EQ(find(list, "a"), "1");
  EXPECT_EQ(find(list, "b"), "3");
  EXPECT_EQ(find(list, "c"), "last one");
}

TEST_F(MapsTest, AnAnswerTellsWhereItIsFrom) {
  Maps list = maps("inline:{a=1} inline:{b=2}");
  auto found = list.find("b", Where::all, Deadline::never());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->origin.parameter, "test_maps");
  EXPECT_EQ((*found)->origin.source, "inline:{b=2}");
  EXPECT_EQ((*found)->origin.key, "b");
}

TEST_F(MapsTest, NothingIsFoundForAnEmptyKeyOrWithoutTables) {
  EXPECT_EQ(find(maps("static:x"), ""), "(none)");
  EXPECT_EQ(find(maps(""), "a"), "(none)");
  EXPECT_TRUE(maps("").empty());
}

TEST_F(MapsTest, ATableThatFailsEndsTheSearch) {
  EXPECT_EQ(find(maps("fail:x static:y"), "a"),
            "fail:x lookup error for \"a\": table fail:x: query error: Application error");
  EXPECT_THAT(logged(), ElementsAre("fail:x lookup error for \"a\""));
}

TEST_F(MapsTest, AnEmptyValueIsAMistakeOfTheConfiguration) {
  auto found = maps("inline:{a=}").find("a", Where::all, Deadline::never());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::invalid);
  EXPECT_THAT(logged(), ElementsAre("test_maps lookup of a returns an empty string result",
                                    "test_maps should return NO RESULT in case of NOT FOUND"));
}

TEST_F(MapsTest, TablesOfRestrictionsAreCalledByTheirOwnNames) {
  auto named = [this](const char* parameter) {
    auto list = Maps::create(catalog_, parameter, "inline:{a=}").value();
    EXPECT_FALSE(list.find("a", Where::all, Deadline::never()));
    return logged().front();
  };
  EXPECT_EQ(named("check_sender_access"), "inline:{a=} lookup of a returns an empty string result");
  EXPECT_EQ(named("alias_maps"), "aliases lookup of a returns an empty string result");
}

TEST_F(MapsTest, AMissingTableIsLoggedOnceAndFailsEachLookup) {
  Maps list = maps("texthash:" + path("none"));
  maps("texthash:" + path("none"));
  std::string reason = "open database " + path("none") + ": No such file or directory";
  EXPECT_THAT(logged(), ElementsAre(reason));
  auto found = list.find("a", Where::all, Deadline::never());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::temporary);
  EXPECT_THAT(logged(), ElementsAre("texthash:" + path("none") + " is unavailable. " + reason,
                                    "texthash:" + path("none") + " lookup error for \"a\""));
}

TEST_F(MapsTest, TablesAreOpenedOnceForEachUse) {
  EXPECT_EQ(maps("static:x").tables()[0], maps("static:x").tables()[0]);
  EXPECT_NE(maps("static:x").tables()[0], maps("static:x", {.fold_fixed = false}).tables()[0]);
}

TEST_F(MapsTest, UnfoldedUseSeesTheKeyAsItIs) {
  EXPECT_EQ(find(maps("inline:{A=1}", {.fold_fixed = false}), "A"), "1");
  EXPECT_EQ(find(maps("inline:{A=1}", {.fold_fixed = false}), "a"), "(none)");
}

TEST_F(MapsTest, MalformedSpecificationsAreRefused) {
  EXPECT_EQ(Maps::create(catalog_, "p", "static:x foo").error().text,
            "open dictionary: expecting \"type:name\" form instead of \"foo\"");
}

TEST_F(MapsTest, FilesComeDecoded) {
  Maps list = maps("inline:{a=aGVsbG8=, b=%%%}");
  EXPECT_EQ((*list.find_file("a", Where::all, Deadline::never()))->value, "hello");
  EXPECT_FALSE(list.find_file("b", Where::all, Deadline::never()));
  EXPECT_THAT(logged(), ElementsAre("table inline:{a=aGVsbG8=, b=%%%}: key b: malformed BASE64 value: %%%"));
}

}  // namespace
}  // namespace postrider::table
