#include "postscreen/settings.h"

#include <algorithm>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/postscreen.h"
#include "config/params/rewrite.h"
#include "config/params/smtpd.h"
#include "config/params/smtpd_tls.h"
#include "config/params/system.h"
#include "tls/level.h"

namespace postrider::postscreen {

namespace params = config::params;
using table::MatchList;

namespace {

Action parse_action(const std::string& word) {
  if (word == "drop") return Action::drop;
  return word == "enforce" ? Action::enforce : Action::ignore;
}

size_t count(int value) {
  return static_cast<size_t>(std::max(value, 0));
}

Settings::Tls tls_settings(const config::Config& c) {
  tls::Level level =
      tls::server_level("postscreen_tls_security_level", c.get(params::postscreen_tls_security_level),
                        c.get(params::postscreen_enforce_tls), c.get(params::postscreen_use_tls));
  return {.offered = level > tls::Level::none,
          .required = level >= tls::Level::encrypt,
          .handshake_time = c.get(params::smtpd_starttls_timeout)};
}

Settings::Patience patience_of(const config::Config& c) {
  return {c.get(params::postscreen_greet_wait), c.get(params::postscreen_command_time_limit)};
}

/// A text that is expanded when it is used, where it is no more than the name of another one.
std::string raw_text(const config::Config& c, config::Param<config::Raw> param) {
  std::string text = c.get(param);
  if (!text.starts_with('$')) return text;
  return c.text(std::string_view(text).substr(1)).value_or(text);
}

}  // namespace

config::Config under_stress(const config::Config& config, std::vector<config::Assignment> overrides) {
  config::LoadOptions options;
  options.directory = config.directory();
  options.process_name = config.process_name();
  options.service_name = config.service_name();
  options.overrides = std::move(overrides);
  options.overrides.push_back({"stress", "yes"});
  auto loaded = config::Config::load(options);
  return loaded ? std::move(*loaded) : config;
}

Settings::Settings(const config::Config& c, const config::Config& stressed)
    : myhostname(c.get(params::myhostname)),
      banner(c.get(params::smtpd_banner)),
      teaser(c.get(params::postscreen_greet_banner)),
      log_form(
          mail::parse_log_form(c.get(params::info_log_address_format)).value_or(mail::LogForm::external)),
      delay_digits(c.get(params::delay_logging_resolution_limit)),
      respectful(c.get(params::respectful_logging)),
      enabled{!teaser.empty(), !trim(c.get(params::postscreen_dnsbl_sites)).empty(),
              c.get(params::postscreen_pipelining_enable), c.get(params::postscreen_non_smtp_command_enable),
              c.get(params::postscreen_bare_newline_enable)},
      actions{parse_action(c.get(params::postscreen_greet_action)),
              parse_action(c.get(params::postscreen_dnsbl_action)),
              parse_action(c.get(params::postscreen_pipelining_action)),
              parse_action(c.get(params::postscreen_non_smtp_command_action)),
              parse_action(c.get(params::postscreen_bare_newline_action))},
      lifetimes{c.get(params::postscreen_greet_ttl), c.get(params::postscreen_dnsbl_max_ttl),
                c.get(params::postscreen_pipelining_ttl), c.get(params::postscreen_non_smtp_command_ttl),
                c.get(params::postscreen_bare_newline_ttl)},
      denylist_action(parse_action(c.get(params::postscreen_denylist_action))),
      dnsbl_min_lifetime(c.get(params::postscreen_dnsbl_min_ttl)),
      dnsbl_timeout(c.get(params::postscreen_dnsbl_timeout)),
      dnsbl_sites(c.get(params::postscreen_dnsbl_sites)),
      dnsblog_service(c.get(params::dnsblog_service_name)),
      dnsbl_threshold(c.get(params::postscreen_dnsbl_threshold)),
      dnsbl_allow_threshold(c.get(params::postscreen_dnsbl_allowlist_threshold)),
      patience(patience_of(c)),
      stress_patience(patience_of(stressed)),
      smtpd_service(c.get(params::smtpd_service_name)),
      pre_queue_limit(count(c.get(params::postscreen_pre_queue_limit))),
      post_queue_limit(count(c.get(params::postscreen_post_queue_limit))),
      client_limit(count(c.get(params::postscreen_client_connection_count_limit))),
      cache_map(c.get(params::postscreen_cache_map)),
      cleanup_interval(c.get(params::postscreen_cache_cleanup_interval)),
      retention(c.get(params::postscreen_cache_retention_time)),
      behind_haproxy(c.get(params::postscreen_upstream_proxy_protocol) == "haproxy"),
      proxy_timeout(c.get(params::postscreen_upstream_proxy_timeout)),
      watchdog(c.get(params::postscreen_watchdog_timeout)),
      tls(tls_settings(c)),
      line_length_limit(count(c.get(params::line_length_limit))),
      command_limit(count(c.get(params::postscreen_command_count_limit))),
      message_size_limit(c.get(params::message_size_limit)),
      helo_required(c.get(params::postscreen_helo_required)),
      disable_vrfy(c.get(params::postscreen_disable_vrfy_command)),
      offer_vrfy(!disable_vrfy && !c.get(params::disable_vrfy_command)),
      smtputf8(c.get(params::smtputf8_enable)),
      soft_bounce(c.get(params::soft_bounce)),
      discard_keywords(smtp::parse_keywords(c.get(params::postscreen_discard_ehlo_keywords))),
      reject_footer(raw_text(c, params::postscreen_reject_footer)),
      expansion_filter(unescaped(raw_text(c, params::postscreen_expansion_filter))) {}

Lists::Lists(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths)
    : access(config, catalog, paths) {
  auto maps = [&](auto param) { return clients::open_maps(catalog, config, param, {}, paths); };
  allowlist_interfaces = clients::open_match_list(catalog, config, params::postscreen_allowlist_interfaces,
                                                  MatchList::Kind::address, paths);
  forbidden_commands = clients::open_match_list(catalog, config, params::postscreen_forbidden_commands,
                                                MatchList::Kind::text, paths);
  ehlo_discard = maps(params::postscreen_discard_ehlo_keyword_address_maps);
  command_filter = maps(params::postscreen_command_filter);
  command_filter.allow_empty_values();  // A command of nothing.
  reject_footer = maps(params::postscreen_reject_footer_maps);
  dnsbl_replies = maps(params::postscreen_dnsbl_reply_map);
}

}  // namespace postrider::postscreen
