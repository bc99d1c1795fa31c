#include "sys/blocking.h"

#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "sys/fd.h"

namespace postrider::sys {
namespace {

using std::chrono::seconds;

TEST(Blocking, AWaitEndsWithDataOrTheOtherEndOrTheLimit) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  Fd mine(pair[0]), theirs(pair[1]);
  EXPECT_FALSE(wait_readable(mine.get(), seconds(0)).value());
  ASSERT_TRUE(write_all(theirs.get(), "x"));
  EXPECT_TRUE(wait_readable(mine.get(), seconds(60)).value());
  char byte;
  ASSERT_EQ(::read(mine.get(), &byte, 1), 1);
  theirs.reset();
  EXPECT_TRUE(wait_readable(mine.get(), seconds(60)).value());
}

}  // namespace
}  // namespace postrider::sys
