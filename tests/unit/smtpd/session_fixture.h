// An SMTP server whose surroundings are this test's own: no other service, no name server.
#pragma once

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "clients/tables.h"
#include "io/fiber.h"
#include "io/stream.h"
#include "log/log.h"
#include "smtpd/session.h"
#include "sys/file.h"
#include "sys/socket.h"
#include "tls/server.h"

namespace postrider::smtpd {

/// Mail for here.test is local, for relay.test relayed, anything else goes elsewhere.
class FakeWorld : public access::World {
 public:
  Result<proto::ResolveReply> resolve(std::string_view, std::string_view address, Deadline) override {
    if (broken) return fail(ErrorKind::temporary, "no rewrite service");
    proto::ResolveReply reply;
    std::string full(address);
    if (full.find('@') == std::string::npos && !full.empty()) full += "@here.test";
    reply.recipient = full;
    reply.flags = full.ends_with("@here.test")    ? uint32_t{proto::kResolveLocal}
                  : full.ends_with("@relay.test") ? uint32_t{proto::kResolveRelay}
                                                  : uint32_t{proto::kResolveDefault};
    return reply;
  }
  dns::Answer lookup(std::string_view name, std::span<const dns::Type> types, Deadline) override {
    for (dns::Type type : types) {
      auto known = records.find(std::string(dns::type_name(type)) + " " + std::string(name));
      if (known != records.end()) return known->second;
    }
    dns::Answer answer;
    answer.status = dns::Status::not_found;
    return answer;
  }
  sys::HostAnswer addresses(std::string_view host, Deadline) override {
    if (auto known = hosts.find(std::string(host)); known != hosts.end()) {
      return sys::HostAnswer{.addresses = {*sys::Address::from_ip(known->second)}};
    }
    return sys::HostAnswer::failed(sys::HostError::unknown_host);
  }
  /// Localparts say it: "good", "bad"; anything else is still being tried.
  Result<proto::VerifyAnswer> verify(std::string_view address, Deadline) override {
    if (broken) return fail(ErrorKind::temporary, "no verify service");
    proto::VerifyAnswer answer;
    if (address.starts_with("good@")) answer.status = proto::AddressStatus::deliverable;
    if (address.starts_with("bad@")) answer.status = proto::AddressStatus::undeliverable;
    answer.text = std::string_view("as they say");
    return answer;
  }
  /// "MX name": a mail exchanger of that name.
  void add_exchanger(const std::string& name, const std::string& host, uint16_t preference = 10) {
    dns::Answer& answer = records["MX " + name];
    answer.status = dns::Status::found;
    dns::Record record;
    record.type = dns::Type::mx;
    record.preference = preference;
    record.data = host;
    answer.records.push_back(record);
  }
  bool broken = false;
  std::map<std::string, dns::Answer> records;
  std::map<std::string, std::string> hosts;
};

/// Keeps what it gets.
class FakeMail : public MailSystem {
 public:
  struct Message {
    uint32_t flags = 0;
    std::vector<std::string> records;  ///< "S:sender"
    bool complete = false;
    std::string all() const {
      std::string out;
      for (const std::string& record : records)
        out += record + "\n";
      return out;
    }
    bool has(std::string_view record) const {
      return std::find(records.begin(), records.end(), record) != records.end();
    }
  };

  Result<std::unique_ptr<MailSink>> begin(uint32_t flags, Deadline) override {
    if (begin_error) return std::unexpected(*begin_error);
    messages.push_back(std::make_unique<Message>());
    messages.back()->flags = flags;
    return std::make_unique<Sink>(*this, *messages.back(), "ID" + std::to_string(messages.size()));
  }
  bool has_room(int64_t) override { return room; }

  const Message& last() const { return *messages.back(); }

  std::vector<std::unique_ptr<Message>> messages;
  proto::CleanupStatus status;
  std::optional<Error> begin_error;
  bool room = true;

 private:
  class Sink : public MailSink {
   public:
    Sink(FakeMail& mail, Message& message, std::string id)
        : mail_(mail), message_(message), id_(std::move(id)) {}
    const std::string& queue_id() const override { return id_; }
    Result<void> record(queue::RecordType type, std::string_view data, Deadline) override {
      message_.records.push_back(static_cast<char>(type) + (":" + std::string(data)));
      return {};
    }
    void flush(Deadline) override {}
    Result<proto::CleanupStatus> finish(Deadline) override {
      message_.complete = mail_.status.problems == 0;
      return mail_.status;
    }

   private:
    FakeMail& mail_;
    Message& message_;
    std::string id_;
  };
};

class FakeCounter : public EventCounter {
 public:
  Result<Connections> connect(std::string_view ident) override {
    idents.emplace_back(ident);
    ++open;
    return Connections{simultaneous, connection_rate};
  }
  void disconnect(std::string_view) override { --open; }
  Result<uint32_t> count(std::string_view, proto::AnvilEvent event) override { return ++events[event]; }
  Result<uint32_t> rate(std::string_view, proto::AnvilEvent event) override { return events[event]; }

  std::vector<std::string> idents;
  std::map<proto::AnvilEvent, uint32_t> events;
  uint32_t simultaneous = 1, connection_rate = 1;
  int open = 0;
};

class FakePostmaster : public Postmaster {
 public:
  void report(std::string_view, const Transcript& transcript, ErrorClasses,
              std::string_view reason) override {
    reports.push_back(transcript.text() + std::string(reason));
  }
  std::vector<std::string> reports;
};

class FakeFlusher : public Flusher {
 public:
  proto::FlushResult flush(std::string_view site) override {
    sites.emplace_back(site);
    return result;
  }
  std::vector<std::string> sites;
  proto::FlushResult result = proto::FlushResult::ok;
};

/// "joe" logs in with the response "c2VjcmV0", whatever the mechanism; others with what `outcome` is.
class FakeSasl : public sasl::Service {
 public:
  std::unique_ptr<sasl::Server> begin(sasl::Peer peer, sasl::SecurityOptions options) override {
    peers.push_back(peer);
    asked.push_back(options);
    return std::make_unique<Session>(*this);
  }

  std::vector<std::string> mechanisms = {"PLAIN", "LOGIN", "EXTERNAL"};
  sasl::Outcome outcome = {sasl::Outcome::Kind::failed, "authentication failure", "jane"};
  std::vector<sasl::Peer> peers;
  std::vector<sasl::SecurityOptions> asked;
  std::vector<std::string> responses;
  int cancelled = 0;

 private:
  class Session : public sasl::Server {
   public:
    explicit Session(FakeSasl& fake) : fake_(fake) {}
    Result<std::vector<std::string>> mechanisms(Deadline) override { return fake_.mechanisms; }
    sasl::Outcome first(std::string_view mechanism, std::optional<std::string_view> initial,
                        Deadline deadline) override {
      fake_.responses.emplace_back(mechanism);
      if (initial) return next(*initial, deadline);
      return {sasl::Outcome::Kind::challenge, "VXNlcm5hbWU6", {}};
    }
    sasl::Outcome next(std::string_view response, Deadline) override {
      fake_.responses.emplace_back(response.substr(0, 20));
      if (response == "bW9yZQ==") return {sasl::Outcome::Kind::challenge, "", {}};
      if (response == "c2VjcmV0") return {sasl::Outcome::Kind::done, "", "joe"};
      return fake_.outcome;
    }
    void cancel(Deadline) override { ++fake_.cancelled; }

   private:
    FakeSasl& fake_;
  };
};

/// Nothing is kept, and all names have the same certificate.
class FakeTlsSupport : public tls::ServerSupport {
 public:
  std::shared_ptr<const tls::TicketKeys> ticket_keys(Deadline) override { return nullptr; }
  std::optional<std::string> find_session(std::string_view, Deadline) override { return std::nullopt; }
  void save_session(std::string_view, std::string_view, Deadline) override {}
  Result<std::optional<std::string>> find_chain(std::string_view, Deadline) override { return std::nullopt; }
};

/// The client's side of a session.
class Peer {
 public:
  explicit Peer(sys::Fd fd) : stream_(std::move(fd)) {}
  static Deadline soon() { return Deadline::after(seconds(20)); }

  /// Sends a line and gives the reply to it.
  std::string say(std::string_view line) {
    send(std::string(line) + "\r\n");
    return reply();
  }
  void send(std::string_view bytes) {
    stream_.write(bytes);
    (void)stream_.flush(soon());
  }
  /// A reply, its lines with "\n" between them; "<end>" when the server has closed the connection.
  std::string reply() {
    std::string out;
    for (;;) {
      auto line = stream_.read_line(4096, soon());
      if (!line) return out + "<end>";
      out += line->text;
      if (line->text.size() < 4 || line->text[3] != '-') return out;
      out += '\n';
    }
  }
  void close() { stream_.shutdown_write(); }
  /// The client's handshake; false when it fails.
  bool start_tls(SSL_CTX* context) {
    auto session = tls::Session::create(context, {.peer = "server", .server = false}).value();
    if (session->handshake(stream_, "SSL_connect", soon()) != tls::Session::Step::done) return false;
    stream_.set_transport(std::move(session));
    return true;
  }

 private:
  io::Stream stream_;
};

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);  // As daemons do.
    char name[] = "/tmp/postrider-smtpd-XXXXXX";
    directory_ = mkdtemp(name);
    log::set_test_sink([this](log::Severity severity, std::string_view text) {
      log_.push_back(severity == log::Severity::warning ? "warning: " + std::string(text)
                                                        : std::string(text));
    });
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    std::system(("rm -rf " + directory_).c_str());
  }

  /// Runs a session with a client at 192.0.2.7, which does what `client` does.
  void serve(const std::string& main_cf, const std::function<void(Peer&)>& client, bool stand_alone = false) {
    std::string text =
        "compatibility_level = 3.11\nmyhostname = mx.test\nmail_name = Testing\nmynetworks = "
        "127.0.0.0/8\nmydestination = here.test\n"
        "inet_interfaces = 127.0.0.1\nsmtpd_error_sleep_time = 0\nlocal_recipient_maps = inline:{joe=x, "
        "jane=x}\n";
    ASSERT_TRUE(sys::replace_file(directory_ + "/main.cf", text + main_cf, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    options.service_name = "smtp";
    auto config = config::Config::load(options);
    ASSERT_TRUE(config) << config.error().text;
    Settings settings(*config, stand_alone);
    EventLimits limits(*config);
    table::Catalog tables(clients::table_options(*config));
    access::Policy policy(*config, tables, {});
    Lists lists(*config, tables, policy.paths);
    ReplyRules rules(settings, lists);
    Server server{settings,
                  limits,
                  lists,
                  policy,
                  rules,
                  world_,
                  mail_,
                  counter_,
                  postmaster_,
                  flusher_,
                  settings.sasl.enabled ? &sasl_ : nullptr};
    std::unique_ptr<tls::Server> tls_server;
    if (settings.tls.wanted()) {
      tls_server = tls::Server::create(tls::ServerSettings(*config), tls::LibrarySettings(*config),
                                       settings.tls.required);
    }
    server.tls = tls_server.get();
    server.tls_support = &tls_support_;
    io::run_with_loop([&] {
      auto pair = sys::make_socket_pair(SOCK_STREAM).value();
      bool over = false;
      io::Condition ended;
      io::spawn([&, fd = std::move(pair.second)]() mutable {
        Client who = stand_alone ? local_user() : client_;
        if (!stand_alone) who.make_label(settings.client_port_logging);
        Session(server, io::Stream(std::move(fd)), std::move(who)).run();
        over = true;
        ended.notify_all();
      });
      {
        Peer peer(std::move(pair.first));
        client(peer);
      }
      while (!over && ended.wait(Peer::soon())) {
      }
      EXPECT_TRUE(over);
    });
  }

  bool logged(std::string_view text) const {
    for (const std::string& line : log_) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }
  std::string log_text() const {
    std::string out;
    for (const std::string& line : log_)
      out += line + "\n";
    return out;
  }

  static Client make_client() {
    Client out =
        describe_peer(*sys::Address::from_ip("192.0.2.7", 4711), *sys::Address::from_ip("192.0.2.25", 25));
    out.names = {"client.test", dns::NameCheck::ok, "client.test", dns::NameCheck::ok};
    return out;
  }

  Client client_ = make_client();
  FakeWorld world_;
  FakeMail mail_;
  FakeCounter counter_;
  FakePostmaster postmaster_;
  FakeFlusher flusher_;
  FakeSasl sasl_;
  FakeTlsSupport tls_support_;
  std::string directory_;
  std::vector<std::string> log_;
};

}  // namespace postrider::smtpd
