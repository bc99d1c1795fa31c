#include "tool/user_access.h"

#include <unistd.h>

#include <vector>

#include <fmt/format.h>

#include "clients/tables.h"
#include "config/params/instance.h"
#include "sys/user.h"
#include "table/catalog.h"
#include "table/match_list.h"

namespace postrider::tool {

Result<std::optional<std::string>> refused_user(const config::Config& config,
                                                config::Param<std::string> list) {
  // The usual setting works without the user database, too.
  if (config.get(list).starts_with("static:")) return std::nullopt;
  // Whoever the queue belongs to is not kept from it.
  uid_t uid = getuid();
  if (uid == 0) return std::nullopt;
  auto owner = TRY(sys::find_user(config.get(config::params::mail_owner)));
  if (owner && owner->uid == uid) return std::nullopt;
  auto user = TRY(sys::find_user(uid));
  std::string name = user ? user->name : "unknown";
  table::Catalog catalog(clients::table_options(config));
  std::vector<std::string> paths;
  table::MatchList users =
      clients::open_match_list(catalog, config, list, table::MatchList::Kind::text, paths);
  if (TRY(users.match(name, Deadline::never())).matched) return std::nullopt;
  return fmt::format("{}({})", name, uid);
}

}  // namespace postrider::tool
