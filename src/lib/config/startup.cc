#include "config/startup.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/hostname.h"
#include "base/text.h"
#include "config/own_addresses.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/table.h"

namespace postrider::config {
namespace {

/// A finding about one parameter, in Postfix's form.
[[noreturn]] void refuse(const Config& config, std::string_view parameter, std::string_view finding) {
  throw ConfigError(fmt::format("file {}: parameter {}: {}", config.main_cf_path(), parameter, finding),
                    config.source(parameter), fmt::format("set {} to an account of its own", parameter));
}

/// A finding about two parameters that should not have something in common.
[[noreturn]] void refuse_overlap(const Config& config, std::string_view first, std::string_view second,
                                 std::string_view finding) {
  throw ConfigError(
      fmt::format("file {}: parameters {} and {}{}", config.main_cf_path(), first, second, finding),
      config.source(second), "give each of them an account of its own");
}

template <typename T>
T value_of(const Config& config, std::string_view parameter, Result<std::optional<T>> found,
           std::string_view unknown) {
  if (!found) refuse(config, parameter, found.error().text);
  if (!*found) refuse(config, parameter, unknown);
  return std::move(**found);
}

sys::User find_user(const Config& config, const Param<std::string>& param) {
  std::string name = config.get(param);
  auto user = value_of(config, param.name(), sys::find_user(name), "unknown user name value: " + name);
  if (user.uid == 0) refuse(config, param.name(), fmt::format("user {} has privileged user ID", name));
  if (user.gid == 0) refuse(config, param.name(), fmt::format("user {} has privileged group ID", name));
  return user;
}

sys::Group find_group(const Config& config, const Param<std::string>& param) {
  std::string name = config.get(param);
  auto group = value_of(config, param.name(), sys::find_group(name), "unknown group name: " + name);
  if (group.gid == 0) refuse(config, param.name(), fmt::format("group {} has privileged group ID", name));
  auto other = sys::find_group(group.gid);
  if (other && *other && (*other)->name != name)
    refuse(config, param.name(), fmt::format("group {} has same group ID as {}", name, (*other)->name));
  return group;
}

void check_overlap(const Config& config, const Identities& ids) {
  const sys::User &owner = ids.owner, &privs = ids.default_privs;
  std::string_view mail_owner = params::mail_owner.name(), default_privs = params::default_privs.name();
  std::string_view setgid_group = params::setgid_group.name();
  if (privs.name == owner.name)
    refuse_overlap(config, default_privs, mail_owner, " specify the same user " + owner.name);
  if (privs.uid == owner.uid)
    refuse_overlap(
        config, default_privs, mail_owner,
        fmt::format(": users {} and {} have the same user ID: {}", privs.name, owner.name, owner.uid));
  if (privs.gid == owner.gid)
    refuse_overlap(
        config, default_privs, mail_owner,
        fmt::format(": users {} and {} have the same group ID: {}", privs.name, owner.name, owner.gid));
  if (privs.gid == ids.setgid.gid)
    refuse_overlap(config, default_privs, setgid_group,
                   fmt::format(": user {} and group {} have the same group ID: {}", privs.name,
                               ids.setgid.name, privs.gid));
  if (owner.gid == ids.setgid.gid)
    refuse_overlap(config, mail_owner, setgid_group,
                   fmt::format(": user {} and group {} have the same group ID: {}", owner.name,
                               ids.setgid.name, owner.gid));
}

void check_host_name(const Config& config, const Param<std::string>& param) {
  std::string name = config.get(param);
  std::string problem = hostname_problem(name);
  if (problem.empty()) return;
  ConfigError error(fmt::format("file {}: parameter {}: bad parameter value: {}", config.main_cf_path(),
                                param.name(), name),
                    config.source(param.name()),
                    fmt::format("set {} to a full Internet host name", param.name()));
  error.warning = std::move(problem);
  throw error;
}

void check_single(const Config& config, const Param<std::string>& param) {
  std::string value = config.get(param);
  if (value.find_first_of(kListSeparators) == std::string::npos) return;
  throw ConfigError(
      fmt::format("{} parameter setting must not contain multiple values: {}", param.name(), value),
      config.source(param.name()), "give one name");
}

/// What all programs read, in this order: the first mistake is the one that is told. Checked before the host
/// names...
constexpr std::string_view kFirstNames =
    "syslog_facility inet_protocols multi_instance_directories multi_instance_group multi_instance_name "
    "maillog_file maillog_file_prefixes maillog_file_compressor maillog_file_rotate_suffix "
    "postlog_service_name known_tcp_ports smtputf8_enable enable_idna2003_compatibility respectful_logging "
    "myhostname mydomain";
/// ...and after them.
constexpr std::string_view kOtherNames =
    "mail_name syslog_name mail_owner setgid_group mydestination myorigin relayhost daemon_directory "
    "data_directory command_directory meta_directory queue_directory shlib_directory process_id_directory "
    "inet_interfaces proxy_interfaces double_bounce_sender default_privs alias_database "
    "default_database_type hash_queue_names recipient_delimiter relay_domains fast_flush_domains "
    "export_environment import_environment mynetworks_style debug_peer_list default_verp_delimiters "
    "verp_delimiter_filter parent_domain_matches_subdomains alternate_config_directories "
    "bounce_service_name cleanup_service_name defer_service_name pickup_service_name queue_service_name "
    "rewrite_service_name showq_service_name error_service_name flush_service_name "
    "address_verify_service_name trace_service_name proxymap_service_name proxywrite_service_name "
    "multi_instance_wrapper default_delivery_status_filter smtputf8_autodetect_classes message_drop_headers "
    "info_log_address_format default_process_limit max_use line_length_limit hash_queue_depth fork_attempts "
    "deliver_lock_attempts debug_peer_level berkeley_db_create_buffer_size berkeley_db_read_buffer_size "
    "header_size_limit header_address_token_limit mime_nesting_limit mime_boundary_length_limit "
    "delay_logging_resolution_limit tcp_windowsize message_size_limit lmdb_map_size disable_dns_lookups "
    "soft_bounce owner_request_special strict_8bitmime strict_7bit_headers strict_8bitmime_body "
    "strict_mime_encoding_domain disable_mime_input_processing disable_mime_output_conversion "
    "address_verify_negative_cache backwards_bounce_logfile_compatibility helpful_warnings "
    "send_cyrus_sasl_authzid multi_instance_enable enable_long_queue_ids strict_smtputf8 "
    "enable_original_recipient application_event_drain_time max_idle ipc_timeout ipc_idle ipc_ttl "
    "trigger_timeout fork_delay deliver_lock_delay stale_lock_time daemon_timeout in_flow_delay";

void check_values(const Config& config, std::string_view names) {
  for (std::string_view name : split_any(names, " "))
    if (const ParamInfo* info = find_param(name)) check_value(config, *info);
}

template <typename T>
void check_found(const Config& config, std::string_view parameter, const Result<T>& found,
                 std::string remedy) {
  if (!found) throw ConfigError(found.error().text, config.source(parameter), std::move(remedy));
}

}  // namespace

void check_host_names(const Config& config) {
  check_host_name(config, params::myhostname);
  check_host_name(config, params::mydomain);
  check_single(config, params::myorigin);
  check_single(config, params::relayhost);
}

void check_common_settings(const Config& config) {
  (void)config.compat_level();
  check_values(config, kFirstNames);
  check_found(config, "inet_protocols", inet_protocols(config), "give one of all, ipv4, ipv6");
  check_host_name(config, params::myhostname);
  check_host_name(config, params::mydomain);
  check_values(config, kOtherNames);
  check_single(config, params::myorigin);
  check_single(config, params::relayhost);
  // Without privileges all accounts are one.
  if (::geteuid() == 0) (void)find_identities(config);
  check_found(config, "inet_interfaces", own_addresses(config), "name addresses of this host, or all");
  (void)config.get(params::mynetworks);
}

Identities find_identities(const Config& config) {
  Identities ids;
  ids.default_privs = find_user(config, params::default_privs);
  ids.owner = find_user(config, params::mail_owner);
  auto other = sys::find_user(ids.owner.uid);
  if (other && *other && (*other)->name != ids.owner.name)
    refuse(config, params::mail_owner.name(),
           fmt::format("user {} has same user ID as {}", ids.owner.name, (*other)->name));
  ids.setgid = find_group(config, params::setgid_group);
  check_overlap(config, ids);
  return ids;
}

}  // namespace postrider::config
