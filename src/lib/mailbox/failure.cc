#include "mailbox/failure.h"

#include <cerrno>
#include <cstring>

namespace postrider::mailbox {

std::string errno_text(int errno_value) {
  return strerror(errno_value);
}

mail::StatusCode mailbox_status(int errno_value, mail::StatusCode fallback) {
  switch (errno_value) {
    case EAGAIN:
    case ESTALE:
      return "4.2.0";
    case ENOSPC:
      return "4.3.0";
    case EDQUOT:
    case EFBIG:
      return "5.2.2";
    default:
      return fallback;
  }
}

mail::DeliveryStatus failed(mail::StatusCode status, std::string reason) {
  return {.status = status,
          .action = status.is_temporary() ? mail::Action::delayed : mail::Action::failed,
          .reason = std::move(reason)};
}

mail::DeliveryStatus failed(const Error& error, mail::StatusCode fallback) {
  return failed(mailbox_status(error.code, fallback), error.text);
}

mail::DeliveryStatus failed(const CopyFailure& failure) {
  const Error& error = failure.error;
  if (failure.step == CopyStep::read && error.kind != ErrorKind::system) {
    return failed("4.3.0", "queue file is damaged: " + error.text);
  }
  bool passing = error.code == EAGAIN || error.code == ESTALE;
  mail::DeliveryStatus out =
      failure.step == CopyStep::read
          ? failed(passing ? mail::StatusCode("4.3.0") : mail::StatusCode("5.3.0"),
                   "error reading message: " + errno_text(error.code))
          : failed(mailbox_status(error.code, "5.3.0"), "error writing message: " + errno_text(error.code));
  out.diagnostic_type = "x-unix";
  out.diagnostic_text = "input/output error";
  return out;
}

mail::DeliveryStatus delivered(std::string reason) {
  return {.status = "2.0.0", .action = mail::Action::delivered, .reason = std::move(reason)};
}

mail::DeliveryStatus misconfigured(mail::StatusCode status) {
  return failed(status, "mail system configuration error");
}

}  // namespace postrider::mailbox
