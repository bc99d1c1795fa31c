#include "io/watch.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "io/sync.h"
#include "sys/fd.h"

namespace postrider::io {
namespace {

TEST(FdWatch, CallsAgainUntilTheInputIsRead) {
  run_with_loop([] {
    sys::Pipe pipe = sys::make_pipe().value();
    Condition done;
    std::string got;
    FdWatch watch(pipe.read.get(), [&](bool readable, bool writable) {
      EXPECT_TRUE(readable);
      EXPECT_FALSE(writable);
      char c = 0;
      ASSERT_EQ(sys::read_some(pipe.read.get(), &c, 1).value(), 1u);
      got += c;
      if (c == '.') done.notify_all();
    });
    watch.want(true, false);
    ASSERT_TRUE(sys::write_all(pipe.write.get(), "abc."));
    while (!got.ends_with('.'))
      ASSERT_TRUE(done.wait(Deadline::after(seconds(10))));
    EXPECT_EQ(got, "abc.");
  });
}

TEST(FdWatch, DoesNotCallForWhatIsNotWanted) {
  run_with_loop([] {
    sys::Pipe pipe = sys::make_pipe().value();
    int calls = 0;
    FdWatch watch(pipe.read.get(), [&](bool, bool) { ++calls; });
    ASSERT_TRUE(sys::write_all(pipe.write.get(), "x"));
    for (int i = 0; i < 10; ++i)
      yield();
    watch.want(true, false);
    watch.want(false, false);
    for (int i = 0; i < 10; ++i)
      yield();
    EXPECT_EQ(calls, 0);
  });
}

TEST(FdWatch, MayBeDestroyedByItsOwnCall) {
  run_with_loop([] {
    sys::Pipe pipe = sys::make_pipe().value();
    Condition done;
    std::unique_ptr<FdWatch> watch;
    std::string note(100, 'x');
    watch = std::make_unique<FdWatch>(pipe.write.get(), [&, note](bool, bool writable) {
      EXPECT_TRUE(writable);
      watch.reset();
      EXPECT_EQ(note.size(), 100u);  // What the call captured is still there.
      done.notify_all();
    });
    watch->want(false, true);
    EXPECT_TRUE(done.wait(Deadline::after(seconds(10))));
  });
}

}  // namespace
}  // namespace postrider::io
