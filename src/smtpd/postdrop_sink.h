// Messages go through postdrop: "sendmail -bs" runs with the rights of a user, who cannot reach cleanup.
#pragma once

#include <string>

#include "smtpd/mail_sink.h"

namespace postrider::smtpd {

class PostdropSystem : public MailSystem {
 public:
  /// `program` is the path of the command.
  explicit PostdropSystem(std::string program) : program_(std::move(program)) {}
  Result<std::unique_ptr<MailSink>> begin(uint32_t flags, Deadline deadline) override;
  bool has_room(int64_t) override { return true; }

 private:
  std::string program_;
};

}  // namespace postrider::smtpd
