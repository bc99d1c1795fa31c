// What routing depends on in main.cf.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "mail/address_parts.h"
#include "table/address_find.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace postrider::rewrite {

/// Why a route is asked for.
enum class Purpose : unsigned char {
  delivery,
  verification,  ///< An address verification probe: the address_verify_* parameters apply.
};

/// A parameter's value with its name, for log lines and explanations.
struct Setting {
  std::string_view parameter;
  std::string value;
};

/// Transports and nexthops for one purpose.
struct Routes {
  Setting local_transport, virtual_transport, relay_transport, default_transport, relayhost;
  table::Maps transport, sender_default_transport, sender_relayhost;
};

struct Domains {
  table::MatchList virtual_alias, virtual_mailbox, relay;
};

struct Settings {
  bool resolve_dequoted, resolve_null_domain, resolve_numeric_domain;
  bool allow_min_user, helpful_warnings, show_unknown_table, smtputf8, relocated_prefix;
  bool transport_parents_plain;  ///< Parent domains in transport_maps go without a leading dot.
  std::string myhostname, main_cf;
  std::string empty_recipient, empty_sender_transport_key, empty_sender_relayhost_key;
  std::string recipient_delimiter, double_bounce_sender;
  bool owner_request_special;

  mail::DelimiterRules extensions() const {
    return {.delimiters = recipient_delimiter,
            .owner_request_special = owner_request_special,
            .double_bounce_sender = double_bounce_sender};
  }
};

/// These throw ConfigError where a parameter has no good value. Errors are about the tables.
Settings read_settings(const config::Config& config);
Result<Routes> open_routes(const config::Config& config, table::Catalog& catalog, Purpose purpose);
Result<Domains> open_domains(const config::Config& config, table::Catalog& catalog);
Result<table::MatchList> open_mydestination(const config::Config& config, table::Catalog& catalog);

/// The parameters that name tables or files, for a sandbox.
std::vector<config::Param<std::string>> table_parameters();

}  // namespace postrider::rewrite
