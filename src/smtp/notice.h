// What the postmaster is told about sessions that went wrong (notify_classes).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clients/internal_mail.h"
#include "config/config.h"
#include "smtp/server_session.h"
#include "smtp/settings.h"

namespace postrider::smtp_client {

class PostmasterNotices {
 public:
  PostmasterNotices(const config::Config& config, const Settings& settings);

  /// Whether transcripts of sessions are needed at all.
  bool wanted() const { return about_protocol_ || about_data_; }
  /// Sends the transcript when the session had trouble of a class that the postmaster wants to know about.
  /// `sender` is that of the message: about mail of the mail system itself there are no notices.
  void consider(const ServerSession& session, std::string_view sender);

 private:
  void send(const ServerSession& session);

  clients::InternalMailer mailer_;
  bool about_protocol_ = false, about_data_ = false;
  std::string recipient_, double_bounce_sender_, mail_name_, myorigin_;
  std::string_view client_kind_;
};

}  // namespace postrider::smtp_client
