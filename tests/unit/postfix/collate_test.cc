#include "tools/postfix/collate.h"

#include <sstream>

#include <gtest/gtest.h>

namespace postrider::postfix {
namespace {

std::string collate(const std::string& log, size_t max_bytes = 1 << 20) {
  std::string out;
  Collator collator([&](std::string_view group) { out.append(group) += "--\n"; }, max_bytes);
  std::istringstream in(log);
  for (std::string line; std::getline(in, line);)
    collator.add(line);
  collator.finish();
  return out;
}

TEST(Collate, AMessageIsPrintedWhenItIsRemoved) {
  EXPECT_EQ(collate("Nov 26 10:00:00 mx postfix/pickup[1]: 4D3F6C2: uid=0 from=<root>\n"
                    "Nov 26 10:00:00 mx postfix/pickup[1]: 5A3F6C2: uid=0 from=<joe>\n"
                    "Nov 26 10:00:01 mx postfix/cleanup[2]: 4D3F6C2: message-id=<x@y>\n"
                    "Nov 26 10:00:01 mx postfix/qmgr[3]: statistics: something else\n"
                    "Nov 26 10:00:02 mx postfix/qmgr[3]: 4D3F6C2: removed\n"),
            "Nov 26 10:00:00 mx postfix/pickup[1]: 4D3F6C2: uid=0 from=<root>\n"
            "Nov 26 10:00:01 mx postfix/cleanup[2]: 4D3F6C2: message-id=<x@y>\n"
            "Nov 26 10:00:02 mx postfix/qmgr[3]: 4D3F6C2: removed\n"
            "--\n"
            "Nov 26 10:00:00 mx postfix/pickup[1]: 5A3F6C2: uid=0 from=<joe>\n"
            "--\n");
}

/// One process serves several clients at a time.
TEST(Collate, TheSessionOfAMessageComesBeforeIt) {
  EXPECT_EQ(collate("postfix/smtpd[9]: connect from a.test[192.0.2.1]\n"
                    "postfix/smtpd[9]: connect from b.test[192.0.2.2]\n"
                    "postfix/smtpd[9]: 4jWmBJ4C7Yz76: client=a.test[192.0.2.1]\n"
                    "postfix/smtpd[9]: NOQUEUE: reject: RCPT from b.test[192.0.2.2]: 554 5.7.1 no\n"
                    "postfix/smtpd[9]: disconnect from a.test[192.0.2.1] ehlo=1 quit=1\n"
                    "postfix/qmgr[3]: 4jWmBJ4C7Yz76: removed\n"
                    "postfix/smtpd[9]: disconnect from b.test[192.0.2.2] ehlo=1 rcpt=0/1 quit=1\n"),
            "postfix/smtpd[9]: connect from a.test[192.0.2.1]\n"
            "postfix/smtpd[9]: 4jWmBJ4C7Yz76: client=a.test[192.0.2.1]\n"
            "postfix/smtpd[9]: disconnect from a.test[192.0.2.1] ehlo=1 quit=1\n"
            "postfix/qmgr[3]: 4jWmBJ4C7Yz76: removed\n"
            "--\n"
            "postfix/smtpd[9]: connect from b.test[192.0.2.2]\n"
            "postfix/smtpd[9]: NOQUEUE: reject: RCPT from b.test[192.0.2.2]: 554 5.7.1 no\n"
            "postfix/smtpd[9]: disconnect from b.test[192.0.2.2] ehlo=1 rcpt=0/1 quit=1\n"
            "--\n");
}

TEST(Collate, AnIdCanComeAgain) {
  EXPECT_EQ(collate("postfix/pickup[1]: 4D3F6C2: uid=0\npostfix/qmgr[3]: 4D3F6C2: removed\n"
                    "postfix/pickup[1]: 4D3F6C2: uid=1\npostfix/qmgr[3]: 4D3F6C2: removed (canceled)\n"),
            "postfix/pickup[1]: 4D3F6C2: uid=0\npostfix/qmgr[3]: 4D3F6C2: removed\n--\n"
            "postfix/pickup[1]: 4D3F6C2: uid=1\npostfix/qmgr[3]: 4D3F6C2: removed (canceled)\n--\n");
}

TEST(Collate, WhatIsKeptHasALimit) {
  std::string log;
  for (int i = 0; i < 1000; ++i)
    log += "postfix/pickup[1]: " + std::to_string(100000 + i) + ": uid=0\n";
  std::string out = collate(log, 1000);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2000);
  EXPECT_EQ(collate("no line of a log\n[]: \nx[]: y\nx[1]: \npostfix/smtpd[1]: connect from [[[\n"), "");
}

}  // namespace
}  // namespace postrider::postfix
