#include "log/log.h"

#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sys/file.h"
#include "sys/socket.h"

// Covers: json_log_file
namespace postrider::log {
namespace {

class Log : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-log-XXXXXX";
    directory_ = mkdtemp(name);
  }
  void TearDown() override {
    open({});
    std::system(("rm -rf " + directory_).c_str());
  }
  std::string receive(int socket) {
    char data[65536];
    auto count = sys::read_some(socket, data, sizeof data);
    return count ? std::string(data, *count) : "<nothing>";
  }
  std::string directory_;
};

TEST_F(Log, PostlogLinesHaveTheClientFormatOfPostlogd) {
  auto receiver = sys::bind_datagram(*sys::Address::from_path(directory_ + "/postlog")).value();
  open({.ident = "postfix/smtpd", .host_name = "mx.example.com", .postlog_path = directory_ + "/postlog"});
  info("connect from {}", "client[192.0.2.1]");
  flush();
  std::string line = receive(receiver.get());
  EXPECT_EQ(line.substr(3, 1), " ");
  EXPECT_EQ(line.substr(15),
            " mx postfix/smtpd[" + std::to_string(getpid()) + "]: connect from client[192.0.2.1]");
}

TEST_F(Log, LinesHaveALimit) {
  auto receiver = sys::bind_datagram(*sys::Address::from_path(directory_ + "/postlog")).value();
  open({.ident = "x", .host_name = "h", .postlog_path = directory_ + "/postlog"});
  warning("{}", std::string(3000, 'a'));
  std::string line = receive(receiver.get());
  EXPECT_TRUE(line.ends_with(": warning: " + std::string(2000, 'a'))) << line.size();
}

TEST_F(Log, LinesWaitForTheEndOfTheTurnAndWarningsDoNot) {
  auto receiver = sys::bind_datagram(*sys::Address::from_path(directory_ + "/postlog")).value();
  open({.ident = "x", .host_name = "h", .postlog_path = directory_ + "/postlog"});
  info("one");
  EXPECT_EQ(receive(receiver.get()), "<nothing>");
  warning("two");
  std::string lines = receive(receiver.get());
  EXPECT_NE(lines.find("]: one\n"), std::string::npos);
  EXPECT_TRUE(lines.ends_with("]: warning: two"));
}

TEST_F(Log, UntrustedBytesAreMadePrintable) {
  std::string seen;
  set_test_sink([&](Severity, std::string_view text) { seen = text; });
  info("helo=<{}>", "a\nb\x01\xff");
  set_test_sink(nullptr);
  EXPECT_EQ(seen, std::string("helo=<a?b?") + "?>");
}

TEST_F(Log, FallsBackToTheFileWhilePostlogdIsAway) {
  open({.ident = "x",
        .host_name = "h",
        .postlog_path = directory_ + "/none",
        .fallback_file = directory_ + "/maillog"});
  info("kept");
  flush();
  EXPECT_TRUE(sys::read_file(directory_ + "/maillog", 1000).value().ends_with("]: kept\n"));
}

TEST_F(Log, JsonLinesCarryEventFieldsAndText) {
  open({.ident = "postfix/smtp", .host_name = "h", .json_path = directory_ + "/log.json"});
  write(Severity::info, "to=<a\"b>", "delivery", {{"queue_id", "ABC"}, {"size", 12}, {"raw", "\xff"}});
  flush();
  auto line = nlohmann::json::parse(sys::read_file(directory_ + "/log.json", 10000).value());
  EXPECT_EQ(line["event"], "delivery");
  EXPECT_EQ(line["queue_id"], "ABC");
  EXPECT_EQ(line["size"], 12);
  EXPECT_EQ(line["raw"], "?");
  EXPECT_EQ(line["text"], "to=<a\"b>");
  EXPECT_EQ(line["service"], "postfix/smtp");
}

TEST(Facility, KnowsTheNamesOfSyslog) {
  EXPECT_EQ(facility_number("mail").value(), LOG_MAIL);
  EXPECT_EQ(facility_number("local7").value(), LOG_LOCAL7);
  EXPECT_FALSE(facility_number("nonsense"));
}

}  // namespace
}  // namespace postrider::log
