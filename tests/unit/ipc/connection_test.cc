#include "ipc/connection.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/sync.h"
#include "ipc/client.h"
#include "ipc/server.h"
#include "sys/socket.h"

namespace postrider::ipc {
namespace {

struct Question {
  static constexpr uint16_t kType = 100;
  Text<100'000> text;
  void fields(auto& f) { f(text); }
};
struct Answer {
  static constexpr uint16_t kType = 101;
  Text<100'000> text;
  void fields(auto& f) { f(text); }
};

/// Another request of the same service.
struct Sum {
  static constexpr uint16_t kType = 102;
  List<Text<10>, 10> words;
  void fields(auto& f) { f(words); }
};

Deadline soon() {
  return Deadline::after(seconds(20));
}

/// A service on a socket of its own directory; each connection is served by `serve` in a fiber.
class Service {
 public:
  explicit Service(std::function<void(io::Stream)> serve) {
    char name[] = "/tmp/postrider-ipc-XXXXXX";
    directory_ = mkdtemp(name);
    listener_ = sys::listen_stream(*sys::Address::from_path(path()), 10).value();
    io::spawn([this, serve] {
      io::FdEvents events(listener_.get());
      for (;;) {
        auto accepted = sys::accept_one(listener_.get()).value();
        if (accepted) {
          ++connections;
          io::spawn([serve, fd = std::move(accepted->fd)]() mutable { serve(io::Stream(std::move(fd))); });
        } else {
          events.wait_readable(Deadline::never());
        }
      }
    });
  }
  ~Service() {
    ::unlink(path().c_str());
    ::rmdir(directory_.c_str());
  }
  std::string path() const { return directory_ + "/s"; }
  Endpoint endpoint() const {
    return {.path = path(), .asker = "test", .idle = seconds(5), .timeout = seconds(20)};
  }
  int connections = 0;

 private:
  std::string directory_;
  sys::Fd listener_;
};

void serve_answers(io::Stream stream) {
  Dispatcher dispatcher;
  dispatcher.on<Question>([](Question question, Deadline) -> Result<Answer> {
    if (question.text == "wait") io::sleep_for(milliseconds(5));
    if (question.text == "bad") return fail(ErrorKind::denied, "not allowed");
    Answer answer;
    answer.text = "re: " + question.text;
    return answer;
  });
  dispatcher.on<Sum>([](Sum sum, Deadline) -> Result<Answer> {
    Answer answer;
    for (const auto& word : sum.words)
      answer.text += word;
    return answer;
  });
  Connection connection(std::move(stream), "server");
  (void)dispatcher.serve(connection, seconds(20), seconds(20));
}

Question ask(std::string text) {
  Question question;
  question.text = std::move(text);
  return question;
}

TEST(Client, ManyRequestsShareOneConnectionAndMayOvertake) {
  io::run_with_loop([] {
    Service service(serve_answers);
    Client client(service.endpoint());
    std::string order;
    io::TaskGroup group;
    for (const char* text : {"wait", "quick"}) {
      group.spawn([&, text] {
        auto answer = client.call<Answer>(ask(text), soon());
        ASSERT_TRUE(answer) << answer.error().text;
        order += answer->text + ";";
      });
    }
    ASSERT_TRUE(group.wait(soon()));
    EXPECT_EQ(order, "re: quick;re: wait;");
    EXPECT_EQ(service.connections, 1);
  });
}

TEST(Client, RequestsOfSeveralKindsMayArriveTogether) {
  io::run_with_loop([] {
    Service service(serve_answers);
    Client client(service.endpoint());
    io::TaskGroup group;
    for (int i = 0; i < 20; ++i) {
      group.spawn([&] { EXPECT_EQ(client.call<Answer>(ask("x"), soon()).value().text, "re: x"); });
      group.spawn([&] {
        Sum sum;
        for (const char* word : {"a", "b", "c"})
          sum.words.emplace_back(word);
        EXPECT_EQ(client.call<Answer>(sum, soon()).value().text, "abc");
      });
    }
    ASSERT_TRUE(group.wait(soon()));
  });
}

TEST(Client, LargeMessagesAreWhole) {
  io::run_with_loop([] {
    Service service(serve_answers);
    Client client(service.endpoint());
    std::string text(90'000, 'x');
    EXPECT_EQ(client.call<Answer>(ask(text), soon()).value().text, "re: " + text);
    EXPECT_EQ(client.call<Answer>(ask("small"), soon()).value().text, "re: small");
  });
}

TEST(Client, AServicesErrorArrivesAsAnError) {
  io::run_with_loop([] {
    Service service(serve_answers);
    Client client(service.endpoint());
    auto answer = client.call<Answer>(ask("bad"), soon());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::denied);
    EXPECT_EQ(answer.error().text, "not allowed");
  });
}

TEST(Client, ARequestThatWasNotAnsweredIsSentAgainOnce) {
  io::run_with_loop([] {
    int served = 0;
    Service service([&](io::Stream stream) {
      if (served++ > 0) return serve_answers(std::move(stream));
      Connection connection(std::move(stream), "server");
      (void)connection.receive(soon());  // Reads the request and dies.
    });
    Client client(service.endpoint());
    EXPECT_EQ(client.call<Answer>(ask("x"), soon()).value().text, "re: x");
    EXPECT_EQ(service.connections, 2);
  });
}

TEST(Client, GivesUpWhenTheServiceKeepsDying) {
  signal(SIGPIPE, SIG_IGN);  // As in every daemon.
  io::run_with_loop([] {
    Service service([&](io::Stream) {});
    Client client(service.endpoint());
    auto answer = client.call<Answer>(ask("x"), soon());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::temporary);
  });
}

TEST(Client, TellsWhenAConnectionEnds) {
  io::run_with_loop([] {
    Service service([&](io::Stream stream) {
      Connection connection(std::move(stream), "server");
      auto question = connection.receive_as<Question>(soon());
      Answer answer;
      (void)connection.send(answer, soon(), 1);
    });
    Client client(service.endpoint());
    bool told = false;
    io::Condition condition;
    client.on_disconnect([&] {
      told = true;
      condition.notify_all();
    });
    EXPECT_TRUE(client.call<Answer>(ask("x"), soon()));
    if (!told) condition.wait(soon());
    EXPECT_TRUE(told);
  });
}

TEST(Client, ReplacesAConnectionThatWasUsedLongEnough) {
  io::run_with_loop([] {
    Service service(serve_answers);
    Endpoint endpoint = service.endpoint();
    endpoint.ttl = seconds(0);
    Client client(endpoint);
    for (int i = 1; i <= 3; ++i) {
      EXPECT_EQ(client.call<Answer>(ask("x"), soon()).value().text, "re: x");
      EXPECT_EQ(service.connections, i);
    }
    // What was asked over an old connection is answered there.
    io::TaskGroup group;
    for (const char* text : {"wait", "quick", "wait", "x"}) {
      group.spawn([&, text] {
        auto answer = client.call<Answer>(ask(text), soon());
        ASSERT_TRUE(answer) << answer.error().text;
        EXPECT_EQ(answer->text, std::string("re: ") + text);
      });
      io::sleep_for(milliseconds(1));
    }
    ASSERT_TRUE(group.wait(soon()));
  });
}

TEST(Client, ClosesAnIdleConnection) {
  io::run_with_loop([] {
    Service service(serve_answers);
    Endpoint endpoint = service.endpoint();
    endpoint.idle = seconds(0);
    Client client(endpoint);
    bool ended = false;
    io::Condition condition;
    client.on_disconnect([&] {
      ended = true;
      condition.notify_all();
    });
    EXPECT_EQ(client.call<Answer>(ask("x"), soon()).value().text, "re: x");
    if (!ended) condition.wait(soon());
    EXPECT_TRUE(ended);
    EXPECT_EQ(client.call<Answer>(ask("x"), soon()).value().text, "re: x");
    EXPECT_EQ(service.connections, 2);
  });
}

TEST(Dispatcher, GarbageEndsOnlyThatConnection) {
  io::run_with_loop([] {
    std::vector<std::string> errors;
    Service service([&](io::Stream stream) {
      Connection connection(std::move(stream), "server");
      Dispatcher dispatcher;
      auto served = dispatcher.serve(connection, seconds(20), seconds(20));
      if (!served) errors.push_back(served.error().text);
    });
    for (std::string garbage :
         {std::string("GET / HTTP/1.0\r\n\r\n"), std::string("\x10\0\0\0", 4) + std::string(16, 'x')}) {
      auto stream = io::connect(*sys::Address::from_path(service.path()), std::nullopt, soon()).value();
      stream.write(garbage);
      ASSERT_TRUE(stream.flush(soon()));
      // The server says hello, perhaps, and hangs up.
      while (stream.fill(soon()).value_or(false)) {
      }
    }
    EXPECT_EQ(errors.size(), 2U);
  });
}

TEST(Pool, ReusesConnectionsAndNoticesDeadOnes) {
  io::run_with_loop([] {
    int limit = 2;
    Service service([&](io::Stream stream) {
      Connection connection(std::move(stream), "server");
      for (int i = 0; i < limit; ++i) {
        if (!connection.receive_as<Question>(soon())) return;
        Answer answer;
        if (!connection.send(answer, soon())) return;
      }
    });
    Pool pool(service.endpoint());
    auto job = [&] {
      auto connection = std::move(pool.take(soon())->connection);
      ASSERT_TRUE(connection->send(ask("x"), soon()));
      ASSERT_TRUE(connection->receive_as<Answer>(soon()));
      pool.give_back(std::move(connection));
    };
    job();
    job();
    EXPECT_EQ(service.connections, 1);
    io::sleep_for(milliseconds(1));  // Lets the server's end arrive: it serves two requests a connection.
    job();
    EXPECT_EQ(service.connections, 2);
  });
}

TEST(Pool, DropsConnectionsThatWereUsedLongEnough) {
  io::run_with_loop([] {
    Service service(serve_answers);
    Endpoint endpoint = service.endpoint();
    endpoint.ttl = seconds(0);
    Pool pool(endpoint);
    for (int i = 0; i < 2; ++i) {
      auto connection = std::move(pool.take(soon())->connection);
      ASSERT_TRUE(connection->send(ask("x"), soon()));
      ASSERT_TRUE(connection->receive_as<Answer>(soon()));
      pool.give_back(std::move(connection));
    }
    EXPECT_EQ(service.connections, 2);
  });
}

}  // namespace
}  // namespace postrider::ipc
