#include "clients/tables.h"

#include <algorithm>

#include "base/text.h"
#include "clients/migration.h"
#include "clients/own_addresses.h"
#include "clients/proxy_table.h"
#include "config/params/instance.h"
#include "config/params/rewrite.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/paths.h"
#include "log/log.h"
#include "rewrite/settings.h"
#include "sys/file.h"
#include "table/plugins.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

template <typename T>
T value_or_throw(Result<T> result, const config::Config& config, std::string_view parameter) {
  if (!result)
    throw config::ConfigError(result.error().text, config.source(parameter), "correct the list of tables");
  return std::move(*result);
}

bool parents_match(const config::Config& config, std::string_view parameter) {
  std::string list = config.get(params::parent_domain_matches_subdomains);
  auto words = split_any(list, kListSeparators);
  return std::find(words.begin(), words.end(), parameter) != words.end();
}

}  // namespace

table::OpenOptions table_options(const config::Config& config) {
  register_proxy_type(config);
  table::OpenOptions out;
  out.behaviour.utf8 = config.get(params::smtputf8_enable);
  out.berkeley_db_create_buffer_size =
      static_cast<size_t>(config.get(params::berkeley_db_create_buffer_size));
  out.berkeley_db_read_buffer_size = static_cast<size_t>(config.get(params::berkeley_db_read_buffer_size));
  if (config.get(params::daemon_table_open_error_is_fatal)) {
    out.cannot_open = [config](const std::string& problem) {
      throw config::ConfigError(problem, config.source("daemon_table_open_error_is_fatal"),
                                "correct or build the table, or set daemon_table_open_error_is_fatal = no");
    };
  }
  out.lmdb_map_size = static_cast<size_t>(config.get(params::lmdb_map_size));
  out.log = [](table::Severity severity, std::string_view text) {
    log::write(severity == table::Severity::info      ? log::Severity::info
               : severity == table::Severity::warning ? log::Severity::warning
                                                      : log::Severity::error,
               text);
  };
  out.socketmap_max_reply_size = static_cast<size_t>(config.get(params::socketmap_max_reply_size));
  out.main_cf = [config](std::string_view name) -> std::optional<std::string> {
    auto value = config.value(name);
    return value ? std::move(*value) : std::nullopt;
  };
  table::set_plugin_directories({config.get(params::shlib_directory), config::paths::shlib_directory,
                                 config.get(params::daemon_directory)});
  table::add_dynamic_types(config.get(params::meta_directory) + "/dynamicmaps.cf", out.log);
  redirect_berkeley_tables(config, out);
  return out;
}

void add_required_paths(std::string_view text, std::vector<std::string>& paths) {
  for (std::string_view word : split_braced(text, kListSeparators)) {
    while (word.starts_with('!'))
      word.remove_prefix(1);
    if (word.find(':') == std::string_view::npos) {
      if (word.starts_with('/')) paths.emplace_back(word);
      continue;
    }
    for (table::RequiredPath& required : table::required_paths(word)) {
      paths.push_back(required.replaceable ? sys::directory_of(required.path) : required.path);
    }
  }
}

table::Maps open_maps(table::Catalog& catalog, const config::Config& config, config::Param<std::string> param,
                      table::Use use, std::vector<std::string>& paths) {
  std::string value = config.get(param);
  add_required_paths(value, paths);
  return value_or_throw(table::Maps::create(catalog, param.name(), value, use), config, param.name());
}

table::Maps open_direct_maps(table::Catalog& catalog, const config::Config& config,
                             config::Param<std::string> param) {
  std::string text = config.get(param);
  std::string value;
  for (std::string_view word : split_braced(text, kListSeparators)) {
    while (word.starts_with("proxy:"))
      word.remove_prefix(6);
    value += std::string(word) + " ";
  }
  return value_or_throw(table::Maps::create(catalog, param.name(), value, {.paranoid = true}), config,
                        param.name());
}

table::MatchList open_match_list(table::Catalog& catalog, const config::Config& config,
                                 config::Param<std::string> param, table::MatchList::Kind kind,
                                 std::vector<std::string>& paths) {
  std::string value = config.get(param);
  add_required_paths(value, paths);
  table::MatchList::Options options{.kind = kind,
                                    .parent_matches_subdomains = parents_match(config, param.name())};
  return value_or_throw(table::MatchList::create(catalog, param.name(), value, options), config,
                        param.name());
}

rewrite::LocalDomains open_local_domains(table::Catalog& catalog, const config::Config& config,
                                         std::vector<std::string>& paths) {
  add_required_paths(config.get(params::mydestination), paths);
  return rewrite::LocalDomains(
      value_or_throw(rewrite::open_mydestination(config, catalog), config, "mydestination"),
      interface_addresses(config), proxy_addresses(config));
}

}  // namespace postrider::clients
