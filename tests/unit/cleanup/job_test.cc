// The cleanup service with a rewrite service that is this test's own.
#include "cleanup/job.h"

#include <stdlib.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "config/config.h"
#include "io/fiber.h"
#include "ipc/server.h"
#include "log/log.h"
#include "proto/rewrite.h"
#include "queue/content.h"
#include "queue/envelope.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace postrider::cleanup {
namespace {

using queue::RecordType;

Deadline soon() { return Deadline::after(seconds(20)); }

class CleanupTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-cleanup-XXXXXX";
    directory_ = mkdtemp(name);
    char here[4096];
    home_ = getcwd(here, sizeof here);
    ASSERT_EQ(chdir(directory_.c_str()), 0);
    for (const char* queue : {"incoming", "hold", "private", "public"}) ASSERT_TRUE(sys::make_directory(queue, 0700));
    setenv("TZ", "UTC", 1);
    log::set_test_sink([this](log::Severity, std::string_view text) { log_.emplace_back(text); });
  }
  void TearDown() override {
    log::set_test_sink(nullptr);
    ASSERT_EQ(chdir(home_.c_str()), 0);
    std::system(("rm -rf " + directory_).c_str());
  }

  config::Config load(const std::string& main_cf) {
    EXPECT_TRUE(sys::replace_file(directory_ + "/main.cf",
                                  "myhostname = mx.example\nqueue_directory = " + directory_ + "\n" + main_cf, 0644));
    config::LoadOptions options;
    options.directory = directory_;
    auto config = config::Config::load(options);
    EXPECT_TRUE(config) << config.error().text;
    return *config;
  }

  /// Adds "@mx.example" to addresses without a domain.
  void serve_rewrite() {
    listener_ = sys::listen_stream(*sys::Address::from_path("private/rewrite"), 5).value();
    io::spawn([this] {
      io::FdEvents events(listener_.get());
      for (;;) {
        auto accepted = sys::accept_one(listener_.get()).value();
        if (!accepted) {
          events.wait_readable(Deadline::never());
          continue;
        }
        io::spawn([fd = std::move(accepted->fd)]() mutable {
          ipc::Dispatcher dispatcher;
          dispatcher.on<proto::RewriteRequest>([](proto::RewriteRequest request, Deadline) -> Result<proto::RewriteReply> {
            proto::RewriteReply reply;
            for (auto& address : request.addresses) {
              reply.addresses.emplace_back(address.find('@') == std::string::npos ? address + "@mx.example" : address);
            }
            return reply;
          });
          ipc::Connection connection(io::Stream(std::move(fd)), "rewrite");
          (void)dispatcher.serve(connection, seconds(20), seconds(20));
        });
      }
    });
  }

  struct Outcome {
    proto::CleanupStatus status;
    std::string id;
    std::string envelope;  ///< "S:sender R:address(original)..."
    std::string content;   ///< Lines with '\n'.
  };

  struct Input {
    std::string records;
    Input& add(RecordType type, std::string_view data) {
      queue::append_record(records, type, data);
      return *this;
    }
  };

  static Input mail(std::string_view sender, const std::vector<std::string>& recipients,
                    const std::vector<std::string>& lines, std::string_view context = "local") {
    Input in;
    in.add(RecordType::arrival_time, "1700000000 5");
    in.add(RecordType::attribute, "rewrite_context=" + std::string(context));
    in.add(RecordType::sender, sender);
    for (const std::string& recipient : recipients) in.add(RecordType::recipient, recipient);
    in.add(RecordType::message, "");
    for (const std::string& line : lines) in.add(RecordType::text, line);
    return in.add(RecordType::extracted, "").add(RecordType::end, "");
  }

  Outcome submit(const std::string& main_cf, const Input& input,
                 uint32_t flags = proto::kCleanupFilter | proto::kCleanupMap, size_t frame = 7) {
    Outcome out;
    config::Config config = load(main_cf);
    io::run_with_loop([&] {
      serve_rewrite();
      Workshop workshop(config);
      auto pair = sys::make_socket_pair(SOCK_STREAM).value();
      io::spawn([&workshop, fd = std::move(pair.second)]() mutable {
        ipc::Connection server(io::Stream(std::move(fd)), "cleanup");
        (void)serve(workshop, server);
      });
      ipc::Connection client(io::Stream(std::move(pair.first)), "test");
      proto::CleanupBegin begin;
      begin.flags = flags;
      ASSERT_TRUE(client.send(begin, soon()));
      out.id = client.receive_as<proto::CleanupQueueId>(soon()).value().queue_id;
      for (size_t at = 0; at < input.records.size(); at += frame) {
        proto::CleanupData data;
        data.records = input.records.substr(at, frame);
        ASSERT_TRUE(client.send(data, soon()));
      }
      ASSERT_TRUE(client.send(proto::CleanupEnd{}, soon()));
      out.status = client.receive_as<proto::CleanupStatus>(soon()).value();
      read_back(workshop.store, out, (flags & proto::kCleanupHold) != 0 ? queue::QueueName::hold : queue::QueueName::incoming);
    });
    return out;
  }

  static void read_back(queue::Store& store, Outcome& out, queue::QueueName queue) {
    auto file = store.open(queue, out.id, queue::OpenMode::read);
    if (!file) return;
    auto envelope = queue::read_envelope(**file, 100);
    ASSERT_TRUE(envelope) << envelope.error().text;
    out.envelope = "S:" + envelope->sender;
    for (const queue::Recipient& r : envelope->recipients) out.envelope += " R:" + r.address + "(" + r.original + ")";
    queue::ContentReader reader(**file, envelope->size);
    while (auto piece = reader.next().value()) out.content += std::string(piece->text) + (piece->ends_line ? "\n" : "");
    EXPECT_EQ(envelope->size.recipients, static_cast<int64_t>(envelope->recipients.size()));
  }

  bool logged(std::string_view part) const {
    for (const std::string& line : log_) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  std::string directory_, home_;
  std::vector<std::string> log_;
  sys::Fd listener_;
};

TEST_F(CleanupTest, CompletesAddressesAndMissingHeaders) {
  Outcome out = submit("", mail("joe", {"ann", "bob@example.org"}, {"Subject: x", "To: ann", "", "body"}));
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "S:joe@mx.example R:ann@mx.example(ann) R:bob@example.org(bob@example.org)");
  EXPECT_EQ(out.content, "Subject: x\nTo: ann@mx.example\nMessage-Id: <20231114221320." + out.id +
                             "@mx.example>\nDate: Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\nFrom: joe@mx.example\n\nbody\n");
  EXPECT_TRUE(logged(out.id + ": message-id=<20231114221320." + out.id + "@mx.example>"));
}

TEST_F(CleanupTest, LeavesTheHeadersOfOutsidersAlone) {
  Outcome out = submit("", mail("joe@example.org", {"ann"}, {"From: joe", "", "body"}, "remote"));
  EXPECT_EQ(out.content, "From: joe\n\nbody\n");
  EXPECT_TRUE(logged(": message-id=<>"));
}

TEST_F(CleanupTest, ExpandsVirtualAliasesOnceEach) {
  Outcome out = submit("virtual_alias_maps = inline:{ { all@mx.example = ann, bob, ann } { bob@mx.example = bob, carol } }\n",
                       mail("joe", {"all", "ann"}, {"", "body"}));
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope,
            "S:joe@mx.example R:ann@mx.example(all) R:bob@mx.example(all) R:carol@mx.example(all) R:ann@mx.example(ann)");
}

TEST_F(CleanupTest, AnEndlessAliasIsRefusedForNow) {
  Outcome out = submit(
      "virtual_alias_recursion_limit = 10\n"
      "virtual_alias_maps = inline:{ { a@mx.example = b } { b@mx.example = a } }\n",
      mail("joe", {"a"}, {"", "x"}));
  EXPECT_NE(out.status.problems & proto::kProblemDefer, 0U);
  EXPECT_EQ(out.envelope, "");
  EXPECT_TRUE(logged("unreasonable virtual_alias_maps map nesting"));
}

TEST_F(CleanupTest, ATableThatFailsDefersTheMessage) {
  Outcome out = submit("virtual_alias_maps = fail:x\n", mail("joe", {"a"}, {"", "x"}));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemDefer));
  EXPECT_EQ(out.envelope, "");
}

TEST_F(CleanupTest, MapsSendersByCanonicalAndMasquerade) {
  Outcome out = submit(
      "sender_canonical_maps = inline:{ joe@mx.example=Joe.User@host.example.org }\n"
      "masquerade_domains = example.org\n",
      mail("joe", {"ann"}, {"From: joe", "", "x"}));
  EXPECT_EQ(out.envelope, "S:Joe.User@example.org R:ann@mx.example(ann)");
  EXPECT_EQ(out.content.substr(0, out.content.find('\n')), "From: Joe.User@example.org");
}

TEST_F(CleanupTest, HoldPutsTheMessageAside) {
  Outcome out = submit("", mail("joe", {"ann"}, {"", "x"}), proto::kCleanupHold);
  EXPECT_EQ(out.status.problems, 0U);
  EXPECT_EQ(out.envelope, "S:joe@mx.example R:ann@mx.example(ann)");
}

TEST_F(CleanupTest, TooManyHopsAreRefused) {
  std::vector<std::string> lines(5, "Received: from x");
  lines.insert(lines.end(), {"", "x"});
  Outcome out = submit("hopcount_limit = 5\n", mail("joe", {"ann"}, lines));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemHops));
  EXPECT_TRUE(logged("message rejected: hopcount exceeded"));
}

TEST_F(CleanupTest, AMessageWithoutRecipientsIsRefused) {
  Outcome out = submit("", mail("joe", {}, {"", "x"}));
  EXPECT_EQ(out.status.problems, static_cast<uint32_t>(proto::kProblemRecipients));
  EXPECT_TRUE(sys::list_directory("incoming").value().empty());
}

TEST_F(CleanupTest, RecordsMayBeSplitBetweenFramesAnywhere) {
  Input input = mail("joe", {"ann"}, {"Subject: x", "", std::string(3000, 'y')});
  std::string first = submit("", input, proto::kCleanupFilter, 1).content;
  EXPECT_NE(first.find(std::string(3000, 'y') + "\n"), std::string::npos);
}

TEST_F(CleanupTest, AClientThatGoesAwayLeavesNothingBehind) {
  config::Config config = load("");
  io::run_with_loop([&] {
    serve_rewrite();
    Workshop workshop(config);
    auto pair = sys::make_socket_pair(SOCK_STREAM).value();
    bool served = false;
    io::Condition done;
    io::spawn([&, fd = std::move(pair.second)]() mutable {
      ipc::Connection server(io::Stream(std::move(fd)), "cleanup");
      EXPECT_TRUE(serve(workshop, server));
      served = true;
      done.notify_all();
    });
    {
      ipc::Connection client(io::Stream(std::move(pair.first)), "test");
      ASSERT_TRUE(client.send(proto::CleanupBegin{}, soon()));
      ASSERT_TRUE(client.receive_as<proto::CleanupQueueId>(soon()));
      EXPECT_EQ(sys::list_directory("incoming").value().size(), 1U);
    }
    while (!served) ASSERT_TRUE(done.wait(soon()));
    EXPECT_TRUE(sys::list_directory("incoming").value().empty());
  });
}

}  // namespace
}  // namespace postrider::cleanup
