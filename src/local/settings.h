// The configuration of the local delivery agent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "mail/address_parts.h"
#include "mailbox/lock.h"
#include "mailbox/open_file.h"
#include "table/maps.h"

namespace postrider::local {

/// What an address came from. allow_mail_to_commands, allow_mail_to_files and propagate_unmatched_extensions
/// are sets of them.
enum class Expansion : unsigned char { none = 0, alias = 1, forward = 2, include = 4 };
using ExpansionSet = unsigned;
inline bool contains(ExpansionSet set, Expansion what) {
  return (set & static_cast<unsigned>(what)) != 0;
}

/// Where Delivered-To: is written.
struct DeliveredHeader {
  bool command = false, file = false, forward = false;
};

struct Settings {
  /// Throws ConfigError. `service` is the name of the service in master.cf, which is the transport's.
  Settings(const config::Config& config, std::string_view service, bool rootless);

  std::string service;
  bool rootless;
  mailbox::Identity self;           ///< Rootless: who everything is done as.
  mailbox::Identity default_privs;  ///< For files and commands that belong to nobody in particular.

  std::string myhostname, mail_name;
  bool original_to;  ///< X-Original-To (enable_original_recipient).
  std::string recipient_delimiter;
  bool owner_request_special, expand_owner_alias, reset_owner_alias, frozen_delivered_to;
  ExpansionSet commands_allowed, files_allowed, propagate;
  DeliveredHeader delivered_header;
  size_t duplicate_filter_limit;  ///< 0: no limit.
  size_t line_length_limit;

  std::vector<std::string> forward_path;  ///< Not expanded.
  std::string forward_filter;
  bool require_home_directory;

  std::string mail_spool_directory, home_mailbox;
  std::string mailbox_command, mailbox_transport, fallback_transport, luser_relay;
  mailbox::LockPolicy locks;
  bool strict_mailbox_ownership, biff;
  int64_t mailbox_size_limit;

  std::string command_directory, command_directory_filter, command_filter, shell;
  std::vector<std::string> exported_environment;
  seconds command_time_limit;

  bool smtputf8_autodetect;
  mail::LogForm log_form;
  seconds ipc_timeout;
};

/// The tables, opened once for a process.
struct Tables {
  explicit Tables(const config::Config& config);

  table::Catalog catalog;
  table::Maps status_filter;  ///< local_delivery_status_filter
  table::Maps aliases, mailbox_commands, mailbox_transports, fallback_transports;
};

}  // namespace postrider::local
