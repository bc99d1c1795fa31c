#include "config/master_cf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::config {
namespace {

using testing::ElementsAre;

MasterService one(std::string_view text) {
  auto file = parse_master_cf(text, "master.cf");
  if (!file || file->services.size() != 1)
    throw std::runtime_error(file ? "not one service" : file.error().text);
  return file->services[0];
}

std::string error_of(std::string_view text) {
  auto file = parse_master_cf(text, "master.cf");
  return file ? "no error" : file.error().text;
}

TEST(MasterCf, ColumnsAndTheirDefaults) {
  MasterService service = one("relay unix - - - - - smtp\n");
  EXPECT_EQ(service.name, "relay");
  EXPECT_EQ(service.type, ServiceType::unix_);
  EXPECT_TRUE(service.is_private);
  EXPECT_TRUE(service.unprivileged);
  EXPECT_EQ(service.chroot, std::nullopt);
  EXPECT_EQ(service.wakeup_seconds, 0);
  EXPECT_EQ(service.process_limit, std::nullopt);
  EXPECT_EQ(service.command, "smtp");
  EXPECT_EQ(service.id(), "relay/unix");
}

TEST(MasterCf, ColumnsThatAreSet) {
  MasterService service = one("flush unix n n y 1000? 0 flush\n");
  EXPECT_FALSE(service.is_private);
  EXPECT_FALSE(service.unprivileged);
  EXPECT_EQ(service.chroot, true);
  EXPECT_EQ(service.wakeup_seconds, 1000);
  EXPECT_TRUE(service.wakeup_only_if_used);
  EXPECT_EQ(service.process_limit, 0);
}

TEST(MasterCf, AllTypesAreKnown) {
  for (std::string_view type : {"inet", "unix", "fifo", "pass", "unix-dgram"})
    EXPECT_EQ(service_type_name(*parse_service_type(type)), type);
  EXPECT_EQ(parse_service_type("Inet"), std::nullopt);
}

TEST(MasterCf, EntriesGoOnOverCommentsAndBlankLines) {
  auto file =
      parse_master_cf("# x\na unix - - n - - smtp\n  -v\n# y\n\n  -D\nb unix - - n - - smtp\n", "master.cf");
  ASSERT_TRUE(file);
  ASSERT_EQ(file->services.size(), 2u);
  EXPECT_THAT(file->services[0].arguments, ElementsAre("-v", "-D"));
  EXPECT_EQ(file->services[0].line, 2);
  EXPECT_EQ(file->services[1].line, 7);
}

TEST(MasterCf, BracesKeepArgumentsTogether) {
  EXPECT_THAT(one("a inet n - n - - smtpd -o { x = y z } -o a={b c} { p q } {} {{r}} s}\n").arguments,
              ElementsAre("-o", "x = y z", "-o", "a={b c}", "p q", "", "{r}", "s}"));
}

TEST(MasterCf, BracesMeanNothingInFrontOfTheArgumentsButInTheName) {
  EXPECT_EQ(one("{a b} unix - - n - - smtp\n").name, "{a b}");
  EXPECT_EQ(one("a unix - - n - - {smtpd} x\n").command, "{smtpd}");
}

TEST(MasterCf, ErrorsNameTheLine) {
  EXPECT_EQ(error_of("\nsmtp\n"), "master.cf: line 2: missing \"transport type\" field");
  EXPECT_EQ(error_of("smtp inet n - n - -\n"), "master.cf: line 1: missing \"command\" field");
  EXPECT_EQ(error_of("smtp bar n - n - - smtpd\n"), "master.cf: line 1: bad transport type: bar");
  EXPECT_EQ(error_of("smtp inet x - n - - smtpd\n"),
            "master.cf: line 1: field \"private\": bad value: \"x\"");
  EXPECT_EQ(error_of("smtp inet n x n - - smtpd\n"),
            "master.cf: line 1: field \"unprivileged\": bad value: \"x\"");
  EXPECT_EQ(error_of("smtp inet n - x - - smtpd\n"), "master.cf: line 1: field \"chroot\": bad value: \"x\"");
  EXPECT_EQ(error_of("smtp inet n - n -1 - smtpd\n"),
            "master.cf: line 1: field \"wakeup_time\": bad value: \"-1\"");
  EXPECT_EQ(error_of("smtp inet n - n 999999999999 - smtpd\n"),
            "master.cf: line 1: field \"wakeup_time\": bad value: \"999999999999\"");
  EXPECT_EQ(error_of("smtp inet n - n - x smtpd\n"),
            "master.cf: line 1: field \"max_proc\": bad value: \"x\"");
  EXPECT_EQ(error_of("smtp inet y - n - - smtpd\n"), "master.cf: line 1: inet service cannot be private");
  EXPECT_EQ(error_of("smtp inet n - n - - smtpd -o { a = b\n"),
            "master.cf: line 1: missing '}' in \"{ a = b\"");
  EXPECT_EQ(error_of("smtp inet n - n - - smtpd {a}b\n"),
            "master.cf: line 1: syntax error after '}' in \"{a}b\"");
}

TEST(MasterCf, ALineThatBeginsWithANullByteIsAnError) {
  using namespace std::string_literals;
  EXPECT_EQ(error_of("\0smtp inet n - n - - smtpd\n"s), "master.cf: line 1: missing \"service\" field");
}

TEST(MasterCf, AnIndentedFirstLineIsAWarning) {
  auto file = parse_master_cf(" smtp inet n - n - - smtpd\n", "master.cf");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->services.empty());
  EXPECT_THAT(file->warnings,
              ElementsAre("master.cf: logical line must not start with whitespace: \" smtp inet n - n "
                          "- - smtpd\""));
}

TEST(MasterCf, WordsAreBracedWhereTheyNeedIt) {
  EXPECT_EQ(embrace("a"), "a");
  EXPECT_EQ(embrace("a b"), "{a b}");
  EXPECT_EQ(embrace("argv={a b}"), "argv={a b}");
  EXPECT_EQ(embrace("{a b}c d"), "{{a b}c d}");
  EXPECT_EQ(embrace(""), "{}");
  EXPECT_EQ(embrace("{x}"), "{{x}}");
  EXPECT_EQ(*unbrace(embrace("{x}")), "{x}");
}

std::string endpoint(std::string_view name) {
  auto parsed = parse_inet_endpoint(name);
  return parsed ? parsed->host + "|" + parsed->port : "error: " + parsed.error().text;
}

TEST(MasterCf, InetServicesHaveHostAndPort) {
  EXPECT_EQ(endpoint("smtp"), "|smtp");
  EXPECT_EQ(endpoint("10025"), "|10025");
  EXPECT_EQ(endpoint("127.0.0.1:10025"), "127.0.0.1|10025");
  EXPECT_EQ(endpoint("localhost:smtp"), "localhost|smtp");
  EXPECT_EQ(endpoint("[::1]:25"), "::1|25");
  EXPECT_EQ(endpoint(":25"), "|25");
}

TEST(MasterCf, BadInetServicesAreErrors) {
  EXPECT_EQ(endpoint("99x"), "error: garbage after numerical service in \"99x\"");
  for (std::string_view name : {"[::1]", "[::1", "::1:25", "host:", "", "70000"})
    EXPECT_TRUE(endpoint(name).starts_with("error: ")) << name;
}

}  // namespace
}  // namespace postrider::config
