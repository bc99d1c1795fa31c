#include "table/address_find.h"

#include "support.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;

/// Remembers what it is asked for.
class Recorder : public Table {
 public:
  Recorder(std::string_view name, bool patterns, std::vector<std::string>* asked)
      : Table("recorder", name, {}, {}), patterns_(patterns), asked_(asked) {}
  bool matches_patterns() const override { return patterns_; }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline) override {
    asked_->emplace_back(key);
    if (key == name()) return "found";
    return std::nullopt;
  }

 private:
  bool patterns_;
  std::vector<std::string>* asked_;
};

class AddressFind : public TableTest {
 protected:
  void SetUp() override {
    TableTest::SetUp();
    for (bool patterns : {false, true}) {
      register_type({patterns ? "patterns" : "keys",
                     [this, patterns](std::string_view name, const OpenOptions&) {
                       return std::make_shared<Recorder>(name, patterns, &asked_);
                     },
                     nullptr, nullptr});
    }
    context_.extensions.delimiters = "+";
    context_.is_local = [](std::string_view domain, Deadline) -> Result<bool> {
      return domain == "local.test";
    };
  }

  /// The keys asked for when the table has `key` only.
  std::vector<std::string> keys(std::string_view address, const AddressSearch& search,
                                const std::string& key = "none", const std::string& type = "keys") {
    Catalog catalog(options());
    Maps maps = Maps::create(catalog, "p", type + ":" + key).value();
    asked_.clear();
    match_ = find_address(maps, address, search, context_, Deadline::never());
    return asked_;
  }

  AddressContext context_;
  std::vector<std::string> asked_;
  Result<std::optional<AddressMatch>> match_;
};

TEST_F(AddressFind, AsksInTheOrderOfCanonical) {
  EXPECT_THAT(keys("user+ext@local.test", {}),
              ElementsAre("user+ext@local.test", "user@local.test", "user+ext", "user", "@local.test"));
  EXPECT_THAT(keys("user+ext@else.test", {}),
              ElementsAre("user+ext@else.test", "user@else.test", "@else.test"));
  EXPECT_THAT(keys("user@else.test", {}), ElementsAre("user@else.test", "@else.test"));
}

TEST_F(AddressFind, AsksInTheOrderOfAccess) {
  AddressSearch access{.localpart_if_local = false, .at_domain = false, .domain = true, .localpart_at = true};
  access.parents = AddressSearch::Parents::plain;
  EXPECT_THAT(keys("user+ext@a.b.test", access), ElementsAre("user+ext@a.b.test", "user@a.b.test", "a.b.test",
                                                             "b.test", "test", "user+ext@", "user@"));
  access.parents = AddressSearch::Parents::with_dot;
  EXPECT_THAT(keys("user@a.b.test", access),
              ElementsAre("user@a.b.test", "a.b.test", ".b.test", ".test", "user@"));
  access.parents = AddressSearch::Parents::none;
  EXPECT_THAT(keys("user@a.b.test", access), ElementsAre("user@a.b.test", "a.b.test", "user@"));
}

TEST_F(AddressFind, PatternTablesSeeTheFullAddressOnly) {
  EXPECT_THAT(keys("user+ext@local.test", {}, "none", "patterns"), ElementsAre("user+ext@local.test"));
}

TEST_F(AddressFind, TellsTheExtensionThatWasLeftOut) {
  keys("user+ext@else.test", {}, "user@else.test");
  ASSERT_TRUE(match_ && *match_);
  EXPECT_EQ((*match_)->extension, "+ext");
  EXPECT_EQ((*match_)->origin.key, "user@else.test");
  keys("user+ext@local.test", {}, "user");
  EXPECT_EQ((*match_)->extension, "+ext");
  keys("user+ext@local.test", {}, "user+ext");
  EXPECT_EQ((*match_)->extension, "");
  keys("user+ext@else.test", {}, "@else.test");
  EXPECT_EQ((*match_)->extension, "");
}

TEST_F(AddressFind, KeysAreTriedInTheFormOfTheTableAndAsTheyAre) {
  context_.key_form = [](std::string_view key) { return "<" + std::string(key) + ">"; };
  EXPECT_THAT(keys("a@local.test", {}),
              ElementsAre("<a@local.test>", "a@local.test", "<a>", "a", "@local.test"));
}

TEST_F(AddressFind, LocalpartsHaveAFormOfTheirOwn) {
  context_.key_form = [](std::string_view key) { return "<" + std::string(key) + ">"; };
  context_.localpart_form = [](std::string_view key) { return "[" + std::string(key) + "]"; };
  context_.as_is_too = false;
  EXPECT_THAT(keys("a+x@local.test", {}),
              ElementsAre("<a+x@local.test>", "<a@local.test>", "[a+x]", "[a]", "@local.test"));
}

TEST_F(AddressFind, AddressesWithoutDomain) {
  EXPECT_THAT(keys("user+x", {}), ElementsAre("user+x", "user"));
}

TEST_F(AddressFind, AnErrorEndsTheSearch) {
  Catalog catalog(options());
  Maps maps = Maps::create(catalog, "p", "fail:x").value();
  EXPECT_FALSE(find_address(maps, "a@b.test", {}, context_, Deadline::never()));
  context_.is_local = [](std::string_view, Deadline) -> Result<bool> {
    return fail(ErrorKind::temporary, "no");
  };
  keys("a@b.test", {});
  ASSERT_FALSE(match_);
  EXPECT_EQ(match_.error().text, "no");
}

}  // namespace
}  // namespace postrider::table
