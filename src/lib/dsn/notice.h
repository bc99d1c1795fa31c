// Writing a notice: a multipart/report with a text for people, a delivery status notification for programs
// (RFC 3461 to 3464; RFC 6533 for SMTPUTF8 mail), and the message or its header.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "dsn/original.h"
#include "dsn/template.h"
#include "queue/delivery_log.h"

namespace postrider::dsn {

/// What of the configuration notices show.
struct Appearance {
  explicit Appearance(const config::Config& config);

  std::string hostname, mail_name;
  bool utf8;           ///< smtputf8_enable
  bool threaded;       ///< enable_threaded_bounces
  int64_t size_limit;  ///< bounce_size_limit
  seconds lifetime;    ///< maximal_queue_lifetime
  bool tls_required;   ///< tls_required_enable
};

/// The message that a notice is about.
struct Subject {
  std::string queue_id;
  std::string sender;  ///< In internal form; empty: the null sender.
  std::string envelope_id;
  std::string encoding;  ///< "7bit", "8bit" or empty.
  int64_t send_options = 0;
};

/// One notice.
struct Form {
  const Template* source = nullptr;
  std::string to;                 ///< In internal form.
  bool postmaster_copy = false;   ///< For the postmaster, who needs no explanation.
  std::vector<std::string> text;  ///< Expanded; left out of copies.
  bool header_only = false;  ///< Of the original message; a message that is too large is treated so anyway.
};

/// Calls its argument for each recipient that the notice is about; called twice for a notice. False: what is
/// known of the recipients could not be read.
using Recipients = std::function<bool(const std::function<void(const queue::RecipientStatus&)>&)>;

/// Writes the notice from From: on.
void write_notice(LineSink& out, const Appearance& appearance, const Subject& subject, const Form& form,
                  const Recipients& recipients, const OriginalMessage& original);

}  // namespace postrider::dsn
