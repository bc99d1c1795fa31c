#include "virtual/settings.h"

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/params/smtpd.h"
#include "config/params/system.h"
#include "config/params/virtual.h"
#include "sys/user.h"

namespace postrider::virtual_mailbox {

namespace params = config::params;

namespace {

mailbox::LockPolicy lock_policy(const config::Config& config) {
  auto methods = mailbox::parse_lock_methods(params::virtual_mailbox_lock.name(),
                                             config.get(params::virtual_mailbox_lock));
  if (!methods) {
    throw config::ConfigError(methods.error().text, config.source(params::virtual_mailbox_lock.name()),
                              "use any of flock, fcntl, dotlock");
  }
  return {.methods = *methods,
          .attempts = config.get(params::deliver_lock_attempts),
          .delay = config.get(params::deliver_lock_delay),
          .stale_time = config.get(params::stale_lock_time)};
}

/// A mailbox that is smaller than one message could never take it.
int64_t mailbox_limit(const config::Config& config) {
  int64_t mailbox = config.get(params::virtual_mailbox_limit),
          message = config.get(params::message_size_limit);
  if (mailbox <= 0) return 0;
  auto source = config.source(params::virtual_mailbox_limit.name());
  if (message <= 0) {
    throw config::ConfigError(
        "main.cf configuration error: virtual_mailbox_limit is limited but "
        "message_size_limit is unlimited",
        source, "limit message_size_limit too");
  }
  if (mailbox < message) {
    throw config::ConfigError(
        "main.cf configuration error: virtual_mailbox_limit is smaller than message_size_limit", source,
        "raise virtual_mailbox_limit");
  }
  return mailbox;
}

/// A proxy or a pattern's "$1" could let a sender choose a file or an identity: tables are opened directly,
/// and without substitution.
table::Maps open_trusted(table::Catalog& catalog, const config::Config& config,
                         config::Param<std::string> param) {
  std::string text = config.get(param);
  std::string value;
  for (std::string_view word : split_braced(text, kListSeparators)) {
    while (word.starts_with("proxy:"))
      word.remove_prefix(6);
    value += std::string(word) + " ";
  }
  auto maps = table::Maps::create(catalog, param.name(), value, {.paranoid = true});
  if (!maps)
    throw config::ConfigError(maps.error().text, config.source(param.name()), "correct the list of tables");
  return std::move(*maps);
}

}  // namespace

Settings::Settings(const config::Config& c, std::string_view name, bool without_root)
    : service(name),
      rootless(without_root),
      mailbox_base(c.get(params::virtual_mailbox_base)),
      mailbox_limit(virtual_mailbox::mailbox_limit(c)),
      minimum_uid(c.get(params::virtual_minimum_uid)),
      locks(lock_policy(c)),
      strict_mailbox_ownership(c.get(params::strict_mailbox_ownership)),
      original_to(c.get(params::enable_original_recipient)),
      recipient_delimiter(c.get(params::recipient_delimiter)),
      owner_request_special(c.get(params::owner_request_special)),
      ipc_timeout(c.get(params::ipc_timeout)) {
  sys::Identity own = sys::own_identity();
  self = {own.uid, own.gid};
  if (!mailbox_base.starts_with('/')) {
    throw config::ConfigError("do not specify relative pathname: virtual_mailbox_base = " + mailbox_base,
                              c.source(params::virtual_mailbox_base.name()), "begin it with /");
  }
}

Tables::Tables(const config::Config& config)
    : catalog(clients::table_options(config)),
      mailboxes(open_trusted(catalog, config, params::virtual_mailbox_maps)),
      uids(open_trusted(catalog, config, params::virtual_uid_maps)),
      gids(open_trusted(catalog, config, params::virtual_gid_maps)) {
  std::vector<std::string> paths;  // The agent may open every file that its users may.
  table::Use text{.fold_fixed = false, .any_bytes = true};
  status_filter = clients::open_maps(catalog, config, params::virtual_delivery_status_filter, text, paths);
}

}  // namespace postrider::virtual_mailbox
