#include "io/stream.h"

#include <gtest/gtest.h>

#include "io/sync.h"

namespace postrider::io {
namespace {

struct Ends {
  Stream ours, peer;
};

Ends make_ends() {
  auto pair = sys::make_socket_pair(SOCK_STREAM).value();
  return {Stream(std::move(pair.first)), Stream(std::move(pair.second))};
}

void send(Stream& stream, std::string_view data) {
  stream.write(data);
  ASSERT_TRUE(stream.flush(Deadline::never()));
}

std::string show(const Result<Line>& line) {
  if (!line) return line.error().kind == ErrorKind::closed ? "<closed>" : "<error>";
  static constexpr const char* kEnds[] = {"CRLF", "LF", "...", "EOF"};
  return std::string(line->text) + " " + kEnds[static_cast<int>(line->end)];
}

TEST(Stream, ReadsLinesOfEveryEnding) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    send(peer, "one\r\ntwo\nthree\r\r\nfour");
    peer.shutdown_write();
    Deadline soon = Deadline::after(seconds(10));
    EXPECT_EQ(show(ours.read_line(100, soon)), "one CRLF");
    EXPECT_EQ(show(ours.read_line(100, soon)), "two LF");
    EXPECT_EQ(show(ours.read_line(100, soon)), "three\r CRLF");
    EXPECT_EQ(show(ours.read_line(100, soon)), "four EOF");
    EXPECT_EQ(show(ours.read_line(100, soon)), "<closed>");
  });
}

TEST(Stream, AtTheLimitALineGoesOnInTheNextRead) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    send(peer, "1234\r\n1234\n12345\r\n123456\r\n1234\r5\n");
    Deadline soon = Deadline::after(seconds(10));
    for (const char* expected :
         {"1234 CRLF", "1234 LF", "12345 ...", " CRLF", "12345 ...", "6 CRLF", "1234\r ...", "5 LF"})
      EXPECT_EQ(show(ours.read_line(5, soon)), expected);
  });
}

TEST(Stream, LinesThatArriveByteByByte) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    TaskGroup group;
    group.spawn([&] {
      for (char c : std::string("ab\r\ncd\r\n")) {
        send(peer, std::string_view(&c, 1));
        yield();
      }
    });
    Deadline soon = Deadline::after(seconds(10));
    EXPECT_EQ(show(ours.read_line(100, soon)), "ab CRLF");
    EXPECT_EQ(show(ours.read_line(100, soon)), "cd CRLF");
    EXPECT_TRUE(group.wait(soon));
  });
}

TEST(Stream, OutputLeavesWhenInputIsDrained) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    ours.write("reply\r\n");
    TaskGroup group;
    group.spawn([&] { EXPECT_EQ(show(ours.read_line(100, Deadline::after(seconds(10)))), "<closed>"); });
    EXPECT_EQ(show(peer.read_line(100, Deadline::after(seconds(10)))), "reply CRLF");
    peer.shutdown_write();
    EXPECT_TRUE(group.wait(Deadline::never()));
  });
}

TEST(Stream, OutputReachesWhoHasSentAllItsInputAtOnce) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    send(peer, "HELO\n");
    peer.shutdown_write();
    Deadline soon = Deadline::after(seconds(10));
    EXPECT_EQ(show(ours.read_line(100, soon)), "HELO LF");
    ours.write("250 hello\r\n");
    EXPECT_EQ(show(ours.read_line(100, soon)), "<closed>");
    EXPECT_EQ(show(peer.read_line(100, soon)), "250 hello CRLF");
  });
}

TEST(Stream, LargeTransfersKeepTheirBytes) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    std::string data;
    for (int i = 0; data.size() < 3'000'000; ++i)
      data += std::to_string(i) + "\r\n";
    TaskGroup group;
    group.spawn([&] {
      EXPECT_TRUE(peer.write_through(data, Deadline::after(seconds(10))));
      EXPECT_TRUE(peer.flush(Deadline::after(seconds(10))));
      peer.shutdown_write();
    });
    std::string got;
    for (;;) {
      auto line = ours.read_line(100, Deadline::after(seconds(10)));
      if (!line) break;
      got += line->text;
      got += "\r\n";
    }
    EXPECT_EQ(got.size(), data.size());
    EXPECT_TRUE(got == data);
    EXPECT_TRUE(group.wait(Deadline::never()));
  });
}

TEST(Stream, OneFiberReadsWhileTheOutputOfAnotherOneWaits) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    Stream& stream = ours;
    const std::string data(1'000'000, 'x');
    TaskGroup group;
    std::string heard;
    group.spawn([&] { EXPECT_TRUE(stream.write_through(data, Deadline::after(seconds(10)))); });
    group.spawn([&] { heard = stream.read_exact(2, Deadline::after(seconds(10))).value_or("-"); });
    // In two pieces: the reader waits again while the output still does.
    for (const char* piece : {"1", "2"}) {
      yield();
      send(peer, piece);
    }
    yield();
    EXPECT_TRUE(peer.read_exact(data.size(), Deadline::after(seconds(10))).value_or("") == data);
    EXPECT_TRUE(group.wait(Deadline::never()));
    EXPECT_EQ(heard, "12");
    stream.shutdown_write();
    EXPECT_FALSE(peer.fill(Deadline::after(seconds(10))).value_or(true)) << "sent twice";
  });
}

TEST(Stream, EndOfFileIsSeenEvenWhenItCameWithTheLastData) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    send(peer, "last\r\n");
    peer = Stream(sys::make_pipe().value().write);
    Deadline soon = Deadline::after(seconds(10));
    EXPECT_EQ(show(ours.read_line(100, soon)), "last CRLF");
    EXPECT_EQ(show(ours.read_line(100, soon)), "<closed>");
  });
}

TEST(Stream, ReadsTimeOut) {
  run_with_loop([] {
    auto [ours, peer] = make_ends();
    auto line = ours.read_line(100, Deadline::after(milliseconds(5)));
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().kind, ErrorKind::timeout);
  });
}

TEST(Connect, RefusedAndAccepted) {
  run_with_loop([] {
    auto listener = sys::listen_stream(*sys::Address::from_ip("127.0.0.1", 0), 5).value();
    auto address = sys::local_address(listener.get()).value();
    EXPECT_TRUE(connect(address, std::nullopt, Deadline::after(seconds(10))));
    listener.reset();
    auto refused = connect(address, std::nullopt, Deadline::after(seconds(10)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text, "Connection refused");
  });
}

}  // namespace
TEST(Stream, ThePipesEndArrivesWithItsLastBytes) {
  run_with_loop([] {
    sys::Pipe pipe = sys::make_pipe().value();
    Stream reader(std::move(pipe.read));
    spawn([&] {
      ASSERT_EQ(::write(pipe.write.get(), "x", 1), 1);
      pipe.write.reset();
    });
    EXPECT_TRUE(reader.fill(Deadline::after(seconds(20))).value());
    reader.consume(1);
    auto end = reader.fill(Deadline::after(seconds(20)));
    ASSERT_TRUE(end) << end.error().text;
    EXPECT_FALSE(*end);
  });
}

}  // namespace postrider::io
