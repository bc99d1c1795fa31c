// A cleanup service that keeps what it gets, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/fiber.h"
#include "io/loop.h"
#include "ipc/connection.h"
#include "proto/cleanup.h"
#include "queue/record.h"
#include "sys/socket.h"

namespace postrider::test {

class FakeCleanup {
 public:
  struct Message {
    uint32_t flags = 0;
    std::string id, sender, recipient, text;
    bool complete = false;
  };

  /// Listens on public/cleanup below the working directory; to be called in a fiber.
  void start() {
    listener_ = sys::listen_stream(*sys::Address::from_path("public/cleanup"), 5).value();
    io::spawn([this] {
      io::FdEvents events(listener_.get());
      for (;;) {
        auto accepted = sys::accept_one(listener_.get()).value();
        if (!accepted) {
          events.wait_readable(Deadline::never());
          continue;
        }
        io::spawn([this, fd = std::move(accepted->fd)]() mutable {
          ipc::Connection connection(io::Stream(std::move(fd)), "cleanup");
          while (serve(connection)) {
          }
        });
      }
    });
  }

  std::vector<Message> messages;  ///< In the order of their completion.
  uint32_t problems = 0;          ///< What every message meets.
  std::string reason;

 private:
  bool serve(ipc::Connection& connection) {
    Deadline soon = Deadline::after(seconds(20));
    auto begin = connection.receive_as<proto::CleanupBegin>(soon);
    if (!begin) return false;
    proto::CleanupQueueId id;
    id.queue_id = "NEW" + std::to_string(++begun_);
    if (!connection.send(id, soon)) return false;
    std::string records;
    for (;;) {
      auto frame = connection.receive(soon);
      if (!frame) return false;
      if (frame->type == proto::CleanupEnd::kType) break;
      records += ipc::Connection::open_frame<proto::CleanupData>(*frame)->records;
    }
    if (problems == 0) keep(records, begin->flags, id.queue_id);
    proto::CleanupStatus status;
    status.problems = problems;
    status.reason = reason;
    return connection.send(status, soon).has_value();
  }

  void keep(const std::string& records, uint32_t flags, const std::string& id) {
    struct Memory final : queue::ByteSource {
      explicit Memory(const std::string& t) : text(t) {}
      Result<size_t> read_at(uint64_t offset, char* data, size_t size) override {
        return offset >= text.size() ? 0 : text.copy(data, size, offset);
      }
      const std::string& text;
    } memory(records);
    queue::RecordReader reader(memory);
    Message message{.flags = flags, .id = id};
    while (auto record = reader.next().value()) {
      if (record->is(queue::RecordType::sender)) message.sender = record->data;
      if (record->is(queue::RecordType::recipient)) message.recipient = record->data;
      if (record->is(queue::RecordType::text_part)) message.text += record->data;
      if (record->is(queue::RecordType::text)) (message.text += record->data) += '\n';
      if (record->is(queue::RecordType::end)) message.complete = true;
    }
    messages.push_back(std::move(message));
  }

  sys::Fd listener_;
  int begun_ = 0;
};

}  // namespace postrider::test
