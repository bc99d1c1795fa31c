// A server that says and expects what a test tells it to.
#pragma once

#include <signal.h>

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/stream.h"
#include "io/sync.h"
#include "log/log.h"
#include "smtp/client.h"

namespace postrider::smtp::test {

inline Deadline soon() {
  return Deadline::after(seconds(20));
}

/// The other end of a session.
class ScriptedServer {
 public:
  explicit ScriptedServer(io::Stream stream) { stream_.emplace(std::move(stream)); }

  void send(std::string_view text) {
    stream_->write(text);
    (void)stream_->flush(soon());
  }
  /// The next line of the client.
  std::string receive() {
    auto line = stream_->read_line(30'000, soon());
    return line ? std::string(line->text) : "<" + line.error().text + ">";
  }
  /// Expects a command and answers it.
  void on(std::string_view command, std::string_view reply) {
    EXPECT_EQ(receive(), command);
    send(std::string(reply) + "\r\n");
  }
  /// The lines of a message up to the dot.
  std::vector<std::string> receive_content() {
    std::vector<std::string> lines;
    for (std::string line = receive(); line != "." && !line.starts_with("<"); line = receive())
      lines.push_back(line);
    return lines;
  }
  void greet(std::string_view keywords = "") {
    send("220 mx.test ESMTP\r\n");
    EXPECT_EQ(receive(), "EHLO client.test");
    std::string reply = "250-mx.test\r\n";
    for (std::string_view rest = keywords; !rest.empty();) {
      size_t comma = rest.find(',');
      reply += "250-" + std::string(rest.substr(0, comma)) + "\r\n";
      rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
    reply.replace(reply.rfind("250-"), 4, "250 ");
    send(reply);
  }
  io::Stream& stream() { return *stream_; }
  void hang_up() { stream_.reset(); }

 private:
  std::optional<io::Stream> stream_;
};

struct LogLines {
  std::vector<std::string> lines;
  LogLines() {
    log::set_test_sink([this](log::Severity severity, std::string_view text) {
      lines.push_back((severity == log::Severity::warning ? "warning: " : "") + std::string(text));
    });
  }
  ~LogLines() { log::set_test_sink(nullptr); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;
};

inline ClientSettings settings() {
  ClientSettings out;
  out.helo_name = "client.test";
  out.own_host_name = "me.test";
  return out;
}

/// Runs both sides in fibers; the connection ends when both have returned.
template <typename Server, typename Client>
void converse(ClientSettings client_settings, Server server, Client client) {
  signal(SIGPIPE, SIG_IGN);  // As daemons have it.
  io::run_with_loop([&] {
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    ScriptedServer script{io::Stream(std::move(pair.first))};
    ClientSession session(io::Stream(std::move(pair.second)), {"mx.test", "192.0.2.1", 25},
                          std::move(client_settings));
    session.set_queue_id("QID");
    io::TaskGroup group;
    group.spawn([&] { server(script); });
    client(session);
    EXPECT_TRUE(group.wait(soon()));
  });
}

template <typename Server, typename Client>
void converse(Server server, Client client) {
  converse(settings(), std::move(server), std::move(client));
}

}  // namespace postrider::smtp::test
