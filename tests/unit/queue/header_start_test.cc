#include "queue/header_start.h"

#include <gtest/gtest.h>

namespace postrider::queue {
namespace {

TEST(HeaderStart, WhatIsNoHeaderIsMadeFit) {
  HeaderStart start;
  EXPECT_EQ(start.look_at({RecordType::text, "From x Mon"}).prefix, "X-Mailbox-Line: ");
  EXPECT_EQ(start.look_at({RecordType::text, ">From x Mon"}).prefix, "X-Mailbox-Line: ");
  EXPECT_FALSE(start.done());
  EXPECT_TRUE(start.look_at({RecordType::text, " continued"}).empty_line_before);
  EXPECT_TRUE(start.done());
}

}  // namespace
}  // namespace postrider::queue
