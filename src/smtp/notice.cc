#include "smtp/notice.h"

#include <fmt/format.h>

#include "base/line_wrap.h"
#include "base/text.h"
#include "config/params/bounce.h"
#include "config/params/instance.h"
#include "config/params/rewrite.h"
#include "log/log.h"

namespace postrider::smtp_client {

namespace params = config::params;

namespace {

constexpr size_t kLineWidth = 78, kIndent = 4;

}  // namespace

PostmasterNotices::PostmasterNotices(const config::Config& config, const Settings& settings)
    : mailer_(config, settings.lmtp() ? "lmtp" : "smtp"),
      recipient_(config.get(params::error_notice_recipient)),
      double_bounce_sender_(
          fmt::format("{}@{}", config.get(params::double_bounce_sender), config.get(params::myorigin))),
      mail_name_(config.get(params::mail_name)),
      myorigin_(config.get(params::myorigin)),
      client_kind_(settings.lmtp() ? "LMTP" : "SMTP") {
  std::string classes = config.get(params::notify_classes);
  for (std::string_view word : split_any(classes, kListSeparators)) {
    about_protocol_ = about_protocol_ || equals_ignore_case(word, "protocol");
    about_data_ = about_data_ || equals_ignore_case(word, "data");
  }
}

void PostmasterNotices::consider(const ServerSession& session, std::string_view sender) {
  bool due = (about_protocol_ && session.trouble.protocol) || (about_data_ && session.trouble.data);
  if (!due || sender.empty() || equals_ignore_case(sender, double_bounce_sender_)) return;
  send(session);
}

void PostmasterNotices::send(const ServerSession& session) {
  Deadline deadline = Deadline::after(seconds(100));
  auto message = mailer_.begin({.sender = double_bounce_sender_, .recipient = recipient_}, deadline);
  if (!message) return log::warning("postmaster notify: {}", message.error().text);
  auto put = [&](std::string_view text) { message->line(text, deadline); };
  put(fmt::format("From: Mail Delivery System <MAILER-DAEMON@{}>", myorigin_));
  put(fmt::format("To: Postmaster <{}>", recipient_));
  put(fmt::format("Subject: {} {} client: errors from {}", mail_name_, client_kind_, session.relay()));
  put("");
  put(fmt::format("The session with {} did not go as the protocol wants it.", session.relay()));
  put("");
  put("This is what both sides said");
  put("");
  for (const std::string& line : session.client.transcript())
    put(wrap_line(" " + line, kLineWidth, kIndent));
  put("");
  put("The mail log has more about it.");
  if (auto sent = message->finish(deadline); !sent) log::warning("postmaster notify: {}", sent.error().text);
}

}  // namespace postrider::smtp_client
