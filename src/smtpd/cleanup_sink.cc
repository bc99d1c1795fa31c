#include "smtpd/cleanup_sink.h"

namespace postrider::smtpd {

namespace {

class CleanupSink : public MailSink {
 public:
  explicit CleanupSink(clients::Submission submission) : submission_(std::move(submission)) {}
  const std::string& queue_id() const override { return submission_.queue_id(); }
  Result<void> record(queue::RecordType type, std::string_view data, Deadline deadline) override {
    return submission_.record(type, data, deadline);
  }
  Result<proto::CleanupStatus> finish(Deadline deadline) override { return submission_.finish(deadline); }

 private:
  clients::Submission submission_;
};

}  // namespace

Result<std::unique_ptr<MailSink>> CleanupSystem::begin(uint32_t flags, Deadline deadline) {
  return std::make_unique<CleanupSink>(TRY(client_.begin(flags, deadline)));
}

}  // namespace postrider::smtpd
