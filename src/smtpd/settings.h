// The SMTP server's configuration.
#pragma once

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "config/config.h"
#include "mail/address_parts.h"
#include "sasl/security.h"
#include "smtp/ehlo.h"
#include "smtp/pace.h"
#include "smtpd/data_reader.h"
#include "smtpd/forwarded.h"
#include "smtpd/transcript.h"

namespace postrider::smtpd {

struct Settings {
  /// `stand_alone`: for one local user on standard input and output.
  Settings(const config::Config& config, bool stand_alone);

  bool stand_alone;
  std::string myhostname, mail_name, banner;
  std::string service_name;  ///< The service, for policies and log lines.
  mail::LogForm log_form;

  size_t line_length_limit;
  int64_t message_size_limit;  ///< 0: none.
  int64_t queue_minfree;
  size_t soft_error_limit, hard_error_limit, junk_command_limit;
  seconds error_sleep_time;
  size_t transcript_limit;  ///< smtpd_history_flush_threshold
  ErrorClasses notify;      ///< What the postmaster hears of.
  size_t recipient_limit, recipient_overshoot_limit;
  seconds timeout;
  bool per_request_deadline;
  size_t min_data_rate;
  seconds ipc_timeout;

  bool behind_haproxy;    ///< smtpd_upstream_proxy_protocol
  seconds proxy_timeout;  ///< For its header.
  bool helo_required, strict_envelopes, disable_vrfy, delay_open, peername_lookup, client_port_logging,
      hide_client_session, show_login, delay_reject, soft_bounce;
  bool forbid_unauth_pipelining;

  /// Logging in (smtpd_sasl_*).
  struct Sasl {
    bool enabled = false;
    bool old_clients = false;     ///< "AUTH=" is announced, too.
    bool only_encrypted = false;  ///< Not without TLS.
    sasl::SecurityOptions options, tls_options;
    size_t response_limit = 0;
  } sasl;

  BareLf bare_lf;
  int bare_lf_code;
  Families families;
  bool smtputf8, strict_smtputf8;
  bool requiretls, requiretls_header;  ///< REQUIRETLS is offered; and told to content filters by a header.

  /// smtpd_tls_*
  struct Tls {
    bool offered = false;   ///< STARTTLS is announced.
    bool required = false;  ///< Nothing goes without.
    bool wrapped = false;   ///< Sessions begin with it (smtpd_tls_wrappermode).
    bool requires_certificate = false;
    bool received_header = false;
    bool fast_shutdown = true;
    seconds timeout{0};  ///< For handshakes, and for the end.
    bool wanted() const { return offered || wrapped; }
  } tls;

  smtp::KeywordSet discard_keywords;
  std::string default_verp_delimiters, verp_delimiter_filter;
  std::string content_filter;
  std::string cleanup_service;
  uint32_t cleanup_flags;        ///< proto::CleanupFlag for each message.
  std::string reject_footer;     ///< Not expanded.
  std::string expansion_filter;  ///< smtpd_expansion_filter, escapes resolved.
  std::string postdrop;          ///< The path of the command.

  smtp::Pace pace() const { return {timeout, per_request_deadline, min_data_rate}; }
};

}  // namespace postrider::smtpd
