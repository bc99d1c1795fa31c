#include "smtpd/postmaster_mail.h"

#include <fmt/format.h>

#include "base/line_wrap.h"
#include "base/text.h"
#include "config/params/bounce.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "log/log.h"

namespace postrider::smtpd {

namespace params = config::params;

namespace {
constexpr size_t kWidth = 78, kIndent = 4;
}  // namespace

PostmasterMail::PostmasterMail(const config::Config& config)
    : mailer_(config, "smtpd"),
      mail_name_(config.get(params::mail_name)),
      sender_(config.get(params::double_bounce_sender)),
      recipient_(config.get(params::error_notice_recipient)),
      bounce_recipient_(config.get(params::bounce_notice_recipient)),
      timeout_(config.get(params::ipc_timeout)) {
  if (sender_.find('@') == std::string::npos) sender_ += "@" + config.get(params::myhostname);
}

void PostmasterMail::report(std::string_view client, const Transcript& transcript, ErrorClasses errors,
                            std::string_view reason) {
  if (auto sent = send(client, transcript, errors, reason); !sent) {
    log::warning("postmaster notify: {}", sent.error().text);
  }
}

Result<void> PostmasterMail::send(std::string_view client, const Transcript& transcript, ErrorClasses errors,
                                  std::string_view reason) {
  Deadline deadline = Deadline::after(timeout_);
  // Mail that would have bounced is for whoever reads copies of bounces.
  const std::string& recipient = errors.has(access::ErrorClass::bounce) ? bounce_recipient_ : recipient_;
  auto message = TRY(mailer_.begin(
      {.sender = sender_, .recipient = recipient, .mail_class = clients::InternalMailClass::notify},
      deadline));
  auto line = [&](std::string_view text) { message.line(text, deadline); };
  line("From: Mail Delivery System <MAILER-DAEMON>");
  line(fmt::format("To: Postmaster <{}>", recipient_));
  line(fmt::format("Subject: {} SMTP server: errors from {}", mail_name_, client));
  line("");
  line("Transcript of session follows.");
  line("");
  std::string_view rest = transcript.text();
  while (!rest.empty()) {
    size_t end = rest.find('\n');
    std::string text = wrap_line(rest.substr(0, end), kWidth, kIndent);
    for (std::string_view piece : split_each(text, '\n'))
      line(fmt::format(" {}", piece));
    rest.remove_prefix(end + 1);
  }
  line("");
  if (!reason.empty()) line(fmt::format("Session aborted, reason: {}", reason));
  line("");
  line("For other details, see the local mail logfile");
  return message.finish(deadline);
}

}  // namespace postrider::smtpd
