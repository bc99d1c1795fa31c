#include "dsn/notice.h"

#include <ctime>

#include <fmt/format.h>

#include "base/line_wrap.h"
#include "base/text.h"
#include "base/time_text.h"
#include "config/params/bounce.h"
#include "config/params/instance.h"
#include "config/params/qmgr.h"
#include "config/params/rewrite.h"
#include "config/params/system.h"
#include "config/params/tls.h"
#include "mail/quote.h"
#include "queue/record.h"

namespace postrider::dsn {

namespace params = config::params;
using queue::RecipientStatus;

Appearance::Appearance(const config::Config& config)
    : hostname(config.get(params::myhostname)),
      mail_name(config.get(params::mail_name)),
      utf8(config.get(params::smtputf8_enable)),
      threaded(config.get(params::enable_threaded_bounces)),
      size_limit(config.get(params::bounce_size_limit)),
      lifetime(config.get(params::maximal_queue_lifetime)),
      tls_required(config.get(params::tls_required_enable)) {}

namespace {

constexpr size_t kWidth = 79;
constexpr size_t kIndent = 4;
constexpr int64_t kAnySmtputf8 =
    queue::kSmtputf8Requested | queue::kSmtputf8Header | queue::kSmtputf8Sender | queue::kSmtputf8Recipient;

class Writer {
 public:
  Writer(LineSink& out, const Appearance& appearance, const Subject& subject, const Form& form,
         const OriginalMessage& original)
      : out_(out),
        look_(appearance),
        subject_(subject),
        form_(form),
        original_(original),
        boundary_(fmt::format("{}.{}/{}", subject.queue_id, std::time(nullptr), appearance.hostname)),
        sender_(mail::quote_822_local(subject.sender.empty() ? "MAILER-DAEMON@" + appearance.hostname
                                                             : subject.sender)) {
    // Addresses, replies and names of hosts may be in UTF-8 whatever the message is.
    encoding_ = look_.utf8 ? "8bit" : lowercase(subject.encoding);
    eight_bit_ = !encoding_.empty() && encoding_ != "7bit";
    global_ = (subject.send_options & queue::kSmtputf8Requested) != 0;
    utf8_addresses_ = (subject.send_options & kAnySmtputf8) != 0;
  }

  void write(const Recipients& recipients) {
    header();
    explanation(recipients);
    status(recipients);
    message();
    put("");
    put("--{}--", boundary_);
  }

 private:
  template <typename... A>
  void put(fmt::format_string<A...> format, A&&... arguments) {
    out_.line(fmt::format(format, std::forward<A>(arguments)...));
  }
  void put(std::string_view text) { out_.line(text); }
  void put_wrapped(std::string_view text) { out_.line(wrap_line(text, kWidth, kIndent)); }

  bool is(TemplateKind kind) const { return form_.source->kind == kind; }

  void header() {
    put("From: {}", form_.source->from);
    put("Subject: {}", form_.postmaster_copy && form_.source->postmaster_subject
                           ? *form_.source->postmaster_subject
                           : form_.source->subject);
    put("To: {}", mail::quote_822_local(form_.to));
    if (std::string id = look_.threaded ? original_.message_id() : ""; !id.empty()) {
      put("References: {}", id);
      put("In-Reply-To: {}", id);
    }
    put("Auto-Submitted: {}", form_.postmaster_copy ? "auto-generated" : "auto-replied");
    // Who sent without a demand for TLS gets the answer without it, too (RFC 8689).
    if (look_.tls_required && (subject_.send_options & queue::kTlsNotRequired) != 0) put("TLS-Required: no");
    put("MIME-Version: 1.0");
    put("Content-Type: multipart/report; report-type=delivery-status;");
    put("\tboundary=\"{}\"", boundary_);
    if (encoding_ == "7bit") {
      put("Content-Transfer-Encoding: {}", form_.source->eight_bit ? "8bit" : "7bit");
    } else if (!encoding_.empty()) {
      put("Content-Transfer-Encoding: {}", encoding_);
    }
    put("");
    put("This is a MIME-encapsulated message.");
  }

  void begin_part(std::string_view description, std::string_view type) {
    put("");
    put("--{}", boundary_);
    put("Content-Description: {}", description);
    put("Content-Type: {}", type);
  }
  void end_part_header(bool with_encoding) {
    if (with_encoding && eight_bit_) put("Content-Transfer-Encoding: {}", encoding_);
    put("");
  }

  /// Text of others as it may stand in the notice.
  std::string safe(std::string_view text) const {
    return look_.utf8 ? printable(text) : printable_ascii(text);
  }

  void explanation(const Recipients& recipients) {
    std::string charset = form_.source->charset;
    if (equals_ignore_case(charset, "us-ascii")) charset = eight_bit_ ? "utf-8" : "us-ascii";
    begin_part("Notification", "text/plain; charset=" + charset);
    end_part_header(true);
    if (!form_.postmaster_copy) {
      for (const std::string& line : form_.text)
        out_.line(line);
    }
    bool complete = recipients([this](const RecipientStatus& r) {
      put("");
      std::string expanded = r.original.empty() ? "" : fmt::format(" (expanded from <{}>)", safe(r.original));
      put_wrapped(fmt::format("<{}>{}: {}", safe(r.recipient), expanded, safe(r.reason)));
    });
    if (!complete) {
      put("");
      put("\t--- The delivery report could not be read ---");
    }
  }

  std::string_view address_type(std::string_view address) const {
    return utf8_addresses_ && !is_all_ascii(address) && is_valid_utf8(address) ? "utf-8" : "rfc822";
  }

  void status(const Recipients& recipients) {
    begin_part("Delivery report", global_ ? "message/global-delivery-status" : "message/delivery-status");
    // Without SMTPUTF8 a label would make some systems convert the part, which RFC 3464 forbids.
    end_part_header(global_);
    put("Reporting-MTA: dns; {}", look_.hostname);
    if (!subject_.envelope_id.empty()) put("Original-Envelope-Id: {}", safe(subject_.envelope_id));
    put("X-{}-Queue-ID: {}", look_.mail_name, subject_.queue_id);
    put("X-{}-Sender: {}; {}", look_.mail_name, address_type(sender_), sender_);
    if (original_.arrival_seconds() > 0) put("Arrival-Date: {}", mail_date(original_.arrival_seconds()));
    recipients([this](const RecipientStatus& r) { recipient_status(r); });
  }

  void recipient_status(const RecipientStatus& r) {
    put("");
    put("Final-Recipient: {}; {}", address_type(r.recipient), safe(r.recipient));
    if (!r.dsn_original.empty()) {
      put("Original-Recipient: {}", safe(r.dsn_original));
    } else if (!r.original.empty()) {
      put("Original-Recipient: {}; {}", address_type(r.original), safe(r.original));
    }
    put("Action: {}", is(TemplateKind::failure) ? "failed" : safe(r.action));
    put("Status: {}", safe(r.status));
    if (!r.mta_type.empty() && !r.mta_name.empty()) {
      put_wrapped(fmt::format("Remote-MTA: {}; {}", safe(r.mta_type), safe(r.mta_name)));
    }
    if (!r.diagnostic_type.empty() && !r.diagnostic_text.empty()) {
      put_wrapped(fmt::format("Diagnostic-Code: {}; {}", safe(r.diagnostic_type), safe(r.diagnostic_text)));
    } else {
      put_wrapped(fmt::format("Diagnostic-Code: X-{}; {}", look_.mail_name, safe(r.reason)));
    }
    if (is(TemplateKind::delay)) {
      put("Will-Retry-Until: {}", mail_date(original_.arrival_seconds() + look_.lifetime.count()));
    }
  }

  void message() {
    // Half a message would be no message/rfc822.
    bool too_large = look_.size_limit > 0 && original_.has_content() &&
                     (original_.size() <= 0 || original_.size() > look_.size_limit);
    bool header_only = form_.header_only || too_large;
    std::string what =
        is(TemplateKind::failure) || is(TemplateKind::delay) ? "Undelivered Message" : "Message";
    std::string_view type = global_ ? (header_only ? "message/global-headers" : "message/global")
                                    : (header_only ? "text/rfc822-headers" : "message/rfc822");
    begin_part(header_only ? what + " Headers" : what, type);
    end_part_header(true);
    if (!original_.has_content()) return put("\t--- The message could not be read ---");
    put("Return-Path: <{}>", sender_);
    original_.copy(out_, header_only);
  }

  LineSink& out_;
  const Appearance& look_;
  const Subject& subject_;
  const Form& form_;
  const OriginalMessage& original_;
  const std::string boundary_;
  const std::string sender_;
  std::string encoding_;
  bool eight_bit_ = false, global_ = false, utf8_addresses_ = false;
};

}  // namespace

void write_notice(LineSink& out, const Appearance& appearance, const Subject& subject, const Form& form,
                  const Recipients& recipients, const OriginalMessage& original) {
  Writer(out, appearance, subject, form, original).write(recipients);
}

}  // namespace postrider::dsn
