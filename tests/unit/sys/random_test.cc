#include "sys/random.h"

#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include <gtest/gtest.h>

#include "sys/fd.h"

namespace postrider::sys {
namespace {

TEST(Random, NumbersDoNotRepeat) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i)
    EXPECT_TRUE(seen.insert(random_u64()).second);
}

TEST(Random, StaysBelowTheBoundAndReachesEveryValue) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(random_below(5));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(random_below(1), 0u);
}

TEST(Random, AChildProcessDoesNotRepeatItsParent) {
  (void)random_u64();  // A batch is in memory now.
  Pipe pipe = make_pipe().value();
  pid_t child = fork();
  if (child == 0) {
    uint64_t number = random_u64();
    _exit(write(pipe.write.get(), &number, sizeof number) == sizeof number ? 0 : 1);
  }
  uint64_t theirs = 0;
  ASSERT_EQ(read_some(pipe.read.get(), &theirs, sizeof theirs).value(), sizeof theirs);
  EXPECT_NE(theirs, random_u64());
  waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace postrider::sys
