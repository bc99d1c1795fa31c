#include "postscreen/path.h"

#include <gtest/gtest.h>

namespace postrider::postscreen {
namespace {

TEST(PathArgument, IsWhatFollowsTheFirstColon) {
  for (auto [argument, address] : {std::pair("FROM:<a@b>", "a@b"),
                                   {"FROM: <a@b>", "a@b"},
                                   {"x y:<a@b> SIZE=1", "a@b"},
                                   {"TO:a@b z", "a@b"},
                                   {"TO:<>", ""},
                                   {"TO:", ""},
                                   {"TO:<a@b", "a@b"},
                                   {"TO:a@b>", "a@b>"},
                                   {"TO:<\"a>b\"@c>", "a>b@c"},
                                   {"TO:<@x,@y:a@b>", "a@b"},
                                   {"TO:<@>", "@"},
                                   {"TO:\"a b\"@c d", "a b@c"},
                                   {"TO:a\\ b@c", "a b@c"},
                                   {"TO:<   >", "   "},
                                   {"TO:a (c) b", "a"}})
    EXPECT_EQ(path_argument(argument), address) << argument;
  for (const char* argument : {"", "FROM", "<a@b>"})
    EXPECT_FALSE(path_argument(argument)) << argument;
}

}  // namespace
}  // namespace postrider::postscreen
