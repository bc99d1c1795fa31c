#include "table/match_list.h"

#include "support.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;
using Kind = MatchList::Kind;

class MatchListTest : public TableTest {
 protected:
  MatchList list(std::string_view value, Kind kind, bool parents = false) {
    auto made =
        MatchList::create(catalog_, "test_list", value, {.kind = kind, .parent_matches_subdomains = parents});
    EXPECT_TRUE(made) << made.error().text;
    return made ? std::move(*made) : MatchList();
  }
  static std::string show(const Result<MatchList::Decision>& decision) {
    if (!decision) return decision.error().text;
    return decision->matched ? "yes" : "no";
  }
  static std::string match(const MatchList& list, std::string_view subject) {
    return show(list.match(subject, Deadline::never()));
  }
  static std::string match(const MatchList& list, std::string_view name, std::string_view address) {
    return show(list.match(name, address, Deadline::never()));
  }
  /// "item/key" of what decided.
  static std::string reason(const MatchList& list, std::string_view subject) {
    auto decision = list.match(subject, Deadline::never());
    if (!decision || !decision->by) return "";
    return std::string(decision->by->source) + "/" + decision->by->key;
  }
  Catalog catalog_{options()};
};

TEST_F(MatchListTest, WordsMatchAsAWholeWithoutRegardToCase) {
  MatchList words = list("one, Two", Kind::text);
  EXPECT_EQ(match(words, "TWO"), "yes");
  EXPECT_EQ(match(words, "on"), "no");
  EXPECT_EQ(match(words, "x.one"), "no");
}

TEST_F(MatchListTest, TheFirstItemThatMatchesDecides) {
  MatchList domains = list("!a.example.com, example.com, b.example.com", Kind::domain, true);
  EXPECT_EQ(match(domains, "a.example.com"), "no");
  EXPECT_EQ(reason(domains, "a.example.com"), "!a.example.com/a.example.com");
  EXPECT_EQ(match(domains, "x.a.example.com"), "no");
  EXPECT_EQ(match(domains, "b.example.com"), "yes");
  EXPECT_EQ(reason(domains, "b.example.com"), "example.com/example.com");
  EXPECT_EQ(match(domains, "other.com"), "no");
  EXPECT_EQ(reason(domains, "other.com"), "");
}

TEST_F(MatchListTest, SubdomainsNeedADotUnlessParentsMatchThem) {
  MatchList plain = list("example.com, .example.net", Kind::domain, false);
  EXPECT_EQ(match(plain, "example.com"), "yes");
  EXPECT_EQ(match(plain, "a.example.com"), "no");
  EXPECT_EQ(match(plain, "a.b.example.net"), "yes");
  EXPECT_EQ(match(plain, "example.net"), "no");
  MatchList parents = list("example.com, .example.net", Kind::domain, true);
  EXPECT_EQ(match(parents, "a.b.example.com"), "yes");
  EXPECT_EQ(match(parents, "myexample.com"), "no");
  EXPECT_EQ(match(parents, "a.example.net"), "no");
}

TEST_F(MatchListTest, TablesAreAskedForParentDomains) {
  MatchList plain = list("inline:{.example.com=x}", Kind::domain, false);
  EXPECT_EQ(match(plain, "a.b.example.com"), "yes");
  EXPECT_EQ(reason(plain, "a.b.example.com"), "inline:{.example.com=x}/.example.com");
  EXPECT_EQ(match(plain, "example.com"), "no");
  EXPECT_EQ(match(list("inline:{example.com=x}", Kind::domain, true), "a.b.example.com"), "yes");
  EXPECT_EQ(match(list("inline:{example.com=x}", Kind::text), "a.b.example.com"), "no");
}

TEST_F(MatchListTest, ExclusionsComeBeforeTables) {
  MatchList domains = list("!inline:{a=x}, static:y", Kind::domain);
  EXPECT_EQ(match(domains, "a"), "no");
  EXPECT_EQ(match(domains, "b"), "yes");
  EXPECT_EQ(match(list("!!a", Kind::text), "a"), "yes");
}

TEST_F(MatchListTest, NetworksAndAddresses) {
  MatchList networks = list("!10.1.0.0/16, 10.0.0.0/8, 192.0.2.1, [2001:db8::]/32, [::1]", Kind::address);
  EXPECT_EQ(match(networks, "10.1.2.3"), "no");
  EXPECT_EQ(match(networks, "10.2.2.3"), "yes");
  EXPECT_EQ(match(networks, "192.0.2.1"), "yes");
  EXPECT_EQ(match(networks, "192.0.2.2"), "no");
  EXPECT_EQ(match(networks, "2001:DB8:0::5"), "yes");
  EXPECT_EQ(match(networks, "0:0::1"), "yes");
  EXPECT_EQ(match(networks, "unknown"), "no");
  EXPECT_EQ(reason(networks, "10.2.2.3"), "10.0.0.0/8/10.2.2.3");
}

TEST_F(MatchListTest, HostsMatchByNameOrAddress) {
  MatchList hosts = list("example.com, 192.0.2.0/24, !bad.example.net, .example.net", Kind::host);
  EXPECT_EQ(match(hosts, "example.com", "203.0.113.1"), "yes");
  EXPECT_EQ(match(hosts, "unknown", "192.0.2.5"), "yes");
  EXPECT_EQ(match(hosts, "bad.example.net", "203.0.113.1"), "no");
  EXPECT_EQ(match(hosts, "good.example.net", "203.0.113.1"), "yes");
  EXPECT_EQ(match(hosts, "bad.example.net", "192.0.2.5"), "yes");
}

TEST_F(MatchListTest, AMalformedNetworkIsAnErrorForAddressesOfItsFamily) {
  MatchList networks = list("192.0.2.0/24, 127.0.0.1/8, 203.0.113.0/24", Kind::address);
  std::string text =
      "test_list: non-null host address bits in \"127.0.0.1/8\", perhaps you should use \"127.0.0.0/8\" "
      "instead";
  EXPECT_EQ(match(networks, "192.0.2.1"), "yes");
  EXPECT_EQ(match(networks, "203.0.113.1"), text);
  EXPECT_THAT(logged(), ElementsAre(text));
  EXPECT_EQ(match(networks, "::1"), "no");
}

TEST_F(MatchListTest, ATableThatFailsMakesTheAnswerAnError) {
  MatchList domains = list("a, fail:x, b", Kind::domain);
  EXPECT_EQ(match(domains, "a"), "yes");
  EXPECT_EQ(match(domains, "b"), "test_list: fail:x: table lookup problem");
  EXPECT_THAT(logged(), ElementsAre("test_list: fail:x: table lookup problem"));
}

TEST_F(MatchListTest, FilesHoldLists) {
  std::string inner = write("inner", "c, d\n");
  std::string file = write("file", "# comment\na b\n!x\n" + inner + "\n");
  MatchList words = list(file + ", x", Kind::text);
  EXPECT_EQ(match(words, "b"), "yes");
  EXPECT_EQ(match(words, "d"), "yes");
  EXPECT_EQ(match(words, "x"), "no");
  EXPECT_EQ(match(list("!" + file + ", static:y", Kind::text), "a"), "no");
}

TEST_F(MatchListTest, AMissingFileIsAnErrorWhenItIsReached) {
  MatchList words = list("a, " + path("none"), Kind::text);
  std::string reason = "open file " + path("none") + ": No such file or directory";
  EXPECT_THAT(logged(), ElementsAre(reason));
  EXPECT_EQ(match(words, "a"), "yes");
  EXPECT_EQ(match(words, "b"), "test_list: non-existent:" + path("none") + ": table lookup problem");
  EXPECT_THAT(logged(), ElementsAre("non-existent:" + path("none") + " is unavailable. " + reason,
                                    "test_list: non-existent:" + path("none") + ": table lookup problem"));
}

TEST_F(MatchListTest, FilesWithinFilesHaveALimit) {
  std::string file = path("loop");
  write("loop", file + "\n");
  auto made = MatchList::create(catalog_, "test_list", file, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::limit);
}

TEST_F(MatchListTest, MistakesInTheList) {
  EXPECT_EQ(MatchList::create(catalog_, "test_list", "a, !", {}).error().text,
            "test_list: no pattern after '!'");
  EXPECT_EQ(MatchList::create(catalog_, "test_list", "::1", {.kind = Kind::address}).error().text,
            "open dictionary: expecting \"type:name\" form instead of \"::1\"");
  EXPECT_EQ(match(list("a # b", Kind::text), "b"), "no");
  EXPECT_THAT(logged(), ElementsAre("test_list: comment at end of line is not supported: # b"));
}

TEST_F(MatchListTest, LongListsKeepTheirOrder) {
  std::string value;
  for (int i = 0; i < 10'000; ++i)
    value += "d" + std::to_string(i) + ".example.com ";
  value += "!example.com, static:x";
  MatchList domains = list(value, Kind::domain, true);
  EXPECT_EQ(reason(domains, "a.d5000.example.com"), "d5000.example.com/d5000.example.com");
  EXPECT_EQ(match(domains, "other.example.com"), "no");
  EXPECT_EQ(match(domains, "other.com"), "yes");
}

}  // namespace
}  // namespace postrider::table
