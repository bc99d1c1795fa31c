#include "io/fiber.h"

#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "io/loop.h"
#include "io/offload.h"
#include "io/sync.h"
#include "sys/fd.h"

namespace postrider::io {
namespace {

using std::chrono::milliseconds;

TEST(Fiber, RunsInTurns) {
  std::string order;
  run_with_loop([&] {
    TaskGroup group;
    for (char name : {'a', 'b'}) {
      group.spawn([&order, name] {
        for (int i = 0; i < 3; ++i) {
          order += name;
          yield();
        }
      });
    }
    EXPECT_TRUE(group.wait(Deadline::never()));
  });
  EXPECT_EQ(order, "ababab");
}

TEST(Fiber, ManyAtOnce) {
  int done = 0;
  run_with_loop([&] {
    TaskGroup group;
    for (int i = 0; i < 5000; ++i) {
      group.spawn([&done] {
        sleep_for(milliseconds(1));
        ++done;
      });
    }
    EXPECT_EQ(fiber_count(), 5001U);
    EXPECT_TRUE(group.wait(Deadline::never()));
  });
  EXPECT_EQ(done, 5000);
}

TEST(Fiber, AnExceptionEndsOnlyItsFiber) {
  std::string seen;
  set_fiber_error_handler([&](const char* text) { seen = text; });
  bool other = false;
  run_with_loop([&] {
    TaskGroup group;
    group.spawn([] { throw std::runtime_error("boom"); });
    group.spawn([&] { other = true; });
    EXPECT_TRUE(group.wait(Deadline::never()));
  });
  EXPECT_EQ(seen, "boom");
  EXPECT_TRUE(other);
}

TEST(Fiber, DestroyingTheLoopUnwindsSuspendedFibers) {
  bool destroyed = false;
  {
    Loop loop;
    struct Witness {
      bool* flag;
      ~Witness() { *flag = true; }
    };
    spawn([&] {
      Witness witness{&destroyed};
      sleep_until(Deadline::never());
    });
    spawn([&] { loop.stop(); });
    loop.run();
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
}

TEST(Fiber, WhatComesToLieWhereAStackWasIsNotGuarded) {
  // Only AddressSanitizer can see this fail: it would find marks of frames that are no more.
  constexpr size_t kSize = 16 * 1024;
  char* place = nullptr;
  run_with_loop([&] {
    TaskGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn([&place] {
        volatile char local = 0;
        place = const_cast<char*>(&local) - local;
        yield();
      });
    }
    EXPECT_TRUE(group.wait(Deadline::never()));
  });
  char* page = place - reinterpret_cast<uintptr_t>(place) % 4096;
  void* there = mmap(page - (kSize - 4096), kSize, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (there == MAP_FAILED) GTEST_SKIP() << "something else lies there already";
  memset(there, 1, kSize);
  EXPECT_EQ(static_cast<char*>(there)[kSize - 1], 1);
  munmap(there, kSize);
}

TEST(Fiber, AShorterDeadlineAfterALongerOneIsKept) {
  run_with_loop([] {
    Condition never;
    Clock::time_point begin = Clock::now();
    TaskGroup group;
    Condition first;
    group.spawn([&] {
      EXPECT_TRUE(first.wait(Deadline::after(seconds(3600))));
      EXPECT_FALSE(never.wait(Deadline::after(milliseconds(5))));
    });
    yield();
    first.notify_all();
    EXPECT_TRUE(group.wait(Deadline::never()));
    EXPECT_GE(Clock::now() - begin, milliseconds(5));
  });
}

TEST(Fiber, ALongerDeadlineAfterAShorterOneIsNotCutShort) {
  run_with_loop([] {
    Condition first, second;
    TaskGroup group;
    bool woken = false;
    group.spawn([&] {
      EXPECT_TRUE(first.wait(Deadline::after(milliseconds(5))));
      woken = second.wait(Deadline::after(seconds(3600)));
    });
    yield();
    first.notify_all();
    sleep_for(milliseconds(20));
    second.notify_all();
    EXPECT_TRUE(group.wait(Deadline::never()));
    EXPECT_TRUE(woken);
  });
}

TEST(Offload, ReturnsTheValueAndLeavesTheLoopFree) {
  run_with_loop([] {
    std::thread::id loop_thread = std::this_thread::get_id();
    auto id = offload([] { return std::this_thread::get_id(); }, Deadline::never());
    ASSERT_TRUE(id);
    EXPECT_NE(*id, loop_thread);
    auto failed = offload([]() -> Result<int> { return fail(ErrorKind::limit, "no"); }, Deadline::never());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().text, "no");
  });
}

TEST(Offload, GivesUpAtTheDeadlineWhileTheCallGoesOn) {
  run_with_loop([] {
    auto release = std::make_shared<std::atomic<bool>>(false);
    std::weak_ptr<std::atomic<bool>> call = release;
    auto result = offload(
        [release] {
          while (!*release)
            std::this_thread::yield();
          return 1;
        },
        Deadline::after(milliseconds(5)));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::timeout);
    *release = true;
    release.reset();
    EXPECT_EQ(offload([] { return 2; }, Deadline::never()).value(), 2);
    // The loop has to be there until it has been told of the end of the call.
    while (!call.expired())
      sleep_for(milliseconds(1));
  });
}

TEST(Semaphore, LetsOnlySoManyIn) {
  int inside = 0, most = 0;
  run_with_loop([&] {
    Semaphore semaphore(2);
    TaskGroup group;
    for (int i = 0; i < 6; ++i) {
      group.spawn([&] {
        EXPECT_TRUE(semaphore.acquire(Deadline::never()));
        most = std::max(most, ++inside);
        yield();
        --inside;
        semaphore.release();
      });
    }
    EXPECT_TRUE(group.wait(Deadline::never()));
  });
  EXPECT_EQ(most, 2);
}

TEST(Queue, BlocksWhenFullAndDrainsAfterClose) {
  run_with_loop([] {
    Queue<int> queue(2);
    EXPECT_TRUE(queue.push(1, Deadline::never()));
    EXPECT_TRUE(queue.push(2, Deadline::never()));
    EXPECT_FALSE(queue.push(3, Deadline::after(milliseconds(1))));
    queue.close();
    EXPECT_EQ(queue.pop(Deadline::never()), 1);
    EXPECT_EQ(queue.pop(Deadline::never()), 2);
    EXPECT_FALSE(queue.pop(Deadline::never()).has_value());
  });
}

TEST(Fiber, AParkedFiberFindsItsStackAsItLeftIt) {
  run_with_loop([] {
    sys::Pipe pipe = sys::make_pipe().value();
    (void)sys::set_nonblocking(pipe.read.get());
    std::string seen;
    Condition done;
    spawn([&] {
      auto events = std::make_unique<FdEvents>(pipe.read.get());
      char local[100] = "something on the stack";
      int number = 42;
      for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE(events->wait_readable_parked(Deadline::never()));
        char byte = 0;
        EXPECT_TRUE(sys::read_some(pipe.read.get(), &byte, 1));
        seen += byte;
        EXPECT_STREQ(local, "something on the stack");
        EXPECT_EQ(number, 42 + round);
        ++number;
        done.notify_all();
      }
    });
    for (char c : std::string_view("abc")) {
      yield();
      yield();
      size_t before = seen.size();
      ASSERT_TRUE(sys::write_all(pipe.write.get(), std::string_view(&c, 1)));
      while (seen.size() == before)
        ASSERT_TRUE(done.wait(Deadline::after(seconds(20))));
    }
    EXPECT_EQ(seen, "abc");
  });
}

TEST(Fiber, AParkedFiberIsUnwoundWithItsLoop) {
  bool unwound = false;
  {
    Loop loop;
    spawn([&unwound] {
      struct Note {
        bool& flag;
        ~Note() { flag = true; }
      } note{unwound};
      suspend_parked(Deadline::never());
    });
    spawn([&loop] {
      yield();
      loop.stop();
    });
    loop.run();
  }
  EXPECT_TRUE(unwound);
}

}  // namespace
}  // namespace postrider::io
