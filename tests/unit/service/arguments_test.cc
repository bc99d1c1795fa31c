#include "service/arguments.h"

#include <unistd.h>

#include <gtest/gtest.h>

namespace postrider::service {
namespace {

Result<Arguments> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "smtpd");
  std::vector<char*> argv;
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  optind = 1;
  return parse_arguments(static_cast<int>(words.size()), argv.data());
}

TEST(Arguments, ReadsWhatMasterGives) {
  auto a = parse({"-n", "127.0.0.1:25", "-t", "inet", "-s", "2", "-m", "100", "-u", "-c", "-v", "-D", "-v",
                  "-o", "x = a b", "-o", "y="});
  ASSERT_TRUE(a) << a.error().text;
  EXPECT_EQ(a->service_name, "127.0.0.1:25");
  EXPECT_EQ(a->type, config::ServiceType::inet);
  EXPECT_EQ(a->listeners, 2);
  EXPECT_EQ(a->max_clients, 100);
  EXPECT_TRUE(a->drop_privileges && a->change_root);
  EXPECT_EQ(a->verbose, 2);
  EXPECT_TRUE(a->debugger);
  EXPECT_EQ(a->overrides, (std::vector<config::Assignment>{{"x", "a b"}, {"y", ""}}));
}

TEST(Arguments, LeavesTheRestToTheDaemon) {
  auto a = parse({"-n", "filter", "-t", "unix", "user=nobody", "argv=/bin/cat", "-x"});
  ASSERT_TRUE(a);
  EXPECT_EQ(a->rest, (std::vector<std::string>{"user=nobody", "argv=/bin/cat", "-x"}));
}

TEST(Arguments, SaysWhatIsWrong) {
  EXPECT_NE(parse({"-o", "no equals"}).error().text.find("missing '='"), std::string::npos);
  EXPECT_NE(parse({"-t", "tcp"}).error().text.find("tcp"), std::string::npos);
  EXPECT_FALSE(parse({"-s", "many"}));
  EXPECT_FALSE(parse({"-Z"}));
}

}  // namespace
}  // namespace postrider::service
