#include "local/settings.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/receive_overrides.h"
#include "clients/tables.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/params/smtpd.h"
#include "config/params/system.h"
#include "config/startup.h"
#include "config/value_text.h"
#include "log/log.h"
#include "mailbox/command.h"
#include "mailbox/settings.h"
#include "sys/user.h"

namespace postrider::local {

namespace params = config::params;

namespace {

uint32_t word_mask(const config::Config& config, config::Param<std::string> param,
                   std::span<const std::string_view> words) {
  auto mask = config::parse_words(param.name(), config.get(param), words);
  if (!mask) {
    std::string all;
    for (std::string_view word : words)
      all += (all.empty() ? "" : ", ") + std::string(word);
    throw config::ConfigError(mask.error().text, config.source(param.name()), "use any of " + all);
  }
  return *mask;
}

constexpr std::array<std::string_view, 3> kExpansions = {"alias", "forward", "include"};

ExpansionSet propagation(const config::Config& config) {
  static constexpr std::array<std::string_view, 6> kWords = {"alias",     "forward", "include",
                                                             "canonical", "virtual", "generic"};
  return word_mask(config, params::propagate_unmatched_extensions, kWords) & 7U;
}

DeliveredHeader delivered_header(const config::Config& config) {
  static constexpr std::array<std::string_view, 3> kWords = {"command", "file", "forward"};
  uint32_t mask = word_mask(config, params::prepend_delivered_header, kWords);
  return {.command = (mask & 1) != 0, .file = (mask & 2) != 0, .forward = (mask & 4) != 0};
}

/// mailbox_delivery_lock, and the parameter that came before it.
mailbox::LockPolicy lock_policy(const config::Config& config) {
  mailbox::LockPolicy policy = mailbox::lock_policy(config, params::mailbox_delivery_lock);
  if (!config.get(params::sun_mailtool_compatibility)) return policy;
  log::warning(
      "sun_mailtool_compatibility: deprecated parameter, use \"mailbox_delivery_lock = dotlock\" instead");
  if (!policy.methods.dotlock) {
    throw config::ConfigError(
        "parameter mailbox_delivery_lock specifies no applicable mailbox locking method",
        config.source(params::mailbox_delivery_lock.name()),
        "add dotlock, or leave sun_mailtool_compatibility at its default");
  }
  policy.methods = {.dotlock = true};
  return policy;
}

std::vector<std::string> path_list(const std::string& text) {
  std::vector<std::string> out;
  for (std::string_view word : split_any(text, kListSeparators))
    out.emplace_back(word);
  return out;
}

}  // namespace

Settings::Settings(const config::Config& c, std::string_view name, bool without_root)
    : service(name),
      rootless(without_root),
      myhostname(c.get(params::myhostname)),
      mail_name(c.get(params::mail_name)),
      original_to(c.get(params::enable_original_recipient)),
      recipient_delimiter(c.get(params::recipient_delimiter)),
      owner_request_special(c.get(params::owner_request_special)),
      expand_owner_alias(c.get(params::expand_owner_alias)),
      reset_owner_alias(c.get(params::reset_owner_alias)),
      frozen_delivered_to(c.get(params::frozen_delivered_to)),
      commands_allowed(word_mask(c, params::allow_mail_to_commands, kExpansions)),
      files_allowed(word_mask(c, params::allow_mail_to_files, kExpansions)),
      propagate(propagation(c)),
      delivered_header(local::delivered_header(c)),
      duplicate_filter_limit(static_cast<size_t>(c.get(params::duplicate_filter_limit))),
      line_length_limit(static_cast<size_t>(c.get(params::line_length_limit))),
      forward_path(path_list(c.get(params::forward_path))),
      forward_filter(c.get(params::forward_expansion_filter)),
      require_home_directory(c.get(params::require_home_directory)),
      mail_spool_directory(c.get(params::mail_spool_directory)),
      home_mailbox(c.get(params::home_mailbox)),
      mailbox_command(c.get(params::mailbox_command)),
      mailbox_transport(c.get(params::mailbox_transport)),
      fallback_transport(c.get(params::fallback_transport)),
      luser_relay(c.get(params::luser_relay)),
      locks(lock_policy(c)),
      strict_mailbox_ownership(c.get(params::strict_mailbox_ownership)),
      biff(c.get(params::biff)),
      mailbox_size_limit(mailbox::mailbox_limit(c, params::mailbox_size_limit)),
      command_directory(c.get(params::command_execution_directory)),
      command_directory_filter(c.get(params::execution_directory_expansion_filter)),
      command_filter(c.get(params::command_expansion_filter)),
      shell(c.get(params::local_command_shell)),
      exported_environment(mailbox::exported_environment(c.get(params::export_environment))),
      command_time_limit(c.get(params::command_time_limit)),
      smtputf8_autodetect(clients::detects_smtputf8(c, "forward")),
      log_form(
          mail::parse_log_form(c.get(params::info_log_address_format)).value_or(mail::LogForm::external)),
      ipc_timeout(c.get(params::ipc_timeout)) {
  sys::Identity own = sys::own_identity();
  self = {own.uid, own.gid};
  if (rootless) {
    default_privs = self;
  } else {
    sys::User nobody = config::find_identities(c).default_privs;
    default_privs = {nobody.uid, nobody.gid};
  }
}

Tables::Tables(const config::Config& config)
    : catalog(clients::table_options(config)),
      aliases(clients::open_direct_maps(catalog, config, params::alias_maps)),
      mailbox_commands(clients::open_direct_maps(catalog, config, params::mailbox_command_maps)) {
  std::vector<std::string> paths;  // The agent may open every file that its users may.
  table::Use by_user{.no_substitution = true};
  mailbox_transports = clients::open_maps(catalog, config, params::mailbox_transport_maps, by_user, paths);
  table::Use text{.fold_fixed = false, .any_bytes = true};
  status_filter = clients::open_maps(catalog, config, params::local_delivery_status_filter, text, paths);
  fallback_transports = clients::open_maps(catalog, config, params::fallback_transport_maps, by_user, paths);
}

}  // namespace postrider::local
