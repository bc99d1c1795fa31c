#include "sys/process.h"

#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include "sys/fd.h"

namespace postrider::sys {
namespace {

std::string output_of(SpawnRequest request) {
  Pipe pipe = make_pipe().value();
  request.descriptors.emplace_back(pipe.write.get(), 1);
  pid_t pid = spawn(request).value();
  pipe.write.reset();
  std::string out = read_all(pipe.read.get(), 1 << 20).value();
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return out;
}

TEST(Spawn, PassesArgumentsEnvironmentAndDirectory) {
  EXPECT_EQ(output_of({.argv = {"/bin/sh", "-c", "echo \"$1|$NAME|$PWD\"", "sh", "a b"},
                       .environment = {"NAME=value"},
                       .directory = "/usr"}),
            "a b|value|/usr\n");
}

TEST(Spawn, ReportsAProgramThatCannotBeExecuted) {
  auto pid = spawn({.argv = {"/nonexistent/program"}});
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().code, ENOENT);
}

TEST(Spawn, LeavesOnlyListedDescriptorsOpen) {
  Pipe extra = make_pipe().value();
  (void)set_close_on_exec(extra.read.get(), true);
  EXPECT_EQ(output_of({.argv = {"/bin/sh", "-c",
                                "for i in 3 4 5 6 7 8; do [ -e /proc/self/fd/$i ] && echo $i; done; :"}}),
            "");
}

TEST(Spawn, PutsDescriptorsWhereAskedEvenWhenTheyCross) {
  Pipe one = make_pipe().value(), two = make_pipe().value();
  // The write ends swap places: each target number is also a source.
  SpawnRequest request{.argv = {"/bin/sh", "-c", "echo first >&3; echo second >&4"}};
  request.descriptors = {{one.write.get(), 3}, {two.write.get(), 4}};
  pid_t pid = spawn(request).value();
  one.write.reset();
  two.write.reset();
  EXPECT_EQ(read_all(one.read.get(), 100).value(), "first\n");
  EXPECT_EQ(read_all(two.read.get(), 100).value(), "second\n");
  waitpid(pid, nullptr, 0);
}

TEST(Spawn, StartsWithDefaultSignals) {
  signal(SIGPIPE, SIG_IGN);
  pid_t pid = spawn({.argv = {"/bin/sh", "-c", "kill -PIPE $$; exit 3"}}).value();
  EXPECT_EQ(wait_for(pid).value(), 128 + SIGPIPE);
  signal(SIGPIPE, SIG_DFL);
}

TEST(Spawn, CanStartASessionOfItsOwn) {
  // A session leader's id is that of its session: field 6 of its status line.
  std::string sid = output_of(
      {.argv = {"/bin/sh", "-c", "read -r _ _ _ _ pgrp sid _ </proc/$$/stat; [ $sid = $$ ] && echo own"},
       .new_session = true});
  EXPECT_EQ(sid, "own\n");
}

TEST(Environment, IsReplacedAsAWhole) {
  std::vector<std::string> before = environment();
  set_environment({"ONE=1", "TWO=2"});
  EXPECT_EQ(environment(), (std::vector<std::string>{"ONE=1", "TWO=2"}));
  EXPECT_STREQ(getenv("TWO"), "2");
  set_environment(before);
}

}  // namespace
}  // namespace postrider::sys
