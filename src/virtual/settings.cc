#include "virtual/settings.h"

#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/params/smtpd.h"
#include "config/params/system.h"
#include "config/params/virtual.h"
#include "mailbox/settings.h"
#include "sys/user.h"

namespace postrider::virtual_mailbox {

namespace params = config::params;

Settings::Settings(const config::Config& c, std::string_view name, bool without_root)
    : service(name),
      rootless(without_root),
      mailbox_base(c.get(params::virtual_mailbox_base)),
      mailbox_limit(mailbox::mailbox_limit(c, params::virtual_mailbox_limit)),
      minimum_uid(c.get(params::virtual_minimum_uid)),
      locks(mailbox::lock_policy(c, params::virtual_mailbox_lock)),
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
      mailboxes(clients::open_direct_maps(catalog, config, params::virtual_mailbox_maps)),
      uids(clients::open_direct_maps(catalog, config, params::virtual_uid_maps)),
      gids(clients::open_direct_maps(catalog, config, params::virtual_gid_maps)) {
  std::vector<std::string> paths;  // The agent may open every file that its users may.
  table::Use text{.fold_fixed = false, .any_bytes = true};
  status_filter = clients::open_maps(catalog, config, params::virtual_delivery_status_filter, text, paths);
}

}  // namespace postrider::virtual_mailbox
