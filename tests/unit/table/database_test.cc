#include "support.h"
#include "table/database_config.h"
#include "table/database_results.h"
#include "table/key_template.h"
#include "table/redis_protocol.h"
#include "table/server_list.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using Kind = KeyTemplate::Kind;

std::string query(std::string_view text, std::string_view key) {
  auto parsed = KeyTemplate::parse("t", text, Kind::query);
  if (!parsed) return parsed.error().text;
  auto quote = [](std::string_view part) { return "<" + std::string(part) + ">"; };
  return parsed->query(key, quote).value_or("(none)");
}

std::string result(std::string_view text, std::string_view value, std::string_view key) {
  auto parsed = KeyTemplate::parse("t", text, Kind::result);
  return parsed ? parsed->result(value, key).value_or("(none)") : parsed.error().text;
}

TEST(KeyTemplate, QueriesAskForPartsOfTheKey) {
  EXPECT_EQ(query("x %s %u %d %S %U %D %% y", "joe@a.b"),
            "x <joe@a.b> <joe> <a.b> <joe@a.b> <joe> <a.b> % y");
  EXPECT_EQ(query("%1 %2 %3", "joe@mail.example.com"), "<com> <example> <mail>");
}

TEST(KeyTemplate, KeysThatLackAPartAreNotAskedFor) {
  EXPECT_EQ(query("%u", "joe"), "<joe>");
  EXPECT_EQ(query("%d", "joe"), "(none)");
  EXPECT_EQ(query("%u", "@a.b"), "(none)");
  EXPECT_EQ(query("%s", "@a.b"), "<@a.b>");
  EXPECT_EQ(query("%3", "joe@a.b"), "(none)");
  EXPECT_EQ(query("%1", "joe"), "(none)");
}

TEST(KeyTemplate, ResultsHavePartsOfValueAndKey) {
  EXPECT_EQ(result("%s|%u|%d|%S|%U|%D|%1", "v@w", "joe@a.b"), "v@w|v|w|joe@a.b|joe|a.b|b");
  EXPECT_EQ(result("%u", "plain", "k"), "plain");
  EXPECT_EQ(result("%d", "plain", "k"), "(none)");
  EXPECT_EQ(result("%u", "@w", "k"), "(none)");
  EXPECT_EQ(result("%D", "v", "joe"), "(none)");
}

TEST(KeyTemplate, UnknownCodesAreMistakes) {
  EXPECT_EQ(query("a %x", "k"), "db_common_parse: t: Invalid query template: a %x");
  EXPECT_EQ(result("a %", "v", "k"), "db_common_parse: t: Invalid result template: a %");
  EXPECT_EQ(query("%0", "k"), "db_common_parse: t: Invalid query template: %0");
}

using DatabaseConfigs = TableTest;

TEST_F(DatabaseConfigs, FilesAreNotExpanded) {
  std::string file = write("x.cf", "a = $b\nnumber = 5\nflag = yes\n");
  auto config = DatabaseConfig::open(file, options());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->text("a"), "$b");
  EXPECT_EQ(config->text("none", "default"), "default");
  EXPECT_EQ(config->number("number", 1, 1, 0), 5);
  EXPECT_EQ(config->flag("flag", false), true);
}

TEST_F(DatabaseConfigs, ComplaintsNameFileAndParameter) {
  std::string file = write("x.cf", "n = z\nlow = 0\nf = maybe\n");
  auto config = DatabaseConfig::open(file, options());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->number("n", 1, 0, 0).error().text, file + ": bad numerical configuration: n = z");
  EXPECT_EQ(config->number("low", 1, 1, 0).error().text, file + ": invalid low parameter value 0 < 1");
  EXPECT_EQ(config->flag("f", true).error().text, file + ": bad boolean configuration: f = maybe");
  EXPECT_EQ(config->text_of_length("dbname", "", 1, 0).error().text,
            file + ": bad string length 0 < 1: dbname = ");
}

TEST_F(DatabaseConfigs, MainCfHasTheOldForm) {
  OpenOptions with = options();
  with.main_cf = [](std::string_view name) -> std::optional<std::string> {
    if (name == "foo_hosts") return "a b";
    return std::nullopt;
  };
  auto config = DatabaseConfig::open("foo", with);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->text("hosts"), "a b");
  EXPECT_EQ(config->text_of_length("dbname", "", 1, 0).error().text,
            "bad string length 0 < 1: foo_dbname = ");
}

TEST_F(DatabaseConfigs, ResultsAreJoinedAndCounted) {
  std::string file = write("x.cf", "expansion_limit = 2\n");
  auto config = DatabaseConfig::open(file, options());
  auto results = DatabaseResults::create("pgsql", file, *config, "<%s>", options());
  ASSERT_TRUE(results);
  DatabaseResults::Collector collector(*results, "k");
  EXPECT_TRUE(collector.add("a"));
  EXPECT_TRUE(collector.add(""));
  EXPECT_TRUE(collector.add("b"));
  EXPECT_FALSE(collector.add("c"));
  EXPECT_EQ(collector.take(), "<a>,<b>,<c>");
  EXPECT_THAT(logged(), ElementsAre(HasSubstr("empty lookup result for: \"k\" -- ignored")));
}

TEST_F(DatabaseConfigs, DomainSaysWhichKeysAreAskedFor) {
  std::string file = write("x.cf", "domain = a.test, inline:{b.test=x}\n");
  auto config = DatabaseConfig::open(file, options());
  auto results = DatabaseResults::create("pgsql", file, *config, "%s", options());
  ASSERT_TRUE(results);
  auto wants = [&](std::string_view key) { return results->wants(key, Deadline::never()).value(); };
  EXPECT_TRUE(wants("joe@A.test"));
  EXPECT_TRUE(wants("joe@b.test"));
  EXPECT_FALSE(wants("joe@c.test"));
  EXPECT_FALSE(wants("@a.test"));
  EXPECT_FALSE(wants("a.test"));
}

TEST(ServerList, ServersAreWrittenInManyWays) {
  EXPECT_EQ(parse_server("db.test:3307").server.host, "db.test");
  EXPECT_EQ(parse_server("inet:db.test:3307").server.port, 3307);
  EXPECT_EQ(parse_server("unix:/run/x.sock").server.path, "/run/x.sock");
  EXPECT_EQ(parse_server("[2001:db8::1]:5").server.host, "2001:db8::1");
  EXPECT_EQ(parse_server("postgresql://u@h/d").server.url, "postgresql://u@h/d");
  // The text that was parsed is the caller's and may go.
  auto entry = [] {
    std::string text = "db.test:3307";
    return parse_server(text);
  }();
  EXPECT_EQ(entry.shown, "db.test:3307");
}

TEST(ServerList, FailedServersAreLeftAloneAndSocketsComeFirst) {
  ServerList list({parse_server("a"), parse_server("b"), parse_server("unix:/c")}, seconds(60));
  EXPECT_EQ(list.order({false, false, false})[0], 2U);
  EXPECT_EQ(list.order({true, false, false})[0], 0U);
  list.failed(2);
  EXPECT_THAT(list.order({false, false, false}), UnorderedElementsAre(0U, 1U));
  list.worked(2);
  EXPECT_EQ(list.order({false, false, false}).size(), 3U);
}

TEST(ServerList, TheOnlyServerIsTriedAgainAtOnce) {
  ServerList list({parse_server("a")}, seconds(60));
  list.failed(0);
  EXPECT_THAT(list.order({false}), ElementsAre(0U));
}

TEST(Redis, RepliesAreParsed) {
  using Reply = driver::RedisReply::Kind;
  std::string_view input = "$5\r\nhello\r\n*2\r\n:7\r\n$-1\r\n-ERR no\r\n";
  auto first = parse_redis_reply(input);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->text, "hello");
  auto second = parse_redis_reply(input);
  ASSERT_TRUE(second && *second);
  ASSERT_EQ((*second)->items.size(), 2U);
  EXPECT_EQ((*second)->items[0].text, "7");
  EXPECT_EQ((*second)->items[1].kind, Reply::nil);
  auto third = parse_redis_reply(input);
  ASSERT_TRUE(third && *third);
  EXPECT_EQ((*third)->kind, Reply::error);
  EXPECT_TRUE(input.empty());
}

TEST(Redis, PartsOfRepliesWaitForMore) {
  for (std::string_view text : {"", "$5\r\nhel", "*2\r\n:1\r\n", "$5", "+OK\r"}) {
    std::string_view input = text;
    auto reply = parse_redis_reply(input);
    ASSERT_TRUE(reply) << text;
    EXPECT_FALSE(*reply) << text;
  }
}

TEST(Redis, OtherProtocolsAreRefused) {
  for (std::string_view text :
       {"HTTP/1.1 200\r\n", "$x\r\n", "$-2\r\n", "$9999999999\r\n", "*999999999\r\n", "\r\n"}) {
    std::string_view input = text;
    EXPECT_FALSE(parse_redis_reply(input)) << text;
  }
  std::string deep;
  for (int i = 0; i < 50; ++i)
    deep += "*1\r\n";
  std::string_view input = deep;
  EXPECT_FALSE(parse_redis_reply(input));
}

TEST(Redis, CommandsAndSlots) {
  EXPECT_EQ(redis_command({"GET", "a b"}), "*2\r\n$3\r\nGET\r\n$3\r\na b\r\n");
  EXPECT_EQ(redis_slot("123456789"), 0x31c3);
  EXPECT_EQ(redis_slot("{user}a"), redis_slot("{user}b"));
}

}  // namespace
}  // namespace postrider::table
