// tcp, socketmap and memcache against small services in the same process.
#include <functional>

#include "io/loop.h"
#include "io/stream.h"
#include "io/sync.h"
#include "support.h"
#include "sys/socket.h"

namespace postrider::table {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Runs `talk` for each connection to a loopback port.
class Service {
 public:
  using Talk = std::function<void(io::Stream&)>;
  explicit Service(Talk talk)
      : listener_(sys::listen_stream(*sys::Address::from_ip("127.0.0.1"), 10).value()),
        talk_(std::move(talk)) {
    io::spawn([this] { accept(); });
  }
  ~Service() {
    stopped_ = true;
    events_.wake_reader();
    tasks_.wait(Deadline::after(seconds(5)));
    io::yield();
  }
  std::string port() const { return std::to_string(sys::local_address(listener_.get())->port()); }
  int connections() const { return connections_; }

 private:
  void accept() {
    while (!stopped_) {
      auto accepted = sys::accept_one(listener_.get());
      if (!accepted || !*accepted) {
        events_.wait_readable(Deadline::after(seconds(10)));
        continue;
      }
      ++connections_;
      tasks_.spawn(
          [this, stream = std::make_shared<io::Stream>(std::move((*accepted)->fd))] { talk_(*stream); });
    }
  }

  sys::Fd listener_;
  Talk talk_;
  io::FdEvents events_{listener_.get()};
  io::TaskGroup tasks_;
  int connections_ = 0;
  bool stopped_ = false;
};

class Services : public TableTest {
 protected:
  /// Answers each line with what `answer` says: "-" is no answer, and nothing ends the connection.
  static Service::Talk by_lines(std::function<std::string(std::string_view)> answer) {
    return [answer](io::Stream& stream) {
      for (;;) {
        auto line = stream.read_line(1000, Deadline::after(seconds(5)));
        if (!line) return;
        std::string reply = answer(line->text);
        if (reply.empty()) return;
        if (reply == "-") continue;
        stream.write(reply);
      }
    };
  }
};

TEST_F(Services, TcpHasItsProtocol) {
  io::run_with_loop([this] {
    Service service(by_lines([](std::string_view line) -> std::string {
      if (line == "get a%20b") return "200 c%25d\n";
      if (line == "get later") return "400 not%20now\n";
      if (line == "get odd") return "900 x\n";
      if (line == "get short") return "2\n";
      return "500 no\n";
    }));
    std::string spec = "tcp:127.0.0.1:" + service.port();
    auto table = open_table(spec);
    EXPECT_EQ(look_up(*table, "a b"), "c%d");
    EXPECT_EQ(look_up(*table, "zz"), "(none)");
    EXPECT_THAT(logged(), IsEmpty());
    EXPECT_THAT(look_up(*table, "later"), HasSubstr("query error"));
    EXPECT_THAT(look_up(*table, "odd"), HasSubstr("query error"));
    EXPECT_THAT(look_up(*table, "short"), HasSubstr("query error"));
    EXPECT_THAT(logged(), ElementsAre(HasSubstr("bad status code: 900 x"), HasSubstr("malformed reply: 2")));
    table.reset();
  });
}

TEST_F(Services, APortIsNeeded) {
  EXPECT_EQ(open_error("tcp:127.0.0.1"), "127.0.0.1: garbage after numerical service");
  EXPECT_EQ(open_error("tcp:host:"), "host:: missing service information");
  EXPECT_EQ(open_error("tcp:[::1]"), "[::1]: missing service information");
  EXPECT_EQ(open_error("tcp:::1"), "::1: valid hostname or network address required");
}

TEST_F(Services, AConnectionThatTheServiceClosedIsMadeAnew) {
  io::run_with_loop([this] {
    Service service([](io::Stream& stream) {
      (void)stream.read_line(1000, Deadline::after(seconds(5)));
      stream.write("200 x\n");
      (void)stream.flush(Deadline::after(seconds(5)));
    });
    auto table = open_table("tcp:127.0.0.1:" + service.port());
    EXPECT_EQ(look_up(*table, "a"), "x");
    EXPECT_EQ(look_up(*table, "b"), "x");
    EXPECT_EQ(service.connections(), 2);
    EXPECT_THAT(logged(), IsEmpty());
    table.reset();
  });
}

TEST_F(Services, SocketmapHasItsProtocol) {
  io::run_with_loop([this] {
    Service service([](io::Stream& stream) {
      for (;;) {
        auto head = stream.read_exact(2, Deadline::after(seconds(5)));
        if (!head) return;
        auto request =
            stream.read_exact(static_cast<size_t>((*head)[0] - '0') + 1, Deadline::after(seconds(5)));
        if (!request) return;
        std::string key = request->substr(2, request->size() - 3);
        stream.write(key == "ok"     ? "8:OK value,"
                     : key == "temp" ? "8:TEMP bad,"
                     : key == "perm" ? "8:PERM bad,"
                     : key == "long" ? "999999:x"
                     : key == "junk" ? "x"
                                     : "9:NOTFOUND ,");
      }
    });
    auto table = open_table("socketmap:inet:127.0.0.1:" + service.port() + ":m");
    EXPECT_EQ(look_up(*table, "ok"), "value");
    EXPECT_EQ(look_up(*table, "none"), "(none)");
    EXPECT_EQ(table->lookup("temp", Deadline::never()).error().kind, ErrorKind::temporary);
    EXPECT_EQ(table->lookup("perm", Deadline::never()).error().kind, ErrorKind::invalid);
    EXPECT_THAT(logged(), ElementsAre(HasSubstr("socketmap server temporary error: bad"),
                                      HasSubstr("socketmap server permanent error: bad")));
    EXPECT_THAT(look_up(*table, "long"), HasSubstr("size limit"));
    EXPECT_THAT(look_up(*table, "junk"), HasSubstr("format error"));
    table.reset();
  });
}

TEST_F(Services, AStalledServiceHoldsUpItsAskersOnly) {
  io::run_with_loop([this] {
    Service service(
        [](io::Stream& stream) { (void)stream.read_exact(1'000'000, Deadline::after(seconds(30))); });
    auto table = open_table("socketmap:inet:127.0.0.1:" + service.port() + ":m");
    bool answered = false;
    Result<std::optional<std::string>> stalled(std::nullopt);
    io::TaskGroup group;
    group.spawn([&] { stalled = table->lookup("a", Deadline::after(milliseconds(300))); });
    group.spawn([&] { answered = look_up("inline:{a=b}", "a") == "b"; });
    io::yield();
    io::yield();
    EXPECT_TRUE(answered);
    group.wait(Deadline::after(seconds(10)));
    ASSERT_FALSE(stalled);
    EXPECT_EQ(stalled.error().kind, ErrorKind::temporary);
    table.reset();
  });
}

TEST_F(Services, MemcacheKeepsWhatItsBackupHas) {
  io::run_with_loop([this] {
    std::vector<std::string> requests;
    Service service(by_lines([&requests](std::string_view line) -> std::string {
      requests.emplace_back(line);
      if (line == "get p-hit") return "VALUE p-hit 0 3\r\nyes\r\nEND\r\n";
      if (line.starts_with("get ")) return "END\r\n";
      if (line.starts_with("set ")) return "-";
      return "STORED\r\n";
    }));
    std::string file = write("m.cf", "memcache = inet:127.0.0.1:" + service.port() +
                                         "\nkey_format = p-%s\nbackup = inline:{b=backup}\nmax_try = 1\n");
    auto table = open_table("memcache:" + file);
    EXPECT_EQ(look_up(*table, "hit"), "yes");
    EXPECT_EQ(look_up(*table, "b"), "backup");
    EXPECT_EQ(look_up(*table, "none"), "(none)");
    EXPECT_EQ(look_up(*table, "no cache key"), "(none)");  // Never sent.
    EXPECT_THAT(requests, ElementsAre("get p-hit", "get p-b", "set p-b 0 3600 6", "backup", "get p-none"));
    table.reset();
  });
}

TEST_F(Services, RefusedConnectionsAreLogged) {
  std::string port;
  {
    io::run_with_loop([&] { port = Service([](io::Stream&) {}).port(); });
  }
  std::string spec = "socketmap:inet:127.0.0.1:" + port + ":m";
  EXPECT_EQ(look_up(spec, "x"), "table " + spec + ": query error: Connection refused");
  EXPECT_THAT(logged(), ElementsAre("connect to 127.0.0.1:" + port + ": Connection refused",
                                    "table " + spec + " lookup error: Connection refused"));
}

TEST_F(Services, SpecificationsAreChecked) {
  EXPECT_EQ(open_error("socketmap:foo"), "socketmap requires server:socketmap argument");
  OpenOptions paranoid = options();
  paranoid.paranoid = true;
  EXPECT_EQ(open("socketmap:inet:127.0.0.1:1:a", paranoid).error().text,
            "socketmap:inet:127.0.0.1:1:a map is not allowed for security-sensitive data");
  EXPECT_EQ(open_error("socketmap:foo:bar:baz"), "invalid transport name: foo in service: foo:bar");
  EXPECT_EQ(open_error("socketmap:inet:x"), "need service transport:endpoint instead of \"inet\"");
}

}  // namespace
}  // namespace postrider::table
