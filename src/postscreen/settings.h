// postscreen's configuration.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "mail/address_parts.h"
#include "postscreen/access_list.h"
#include "postscreen/record.h"
#include "smtp/ehlo.h"
#include "table/catalog.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postrider::postscreen {

/// What becomes of a client that fails a test.
enum class Action : unsigned char {
  ignore,
  enforce,  ///< Its mail is refused.
  drop,     ///< The connection ends.
};

/// The configuration as it were with stress=yes. One process serves all clients: it cannot be replaced by one
/// that is told so. `overrides` are those of master.cf.
config::Config under_stress(const config::Config& config, std::vector<config::Assignment> overrides);

struct Settings {
  Settings(const config::Config& config, const config::Config& stressed);

  std::string myhostname;
  std::string banner;  ///< smtpd_banner
  std::string teaser;  ///< postscreen_greet_banner. Empty: there is no such test.
  mail::LogForm log_form;
  int delay_digits;  ///< delay_logging_resolution_limit
  bool respectful;   ///< Log lines have the words of respectful_logging.

  std::array<bool, kTests> enabled{};
  std::array<Action, kTests> actions{};
  std::array<seconds, kTests> lifetimes{};  ///< Test::dnsbl: the longest.
  Action denylist_action;
  seconds dnsbl_min_lifetime, dnsbl_timeout;
  std::string dnsbl_sites, dnsblog_service;
  int dnsbl_threshold;
  int dnsbl_allow_threshold;  ///< 0: none.

  /// Time limits, which become shorter when clients have to be turned away.
  struct Patience {
    seconds greet_wait, command;
  } patience, stress_patience;

  std::string smtpd_service;
  size_t pre_queue_limit, post_queue_limit;
  size_t client_limit;  ///< Connections of one client; 0: no limit.
  std::string cache_map;
  seconds cleanup_interval, retention;

  bool behind_haproxy;
  seconds proxy_timeout;
  seconds watchdog;

  struct Tls {
    bool offered = false;
    bool required = false;        ///< No mail without TLS.
    seconds handshake_time{300};  ///< smtpd_starttls_timeout
  } tls;

  // The built-in SMTP engine.
  size_t line_length_limit, command_limit;
  int64_t message_size_limit;  ///< 0: none.
  bool helo_required, disable_vrfy, offer_vrfy, smtputf8, soft_bounce;
  smtp::KeywordSet discard_keywords;
  std::string reject_footer, expansion_filter;

  bool is_enabled(Test test) const { return enabled[static_cast<size_t>(test)]; }
  Action action(Test test) const { return actions[static_cast<size_t>(test)]; }
  seconds lifetime(Test test) const { return lifetimes[static_cast<size_t>(test)]; }
};

/// The tables and lists of the configuration.
struct Lists {
  /// What they need of the file system is added to `paths`.
  Lists(const config::Config& config, table::Catalog& catalog, std::vector<std::string>& paths);

  AccessList access;
  table::MatchList allowlist_interfaces, forbidden_commands;
  table::Maps ehlo_discard, command_filter, reject_footer, dnsbl_replies;
};

}  // namespace postrider::postscreen
