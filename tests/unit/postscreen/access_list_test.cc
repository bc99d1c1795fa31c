#include "postscreen/access_list.h"

#include <gmock/gmock.h>

#include "fixture.h"
#include "io/loop.h"

namespace postrider::postscreen {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Verdict = AccessList::Verdict;

class AccessListTest : public PostscreenTest {
 protected:
  void use(const std::string& list) { configure("postscreen_access_list = " + list + "\n"); }
  Verdict judge(const std::string& address) {
    Verdict out{};
    io::run_with_loop([&] { out = lists_->access.judge(address, Deadline::never()); });
    return out;
  }
};

TEST_F(AccessListTest, TheFirstThatDecidesCounts) {
  use("permit_mynetworks, inline:{{203.0.113.1=reject} {203.0.113.2=Permit} {203.0.113.3=dunno}} "
      "inline:{{203.0.113.3=reject} {203.0.113.4=permit_mynetworks, reject}}");
  EXPECT_EQ(judge("192.0.2.7"), Verdict::permit);
  EXPECT_EQ(judge("203.0.113.1"), Verdict::reject);
  EXPECT_EQ(judge("203.0.113.2"), Verdict::permit);
  EXPECT_EQ(judge("203.0.113.3"), Verdict::reject) << "dunno goes on with the next table";
  EXPECT_EQ(judge("203.0.113.4"), Verdict::reject);
  EXPECT_EQ(judge("203.0.113.5"), Verdict::undecided);
  EXPECT_THAT(take_log(), IsEmpty());
}

TEST_F(AccessListTest, DunnoEndsTheList) {
  use("dunno, permit");
  EXPECT_EQ(judge("203.0.113.1"), Verdict::undecided);
  use("REJECT");
  EXPECT_EQ(judge("203.0.113.1"), Verdict::reject);
  use("");
  EXPECT_EQ(judge("192.0.2.7"), Verdict::undecided);
}

TEST_F(AccessListTest, WhatMakesNoSenseEndsTheListWithAWarning) {
  use("foo, permit");
  EXPECT_EQ(judge("203.0.113.1"), Verdict::undecided);
  EXPECT_THAT(take_log(),
              ElementsAre("postscreen_access_list: unknown command: foo -- ignoring the remainder of "
                          "this access list"));
  use("static:x, permit");
  EXPECT_EQ(judge("203.0.113.1"), Verdict::undecided);
  EXPECT_THAT(take_log(),
              ElementsAre("static:x: unknown command: x -- ignoring the remainder of this access list"));
  use("static:{cidr:/foo} permit");
  EXPECT_EQ(judge("203.0.113.1"), Verdict::undecided);
  EXPECT_THAT(take_log(),
              ElementsAre("table static:{cidr:/foo}: lookup result \"cidr:/foo\" is not allowed -- "
                          "ignoring remainder of access list"));
  use("fail:x permit");
  EXPECT_EQ(judge("203.0.113.1"), Verdict::undecided);
  EXPECT_EQ(
      take_log().back(),
      "postscreen_access_list: fail:x: table lookup error -- ignoring the remainder of this access list");
}

}  // namespace
}  // namespace postrider::postscreen
