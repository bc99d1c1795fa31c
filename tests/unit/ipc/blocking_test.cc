#include "ipc/blocking.h"

#include <stdlib.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/offload.h"
#include "ipc/server.h"
#include "sys/socket.h"

namespace postrider::ipc {
namespace {

struct Question {
  static constexpr uint16_t kType = 100;
  Text<100> text;
  void fields(auto& f) { f(text); }
};
struct Answer {
  static constexpr uint16_t kType = 101;
  Text<200> text;
  void fields(auto& f) { f(text); }
};

void answer(io::Stream stream) {
  Dispatcher dispatcher;
  dispatcher.on<Question>([](const Question& question, Deadline) -> Result<Answer> {
    if (question.text == "bad") return fail(ErrorKind::denied, "not allowed");
    Answer out;
    out.text = "re: " + question.text;
    return out;
  });
  Connection connection(std::move(stream), "server");
  (void)dispatcher.serve(connection, seconds(20), seconds(20));
}

/// What a question gets from a service that treats its one connection so; asked on a thread without fibers.
Result<Answer> asked(const std::string& text, const std::function<void(io::Stream)>& serve, seconds limit) {
  char name[] = "/tmp/postrider-ipc-XXXXXX";
  std::string directory = mkdtemp(name), path = directory + "/s";
  Result<Answer> out;
  io::run_with_loop([&] {
    sys::Fd listener = sys::listen_stream(*sys::Address::from_path(path), 10).value();
    io::spawn([&] {
      io::FdEvents events(listener.get());
      for (;;) {
        if (auto accepted = sys::accept_one(listener.get()).value())
          return serve(io::Stream(std::move(accepted->fd)));
        events.wait_readable(Deadline::never());
      }
    });
    auto call = [path, text, limit] {
      Question question;
      question.text = text;
      return ask_blocking<Answer>(Endpoint{.path = path, .asker = "test"}, question, limit);
    };
    out = io::offload(call, Deadline::after(seconds(60)));
  });
  ::unlink(path.c_str());
  ::rmdir(directory.c_str());
  return out;
}

TEST(AskBlocking, GetsTheReplyOrTheFailure) {
  EXPECT_EQ(asked("x", answer, seconds(20)).value().text, "re: x");
  auto refused = asked("bad", answer, seconds(20));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::denied);
  EXPECT_EQ(refused.error().text, "not allowed");
}

TEST(AskBlocking, EndsWithThePeer) {
  EXPECT_FALSE(asked("x", [](const io::Stream&) {}, seconds(20)));
  auto garbage = [](io::Stream stream) {
    stream.write(std::string(100, '\xff'));
    (void)stream.flush(Deadline::after(seconds(20)));
    (void)stream.read_exact(1000, Deadline::after(seconds(20)));
  };
  auto failed = asked("x", garbage, seconds(20));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::invalid);
}

TEST(AskBlocking, WaitsNoLongerThanItsLimit) {
  auto silent = [](io::Stream stream) { (void)stream.read_exact(10'000, Deadline::after(seconds(30))); };
  auto failed = asked("x", silent, seconds(1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::timeout);
}

}  // namespace
}  // namespace postrider::ipc
