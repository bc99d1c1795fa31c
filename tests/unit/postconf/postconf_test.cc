#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/postconf/database.h"
#include "tools/postconf/master_file.h"
#include "tools/postconf/options.h"
#include "tools/postconf/order.h"
#include "tools/postconf/print.h"

namespace postrider::postconf {
namespace {

using testing::ElementsAre;

Result<Options> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "postconf");
  std::vector<char*> argv;
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  optind = 0;  // Starts getopt() anew.
  return parse_options(static_cast<int>(words.size()), argv.data());
}
std::string error_of(std::vector<std::string> words) {
  auto options = parse(std::move(words));
  return options ? "no error" : options.error().text;
}

TEST(PostconfOptions, ContradictionsAreNamed) {
  EXPECT_EQ(error_of({"-d", "-n"}), "specify one of -d -n");
  EXPECT_EQ(error_of({"-n", "-e", "a=b"}), "specify one of -e -n");
  EXPECT_EQ(error_of({"-MF"}), "specify one of -F -M");
  EXPECT_EQ(error_of({"-Mn"}), "with option -M, do not specify -n");
  EXPECT_EQ(error_of({"-m", "-x"}), "with option -m, do not specify -x");
  EXPECT_EQ(error_of({"-h", "-H"}), "specify one of -h -H");
  EXPECT_EQ(error_of({"-X", "-#", "a"}), "specify one of -X -#");
  EXPECT_EQ(error_of({"-o", "a=b", "-d"}), "specify one of -d -o");
  EXPECT_EQ(error_of({"-C", "foo"}), "unknown -C option value \"foo\" in \"foo\"");
  EXPECT_EQ(error_of({"-o", "a b"}), "invalid parameter override: a b: missing '=' after attribute name");
}

TEST(PostconfOptions, AnAssignmentMeansEditing) {
  EXPECT_EQ(parse({"a=b"})->edit, Edit::set);
  EXPECT_EQ(parse({"name", "a=b"})->edit, Edit::none);
  EXPECT_EQ(error_of({"-X", "a=b"}), "specify one of -e -X");
  EXPECT_EQ(parse({"-m", "a=b"})->edit, Edit::none);
}

TEST(PostconfOptions, ClassesLimitWhatIsListed) {
  auto options = parse({"-C", "user,Service"});
  EXPECT_FALSE(options->builtin);
  EXPECT_TRUE(options->service);
  EXPECT_TRUE(options->user);
  EXPECT_TRUE(parse({"-PP"})->all_of_master);
}

TEST(PostconfPrint, ValuesAreFoldedAtSpaces) {
  Options options;
  EXPECT_EQ(format_value(options, "a", " b   c\td "), "a = b c d\n");
  EXPECT_EQ(format_value(options, "a", ""), "a =\n");
  options.fold = true;
  EXPECT_EQ(format_value(
                options, "smtpd_recipient_restrictions",
                "permit_mynetworks, reject_unauth_destination, check_recipient_access hash:/etc/postfix/x"),
            "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination,\n"
            "    check_recipient_access hash:/etc/postfix/x\n");
  options.hide_name = true;
  EXPECT_EQ(format_value(options, "a", "b"), "b\n");
}

TEST(PostconfPrint, JsonIsQuoted) {
  EXPECT_EQ(format_json("a", "say \"x\\y\" \x01"), "{\"a\": \"say \\\"x\\\\y\\\" \\u0001\"}\n");
}

MasterEntry entry(std::string_view text) {
  std::vector<std::string> warnings;
  auto parsed = parse_entry(text, warnings);
  if (!parsed) throw std::runtime_error(parsed.error().text);
  return *parsed;
}

TEST(PostconfMaster, EntriesAreShownAsPostfixDoes) {
  EXPECT_EQ(entry("a inet n - n - - smtpd -o { x = 1 2 } { a b } { c d } {}")
                .command_line(false, 0, Braces::as_postfix),
            "smtpd -o {x=1 2} a b {c d} ");
}

TEST(PostconfMaster, EntriesAreWrittenInColumns) {
  EXPECT_EQ(entry_text(entry("smtp inet n - n - - smtpd"), false, Braces::needed),
            "smtp       inet  n       -       n       -       -       smtpd");
  EXPECT_EQ(
      entry_text(entry("127.0.0.1:10025 inet n - n - 10 smtpd -o content_filter= -v"), true, Braces::needed),
      "127.0.0.1:10025 inet n   -       n       -       10      smtpd\n    -o content_filter=\n    -v");
  EXPECT_EQ(entry_text(entry("c inet n - n - - smtpd -v -o a=b -D -v"), true, Braces::needed),
            "c          inet  n       -       n       -       -       smtpd -v\n    -o a=b\n    -D -v");
  EXPECT_EQ(
      entry_text(entry("e unix - n n - - spawn user=foo argv=/usr/bin/perl -w /usr/lib/policyd-spf-perl --x"),
                 true, Braces::needed),
      "e          unix  -       n       n       -       -       spawn user=foo\n"
      "    argv=/usr/bin/perl -w /usr/lib/policyd-spf-perl --x");
}

TEST(PostconfMaster, ArgumentsKeepTheirMeaning) {
  EXPECT_EQ(
      entry("a inet n - n - - smtpd -o { x = 1 2 } -o {y=3} { p q }").command_line(false, 0, Braces::needed),
      "smtpd -o {x=1 2} -o y=3 {p q}");
}

TEST(PostconfMaster, JoinedOptionsAreSeparated) {
  MasterEntry found = entry("a inet n - n - - smtpd -vomyorigin=x -obiff=no -- -o y=z");
  EXPECT_EQ(found.command_line(false, 0, Braces::needed), "smtpd -v -o myorigin=x -o biff=no -- -o y=z");
  EXPECT_EQ(found.overrides.size(), 2U);
}

TEST(PostconfMaster, EntriesOfOneServiceShareTheirParameters) {
  std::vector<std::string> warnings;
  auto entries = parse_entries(
      "a unix - - - - - x\na unix - - - - - x -o b=1\na inet n - - - - x\na unix - - - - - x -o c=2\n",
      "master.cf", warnings);
  ASSERT_TRUE(entries);
  EXPECT_EQ((*entries)[0].overrides.size(), 0U);
  EXPECT_EQ((*entries)[1].overrides.size(), 2U);
  EXPECT_EQ((*entries)[2].overrides.size(), 0U);
  EXPECT_EQ((*entries)[3].overrides.size(), 2U);
}

TEST(PostconfMaster, UnclosedBraceLosesTheBraceOnly) {
  std::vector<std::string> warnings;
  auto found = parse_entry("a inet n - n - - smtpd -o {b=${c", warnings);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->overrides.at("b"), "${c");
  EXPECT_EQ(warnings, std::vector<std::string>{"master.cf: missing '}' in \"{b=${c\""});
}

TEST(PostconfMaster, OverridesAreThoseOfLeadingOptions) {
  MasterEntry parsed = entry("d inet n - n - - smtpd -D -o a=b -oc=d x -o e=f");
  EXPECT_THAT(parsed.overrides, ElementsAre(testing::Pair("a", "b"), testing::Pair("c", "d")));
}

TEST(PostconfMaster, BadFieldsAreErrors) {
  std::vector<std::string> warnings;
  EXPECT_EQ(parse_entry("smtp inet n - n - -", warnings).error().text, "bad field count");
  EXPECT_EQ(parse_entry("smtp bar n - n - - smtpd", warnings).error().text,
            "invalid type field \"bar\" in \"smtp bar n - n - - smtpd\"");
  EXPECT_EQ(check_field(5, "3x", "3x").error().text, "invalid wakeup field \"3x\" in \"3x\"");
  EXPECT_TRUE(check_field(5, "300?", ""));
  EXPECT_FALSE(check_field(7, "", ""));
}

/// What visit_databases() finds, in one line.
std::string found_in(std::string_view list) {
  std::string found;
  auto add = [&found](std::string_view mark, std::string_view text) {
    found += (found.empty() ? "" : " ") + std::string(mark) + std::string(text);
  };
  visit_databases(list, {.table = [&](auto type, auto name) { add(type, ":" + std::string(name)); },
                         .problem = [&](auto problem) { add("!", problem); },
                         .comment = [&](auto word, auto rest) { add(word, "|" + std::string(rest)); }});
  return found;
}

TEST(PostconfDatabase, TablesAreFoundInLists) {
  EXPECT_EQ(found_in("hash:/x, proxy:ldap:accounts mysql:/etc/y.cf pcre:z"), "ldap:accounts mysql:/etc/y.cf");
}

TEST(PostconfDatabase, TablesAreFoundInsideOfOthers) {
  EXPECT_EQ(found_in("unionmap:{ldap:a, {mysql:b}} x { pgsql:c } pipemap:{ proxy:sqlite:d }"),
            "ldap:a mysql:b pgsql:c sqlite:d");
}

TEST(PostconfDatabase, BracesThatDoNotMatchAreReported) {
  EXPECT_EQ(found_in("pipemap:{ldap:a}x"), "!syntax error after '}' in \"{ldap:a}x\" ldap:a");
  EXPECT_EQ(found_in("pipemap:{ldap:a"), "!missing '}' in \"{ldap:a\" ldap:a");
}

TEST(PostconfDatabase, CommentsAreReportedOncePerList) {
  EXPECT_EQ(found_in("a #b c #d"), "#b|c #d");
  EXPECT_EQ(found_in("inline:{ { a = #b } #c } ldap:x"), "#b| #c| ldap:x");
  EXPECT_EQ(found_in("pcre:{ { /a #b/ } #c }"), "#c|");
}

TEST(PostconfOrder, NamesComeAsFromPostfix) {
  EXPECT_THAT(visiting_order({"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"}),
              ElementsAre("gamma", "eta", "epsilon", "delta", "theta", "zeta", "beta", "alpha"));
}

TEST(PostconfOrder, ManyNamesStayComplete) {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i)
    names.push_back("name" + std::to_string(i));
  EXPECT_THAT(visiting_order(names), testing::UnorderedElementsAreArray(names));
}

TEST(PostconfDatabase, ParametersAreSorted) {
  for (std::string_view type : {"ldap", "memcache", "mongodb", "mysql", "pgsql", "sqlite"}) {
    auto names = database_parameters(type);
    EXPECT_FALSE(names.empty());
    EXPECT_TRUE(std::is_sorted(names.begin(), names.end())) << type;
  }
}

}  // namespace
}  // namespace postrider::postconf
