#include "sandbox/profile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace postrider::sandbox {
namespace {

/// Runs `body` in a child that is confined to `profile`; its return value. -1: this kernel confines nothing.
int confined(const Profile& profile, const std::function<int()>& body) {
  pid_t pid = fork();
  if (pid == 0) {
    auto entered = enter(profile);
    if (!entered) _exit(100);
    if (entered->landlock_abi == 0) _exit(101);
    _exit(body());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 101) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200 + WTERMSIG(status);
}

class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-sandbox-XXXXXX";
    base_ = mkdtemp(name);
    for (const char* directory : {"/in", "/out", "/secret"})
      ASSERT_TRUE(sys::make_directory(base_ + directory, 0700));
    ASSERT_TRUE(sys::replace_file(base_ + "/in/file", "x", 0644));
    ASSERT_TRUE(sys::replace_file(base_ + "/secret/file", "x", 0644));
    profile_ = Profile{.name = "test", .read = {base_ + "/in"}, .write = {base_ + "/out"}};
    if (confined(profile_, [] { return 0; }) == -1) GTEST_SKIP() << "this kernel has no Landlock";
  }
  void TearDown() override { std::system(("rm -rf " + base_).c_str()); }
  std::string base_;
  Profile profile_;
};

TEST_F(Sandbox, ReadsWhatTheProfileListsAndNothingElse) {
  EXPECT_EQ(confined(profile_, [&] { return sys::read_file(base_ + "/in/file", 10) ? 0 : 1; }), 0);
  EXPECT_EQ(confined(profile_, [&] { return sys::read_file(base_ + "/secret/file", 10) ? 0 : errno; }),
            EACCES);
}

TEST_F(Sandbox, WritesOnlyBelowTheListedDirectories) {
  EXPECT_EQ(confined(profile_, [&] { return sys::replace_file(base_ + "/out/new", "y", 0600) ? 0 : 1; }), 0);
  EXPECT_EQ(confined(profile_, [&] { return sys::open_file(base_ + "/in/file", O_WRONLY) ? 0 : errno; }),
            EACCES);
  EXPECT_EQ(confined(profile_, [&] { return sys::unlink_file(base_ + "/in/file") ? 0 : errno; }), EACCES);
}

TEST_F(Sandbox, ExecutesNothing) {
  profile_.all_files = true;
  EXPECT_EQ(confined(profile_, [] { return sys::spawn({.argv = {"/bin/true"}}) ? 0 : 1; }), 1);
}

TEST_F(Sandbox, RefusesTcpUnlessAllowed) {
  auto listener = sys::listen_stream(*sys::Address::from_ip("127.0.0.1"), 1).value();
  auto address = sys::local_address(listener.get()).value();
  auto connect = [&] { return sys::connect_blocking(address) ? 0 : errno; };
  int outcome = confined(profile_, connect);
  if (outcome == 0) GTEST_SKIP() << "this kernel's Landlock does not know TCP";
  EXPECT_EQ(outcome, EACCES);
  profile_.connect = true;
  EXPECT_EQ(confined(profile_, connect), 0);
}

TEST_F(Sandbox, StartsThreadsButNoProcesses) {
  EXPECT_EQ(confined(profile_,
                     [] {
                       bool ran = false;
                       std::thread([&] { ran = true; }).join();
                       return ran ? 0 : 1;
                     }),
            0);
  EXPECT_EQ(confined(profile_, [] { return fork() < 0 ? errno : 0; }), EPERM);
}

TEST_F(Sandbox, OpensNoInternetSocketUnlessAllowed) {
  auto datagram = [] { return socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0; };
  EXPECT_EQ(confined(profile_, datagram), EACCES);
  EXPECT_EQ(confined(profile_, [] { return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0; }), 0);
  profile_.connect = true;
  EXPECT_EQ(confined(profile_, datagram), 0);
}

TEST_F(Sandbox, ChangesIdentityOnlyToDeliverAsUsers) {
  auto change = [] { return setgid(getgid()) < 0 ? errno : 0; };
  EXPECT_EQ(confined(profile_, change), EPERM);
  profile_.all_files = true;
  EXPECT_EQ(confined(profile_, change), 0);
}

TEST_F(Sandbox, CannotTraceOthers) {
  pid_t parent = getpid();
  EXPECT_NE(confined(profile_, [&] { return ptrace(PTRACE_ATTACH, parent, 0, 0) == 0 ? 0 : 1; }), 0);
}

}  // namespace
}  // namespace postrider::sandbox
