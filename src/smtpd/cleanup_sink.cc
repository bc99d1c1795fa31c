#include "smtpd/cleanup_sink.h"

#include <algorithm>

#include "log/log.h"
#include "sys/file.h"

namespace postrider::smtpd {

namespace {

class CleanupSink : public MailSink {
 public:
  explicit CleanupSink(clients::Submission submission) : submission_(std::move(submission)) {}
  const std::string& queue_id() const override { return submission_.queue_id(); }
  Result<void> record(queue::RecordType type, std::string_view data, Deadline deadline) override {
    return submission_.record(type, data, deadline);
  }
  void flush(Deadline deadline) override { (void)submission_.flush(deadline); }
  Result<void> milters(const proto::CleanupMilters& milters, const MilterRelay& relay,
                       Deadline deadline) override {
    relay_ = relay;
    return submission_.milters(milters, deadline);
  }
  Result<proto::CleanupStatus> finish(Deadline deadline) override {
    return submission_.finish(relay_, deadline);
  }

 private:
  MilterRelay relay_;
  clients::Submission submission_;
};

}  // namespace

CleanupSystem::CleanupSystem(const config::Config& config, const Settings& settings)
    : settings_(settings), client_(config, settings.cleanup_service, "smtpd") {}

Result<std::unique_ptr<MailSink>> CleanupSystem::begin(uint32_t flags, Deadline deadline) {
  return std::make_unique<CleanupSink>(TRY(client_.begin(flags, deadline)));
}

bool CleanupSystem::has_room(int64_t size) {
  auto free = sys::free_space(".");
  if (!free) {
    log::warning("{}", free.error().text);
    return true;  // Writing will tell.
  }
  auto available = static_cast<double>(*free);
  // Other messages are on their way, too.
  constexpr double kReserve = 1.5;
  bool enough = available > static_cast<double>(settings_.queue_minfree) &&
                available > static_cast<double>(size) &&
                available > kReserve * static_cast<double>(settings_.message_size_limit);
  if (!enough) {
    log::warning("not enough free space in mail queue: {} bytes < {}*message size limit", *free, kReserve);
  }
  return enough;
}

}  // namespace postrider::smtpd
