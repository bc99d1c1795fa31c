// The configuration of the delivery agent for virtual mailboxes.
#pragma once

#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "config/config.h"
#include "mailbox/lock.h"
#include "mailbox/open_file.h"
#include "table/maps.h"

namespace postrider::virtual_mailbox {

struct Settings {
  /// Throws ConfigError. `service` is the name of the service in master.cf.
  Settings(const config::Config& config, std::string_view service, bool rootless);

  std::string service;
  bool rootless;
  mailbox::Identity self;  ///< Rootless: who everything is done as.
  std::string mailbox_base;
  int64_t mailbox_limit;  ///< 0: none.
  int64_t minimum_uid;
  mailbox::LockPolicy locks;
  bool strict_mailbox_ownership;
  bool original_to;  ///< X-Original-To (enable_original_recipient).
  std::string recipient_delimiter;
  bool owner_request_special;
  seconds ipc_timeout;
};

/// The tables, opened once for a process.
struct Tables {
  explicit Tables(const config::Config& config);

  table::Catalog catalog;
  table::Maps status_filter;  ///< virtual_delivery_status_filter
  table::Maps mailboxes, uids, gids;
};

}  // namespace postrider::virtual_mailbox
