// Flow control: who waits when the queue manager is behind, and for how long it is asked.
#include "cleanup/in_flow.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "io/fiber.h"
#include "io/loop.h"

namespace postrider::cleanup {
namespace {

struct Queue {
  std::set<std::string> waiting;
  int looks = 0;
  InFlow flow;
  explicit Queue(seconds delay)
      : flow(delay, 10, [this](const std::string& id) {
          ++looks;
          return waiting.contains(id);
        }) {}
  void receive(int from, int to) {
    for (int i = from; i < to; ++i) {
      waiting.insert(std::to_string(i));
      flow.arrived(std::to_string(i));
    }
  }
};

TEST(InFlow, KnowsWhenTheQueueManagerIsBehind) {
  io::run_with_loop([] {
    Queue queue(seconds(1));
    queue.receive(0, 10);
    EXPECT_FALSE(queue.flow.is_behind());
    EXPECT_EQ(queue.looks, 0);
    queue.receive(10, 20);
    EXPECT_TRUE(queue.flow.is_behind());
    queue.waiting.clear();
    EXPECT_FALSE(queue.flow.is_behind());
    EXPECT_EQ(queue.looks, 2);
    EXPECT_FALSE(queue.flow.is_behind());
    EXPECT_EQ(queue.looks, 2);
  });
}

TEST(InFlow, CanBeSwitchedOff) {
  io::run_with_loop([] {
    Queue queue(seconds(0));
    queue.receive(0, 100);
    EXPECT_FALSE(queue.flow.is_behind());
    EXPECT_EQ(queue.looks, 0);
  });
}

}  // namespace
}  // namespace postrider::cleanup
