#include "smtpd/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "access/policy.h"
#include "base/text.h"
#include "clients/receive_overrides.h"
#include "config/own_addresses.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/smtpd.h"
#include "config/params/smtpd_access.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "config/params/tls.h"
#include "log/log.h"
#include "proto/cleanup.h"
#include "tls/level.h"

namespace postrider::smtpd {

namespace params = config::params;

namespace {

BareLf parse_bare_lf(const std::string& word) {
  if (word == "no") return BareLf::accept;
  if (word == "reject") return BareLf::reject;
  return word == "note" ? BareLf::note : BareLf::normalize;
}

uint32_t flags_for_cleanup(const config::Config& config) {
  uint32_t out = proto::kCleanupFromSmtpd | clients::receive_overrides(config).cleanup_flags();
  if (clients::detects_smtputf8(config, "smtpd")) out |= proto::kCleanupAutoUtf8;
  return out;
}

Settings::Tls tls_settings(const config::Config& c) {
  Settings::Tls out;
  tls::Level level = tls::server_level("smtpd_tls_security_level", c.get(params::smtpd_tls_security_level),
                                       c.get(params::smtpd_enforce_tls), c.get(params::smtpd_use_tls));
  out.wrapped = c.get(params::smtpd_tls_wrappermode);
  out.offered = level > tls::Level::none && !out.wrapped;
  out.required = level >= tls::Level::encrypt || out.wrapped;
  out.requires_certificate = out.required && c.get(params::smtpd_tls_req_ccert);
  out.received_header = c.get(params::smtpd_tls_received_header);
  out.fast_shutdown = c.get(params::tls_fast_shutdown_enable);
  out.timeout = c.get(params::smtpd_starttls_timeout);
  return out;
}

size_t count(int value) {
  return static_cast<size_t>(std::max(value, 0));
}

template <typename Param>
sasl::SecurityOptions security_options(const config::Config& config, const Param& param) {
  auto options = sasl::parse_security_options(config.get(param));
  if (options) return *options;
  throw config::ConfigError(
      fmt::format("{}: unknown security option: {}", param.name(), options.error().text),
      config.source(param.name()),
      "the options are noplaintext, noactive, nodictionary, noanonymous, forward_secrecy and mutual_auth");
}

Settings::Sasl sasl_settings(const config::Config& config) {
  return {.enabled = true,
          .old_clients = config.get(params::broken_sasl_auth_clients),
          .only_encrypted = config.get(params::smtpd_tls_auth_only),
          .options = security_options(config, params::smtpd_sasl_security_options),
          .tls_options = security_options(config, params::smtpd_sasl_tls_security_options),
          .response_limit = count(config.get(params::smtpd_sasl_response_limit))};
}

}  // namespace

Settings::Settings(const config::Config& c, bool alone)
    : stand_alone(alone),
      myhostname(c.get(params::myhostname)),
      mail_name(c.get(params::mail_name)),
      banner(c.get(params::smtpd_banner)),
      service_name(c.service_name()),
      log_form(
          mail::parse_log_form(c.get(params::info_log_address_format)).value_or(mail::LogForm::external)),
      line_length_limit(count(c.get(params::line_length_limit))),
      message_size_limit(c.get(params::message_size_limit)),
      queue_minfree(c.get(params::queue_minfree)),
      soft_error_limit(count(c.get(params::smtpd_soft_error_limit))),
      hard_error_limit(count(c.get(params::smtpd_hard_error_limit))),
      junk_command_limit(count(c.get(params::smtpd_junk_command_limit))),
      error_sleep_time(c.get(params::smtpd_error_sleep_time)),
      transcript_limit(count(c.get(params::smtpd_history_flush_threshold))),
      notify(parse_error_classes(c.get(params::notify_classes))),
      recipient_limit(count(c.get(params::smtpd_recipient_limit))),
      recipient_overshoot_limit(count(c.get(params::smtpd_recipient_overshoot_limit))),
      timeout(c.get(params::smtpd_timeout)),
      per_request_deadline(c.get(params::smtpd_per_request_deadline)),
      min_data_rate(count(c.get(params::smtpd_min_data_rate))),
      ipc_timeout(c.get(params::ipc_timeout)),
      behind_haproxy(c.get(params::smtpd_upstream_proxy_protocol) == "haproxy"),
      proxy_timeout(c.get(params::smtpd_upstream_proxy_timeout)),
      helo_required(c.get(params::smtpd_helo_required)),
      strict_envelopes(c.get(params::strict_rfc821_envelopes)),
      disable_vrfy(c.get(params::disable_vrfy_command)),
      delay_open(c.get(params::smtpd_delay_open_until_valid_rcpt)),
      peername_lookup(c.get(params::smtpd_peername_lookup)),
      client_port_logging(c.get(params::smtpd_client_port_logging)),
      hide_client_session(c.get(params::smtpd_hide_client_session)),
      show_login(c.get(params::smtpd_sasl_authenticated_header)),
      delay_reject(c.get(params::smtpd_delay_reject)),
      soft_bounce(c.get(params::soft_bounce)),
      forbid_unauth_pipelining(c.get(params::smtpd_forbid_unauth_pipelining)),
      bare_lf(parse_bare_lf(c.get(params::smtpd_forbid_bare_newline))),
      bare_lf_code(c.get(params::smtpd_forbid_bare_newline_reject_code)),
      smtputf8(c.get(params::smtputf8_enable)),
      strict_smtputf8(c.get(params::strict_smtputf8)),
      requiretls(c.get(params::requiretls_enable)),
      requiretls_header(c.get(params::requiretls_esmtp_header)),
      discard_keywords(smtp::parse_keywords(c.get(params::smtpd_discard_ehlo_keywords))),
      default_verp_delimiters(c.get(params::default_verp_delimiters)),
      verp_delimiter_filter(c.get(params::verp_delimiter_filter)),
      content_filter(c.get(params::content_filter)),
      cleanup_service(c.get(params::cleanup_service_name)),
      reject_footer(c.get(params::smtpd_reject_footer)),
      expansion_filter(unescaped(c.get(params::smtpd_expansion_filter))),
      postdrop(c.get(params::command_directory) + "/postdrop") {
  cleanup_flags = flags_for_cleanup(c);
  if (auto protocols = config::inet_protocols(c)) families = {protocols->ipv4, protocols->ipv6};
  if (!alone) tls = tls_settings(c);
  // A local user is known already.
  if (!alone && c.get(params::smtpd_sasl_auth_enable)) sasl = sasl_settings(c);
  if (tls.required) sasl.only_encrypted = true;
  // Local programs end lines as files do.
  if (alone) bare_lf = BareLf::accept;
}

}  // namespace postrider::smtpd
