// Messages through the cleanup service, with rewrite, bounce and trace services that are the test's own.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "cleanup/job.h"
#include "config/config.h"
#include "io/fiber.h"
#include "ipc/server.h"
#include "log/log.h"
#include "proto/bounce.h"
#include "proto/rewrite.h"
#include "queue/content.h"
#include "queue/envelope.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace postrider::cleanup {

inline constexpr uint32_t kAllFlags = proto::kCleanupFilter | proto::kCleanupMap | proto::kCleanupBcc;

/// What a test hands to the service.
struct Input {
  std::string records;
  Input& add(queue::RecordType type, std::string_view data) {
    queue::append_record(records, type, data);
    return *this;
  }
  Input& attribute(std::string_view name, std::string_view value) {
    return add(queue::RecordType::attribute, std::string(name) + "=" + std::string(value));
  }
  Input& content(const std::vector<std::string>& lines) {
    add(queue::RecordType::message, "");
    for (const std::string& line : lines)
      add(queue::RecordType::text, line);
    return add(queue::RecordType::extracted, "");
  }
  Input& end() { return add(queue::RecordType::end, ""); }

  /// An envelope from "joe", up to the recipients.
  static Input envelope(std::string_view sender, std::string_view context = "local") {
    Input in;
    in.add(queue::RecordType::arrival_time, "1700000000 5");
    in.attribute("rewrite_context", context);
    in.add(queue::RecordType::sender, sender);
    return in;
  }
  static Input mail(std::string_view sender, const std::vector<std::string>& recipients,
                    const std::vector<std::string>& lines, std::string_view context = "local") {
    Input in = envelope(sender, context);
    for (const std::string& recipient : recipients)
      in.add(queue::RecordType::recipient, recipient);
    return in.content(lines).end();
  }
};

struct Outcome {
  proto::CleanupStatus status;
  std::string id;
  std::string envelope;  ///< "S:sender R:address(original)..."; empty: there is no queue file.
  std::string content;   ///< Lines with '\n'.
  std::string records;   ///< "name: data" lines of all records but content, without times and sizes.
  queue::SizeRecord size;
};

class CleanupTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/postrider-cleanup-XXXXXX";
    directory_ = mkdtemp(name);
    char here[4096];
    home_ = getcwd(here, sizeof here);
    ASSERT_EQ(chdir(directory_.c_str()), 0);
    for (const char* queue : {"incoming", "hold", "trace", "private", "public"}) {
      ASSERT_TRUE(sys::make_directory(queue, 0700));
    }
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
                                  "myhostname = mx.example\nqueue_directory = " + directory_ + "\n" + main_cf,
                                  0644));
    config::LoadOptions options;
    options.directory = directory_;
    auto config = config::Config::load(options);
    EXPECT_TRUE(config) << config.error().text;
    return *config;
  }

  void serve_socket(const std::string& path, ipc::Dispatcher& dispatcher) {
    auto listener = std::make_shared<sys::Fd>(sys::listen_stream(*sys::Address::from_path(path), 5).value());
    io::spawn([listener, &dispatcher] {
      io::FdEvents events(listener->get());
      for (;;) {
        auto accepted = sys::accept_one(listener->get()).value();
        if (!accepted) {
          events.wait_readable(Deadline::never());
          continue;
        }
        io::spawn([fd = std::move(accepted->fd), &dispatcher]() mutable {
          ipc::Connection connection(io::Stream(std::move(fd)), "test");
          (void)dispatcher.serve(connection, seconds(20), seconds(20));
        });
      }
    });
  }

  /// rewrite adds "@mx.example" (or "@remote.example") to addresses without a domain; bounce and trace keep
  /// what they are told in `reports_`.
  void serve_others() {
    rewrite_.on<proto::RewriteRequest>(
        [this](proto::RewriteRequest request, Deadline) -> Result<proto::RewriteReply> {
          ++questions_;
          proto::RewriteReply reply;
          std::string domain = request.context == "local" ? "@mx.example" : "@remote.example";
          for (auto& address : request.addresses) {
            bool complete = address == "\"\"" || address.find('@') != std::string::npos;
            reply.addresses.emplace_back(complete ? std::string(address) : address + domain);
          }
          return reply;
        });
    auto append = [this](proto::AppendStatus request, Deadline) -> Result<proto::Done> {
      reports_ += request.action + " " + request.recipient.address + " " + request.status + " " +
                  request.reason + "\n";
      return proto::Done();
    };
    bounce_.on<proto::AppendStatus>(append);
    trace_.on<proto::AppendStatus>(append);
    bounce_.on<proto::SendNotice>([this](proto::SendNotice request, Deadline) -> Result<proto::Done> {
      if (bounce_fails_) return fail(ErrorKind::temporary, "no");
      reports_ += "notice to <" + request.sender + "> ret " + std::to_string(request.dsn_ret) + "\n";
      return proto::Done();
    });
    serve_socket("private/rewrite", rewrite_);
    serve_socket("private/bounce", bounce_);
    serve_socket("private/trace", trace_);
  }

  Outcome submit(const std::string& main_cf, const Input& input, uint32_t flags = kAllFlags,
                 size_t frame = 777) {
    Outcome out;
    config::Config config = load(main_cf);
    io::run_with_loop([&] {
      serve_others();
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
      read_back(workshop.store, out, queue::QueueName::incoming);
      if (out.envelope.empty()) {
        read_back(workshop.store, out, queue::QueueName::hold);
        if (!out.envelope.empty()) out.envelope = "held " + out.envelope;
      }
    });
    return out;
  }

  static Deadline soon() { return Deadline::after(seconds(20)); }

  static void read_back(queue::Store& store, Outcome& out, queue::QueueName queue) {
    auto file = store.open(queue, out.id, queue::OpenMode::read);
    if (!file) return;
    auto envelope = queue::read_envelope(**file, 100);
    ASSERT_TRUE(envelope) << envelope.error().text;
    out.size = envelope->size;
    out.envelope = "S:" + envelope->sender;
    for (const queue::Recipient& r : envelope->recipients)
      out.envelope += " R:" + r.address + "(" + r.original + ")";
    queue::ContentReader reader(**file, envelope->size);
    while (auto piece = reader.next().value())
      out.content += std::string(piece->text) + (piece->ends_line ? "\n" : "");
    EXPECT_EQ(envelope->size.recipients, static_cast<int64_t>(envelope->recipients.size()));
    read_records(**file, out);
  }

  static void read_records(queue::File& file, Outcome& out) {
    queue::RecordReader reader(file);
    bool content = false;
    while (auto record = reader.next().value()) {
      if (record->is(queue::RecordType::extracted)) content = false;
      bool varies = record->is(queue::RecordType::size) || record->is(queue::RecordType::arrival_time) ||
                    record->data.starts_with("create_time");
      if (!content && !varies) {
        out.records +=
            std::string(queue::record_name(record->type)) + ": " + std::string(record->data) + "\n";
      }
      if (record->is(queue::RecordType::message)) content = true;
    }
  }

  bool logged(std::string_view part) const {
    for (const std::string& line : log_) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  std::string directory_, home_;
  std::vector<std::string> log_;
  std::string reports_;  ///< What bounce and trace were told.
  bool bounce_fails_ = false;
  int questions_ = 0;  ///< To rewrite.

 private:
  ipc::Dispatcher rewrite_, bounce_, trace_;
};

}  // namespace postrider::cleanup
