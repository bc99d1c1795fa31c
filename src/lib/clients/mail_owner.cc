#include "clients/mail_owner.h"

#include <unistd.h>

#include <utility>

#include "config/params/instance.h"
#include "log/log.h"

namespace postrider::clients {

std::optional<sys::AsUser> become_mail_owner(const config::Config& config) {
  if (::geteuid() != 0) return std::nullopt;
  auto user = sys::find_user(config.get(config::params::mail_owner));
  if (!user || !*user) throw config::ConfigError("mail_owner: unknown user name", {}, "correct mail_owner");
  auto entered = sys::AsUser::enter((*user)->uid, (*user)->gid);
  if (!entered) log::fatal("{}", entered.error().text);
  return std::move(*entered);
}

}  // namespace postrider::clients
