#include "tools/lint/tables.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/logical_lines.h"
#include "base/text.h"
#include "clients/tables.h"
#include "config/table.h"
#include "sys/file.h"
#include "table/network.h"
#include "table/syntax.h"

namespace postrider::lint {

namespace {

constexpr size_t kMaxSource = size_t{64} << 20;
constexpr size_t kMaxEntries = 1'000'000;
constexpr int kMaxDepth = 20;

constexpr std::string_view kLists[] = {
    "authorized_flush_users",
    "authorized_mailq_users",
    "authorized_submit_users",
    "debug_peer_list",
    "fast_flush_domains",
    "local_header_rewrite_clients",
    "mydestination",
    "mynetworks",
    "permit_mx_backup_networks",
    "postscreen_access_list",
    "qmqpd_authorized_clients",
    "relay_domains",
    "smtpd_authorized_verp_clients",
    "smtpd_authorized_xclient_hosts",
    "smtpd_authorized_xforward_hosts",
    "smtpd_client_event_limit_exceptions",
    "smtpd_sasl_exceptions_networks",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
};
constexpr std::string_view kMaps[] = {
    "alias_database",       "lmtp_reply_filter",          "postscreen_command_filter",
    "relay_clientcerts",    "postscreen_dnsbl_reply_map", "smtp_reply_filter",
    "smtpd_command_filter",
};
constexpr std::string_view kElsewhere[] = {"ldap",      "memcache", "mysql", "pgsql",  "redis",
                                           "socketmap", "sqlite",   "tcp",   "mongodb"};
constexpr std::string_view kCaches[] = {"address_verify_map", "postscreen_cache_map"};

template <size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

bool names_class(const Model& model, std::string_view parameter, const Service* service) {
  std::string classes = model.value("smtpd_restriction_classes", service);
  auto words = split_any(classes, kListSeparators);
  return std::ranges::find(words, parameter) != words.end();
}

/// Without the braces around it, as far as they are there.
std::string_view inside_braces(std::string_view text) {
  text.remove_prefix(1);
  size_t end = text.rfind('}');
  return trim(text.substr(0, end == text.npos ? text.size() : end));
}

bool is_composite(std::string_view type) {
  return type == "unionmap" || type == "pipemap";
}

void add_table(std::string_view word, TableRole role, std::vector<TableUse>& out, int depth) {
  if (depth > kMaxDepth) return;
  bool proxied = false;
  constexpr std::string_view kProxy = "proxy:";
  while (word.starts_with(kProxy)) {
    proxied = true;
    word.remove_prefix(kProxy.size());
  }
  size_t colon = word.find(':');
  if (colon == word.npos || colon == 0 || colon + 1 == word.size()) {
    if (role != TableRole::list) out.push_back({.name = std::string(word), .role = role, .proxied = proxied});
    return;
  }
  std::string_view type = word.substr(0, colon), name = word.substr(colon + 1);
  if (is_composite(type) && name.starts_with('{')) {
    std::string_view rest = inside_braces(name);
    while (auto inner = table::next_item(rest))
      add_table(*inner, TableRole::maps, out, depth + 1);
    return;
  }
  out.push_back({.type = std::string(type), .name = std::string(name), .role = role, .proxied = proxied});
}

void add_list_word(std::string_view word, std::vector<TableUse>& out) {
  while (word.starts_with('!'))
    word.remove_prefix(1);
  if (word.starts_with('/')) {
    out.push_back({.type = "file", .name = std::string(word), .role = TableRole::list});
    return;
  }
  // An IPv6 address has colons, too.
  if (word.starts_with('[') || table::Network::parse(word)) return;
  add_table(word, TableRole::list, out, 0);
}

void add_restriction_tables(std::string_view value, std::vector<TableUse>& out) {
  std::string_view rest = value;
  while (auto word = table::next_item(rest)) {
    if (equals_ignore_case(*word, "check_policy_service") || word->starts_with("reject_r")) {
      if (equals_ignore_case(*word, "check_policy_service")) (void)table::next_item(rest);
      continue;
    }
    if (word->find(':') != word->npos && !word->starts_with('{'))
      add_table(*word, TableRole::restrictions, out, 0);
  }
}

/// A table that nobody asks: what other systems would say is not known here.
class ElsewhereTable : public table::Table {
 public:
  ElsewhereTable(std::string_view type, std::string_view name, const table::OpenOptions& options)
      : Table(type, name, options.behaviour, options.log) {}

 protected:
  Result<std::optional<std::string>> find(std::string_view, Deadline) override { return std::nullopt; }
};

/// Of the process, as the list of types is.
struct Elsewhere {
  bool asked = false;
  std::set<std::string, std::less<>> silent;  ///< Tables that did not answer.
  std::map<std::string, table::Type, std::less<>> types;
};
Elsewhere& elsewhere() {
  static Elsewhere state;
  return state;
}

Result<std::shared_ptr<table::Table>> open_elsewhere(const std::string& type, std::string_view name,
                                                     const table::OpenOptions& options) {
  const Elsewhere& state = elsewhere();
  if (state.asked && !state.silent.contains(fmt::format("{}:{}", type, name)))
    return state.types.at(type).open(name, options);
  return std::make_shared<ElsewhereTable>(type, name, options);
}

void register_offline_types() {
  for (std::string_view name_of_type : kElsewhere) {
    std::string type(name_of_type);
    auto known = table::registered_type(type);
    if (!known || !elsewhere().types.try_emplace(type, *known).second) continue;
    table::register_type(
        {.type = type, .open = [type](std::string_view name, const table::OpenOptions& options) {
           return open_elsewhere(type, name, options);
         }});
  }
  table::register_type(
      {.type = "proxy", .open = [](std::string_view name, const table::OpenOptions& options) {
         return table::open(name, options);
       }});
}

void add_entry(std::vector<TableEntry>& out, std::string_view key, std::string_view value, int line) {
  if (out.size() < kMaxEntries) out.push_back({std::string(key), std::string(value), line});
}

/// "/pattern/flags value" as key and value.
std::optional<std::pair<std::string_view, std::string_view>> split_rule(std::string_view line) {
  std::string_view text = line;
  if (text.starts_with('!')) text.remove_prefix(1);
  if (text.empty() || is_alnum(text[0])) return std::nullopt;
  char delimiter = text[0];
  size_t end = 1;
  while (end < text.size() && text[end] != delimiter)
    end += text[end] == '\\' ? 2 : 1;
  end = std::min(text.find_first_of(" \t", std::min(end, text.size())), text.size());
  size_t offset = line.size() - text.size();
  return std::pair(line.substr(0, offset + end), trim(text.substr(end)));
}

void add_line(std::string_view type, const LogicalLine& line, std::vector<TableEntry>& out) {
  if (line.indented) return;
  if (type == "regexp" || type == "pcre") {
    if (auto rule = split_rule(line.text)) add_entry(out, rule->first, rule->second, line.first);
    return;
  }
  auto entry = table::parse_entry(line.text, /*utf8=*/false);
  if (entry) add_entry(out, entry->key, entry->value, line.first);
}

std::vector<TableEntry> entries_in_file(std::string_view type, const std::string& path) {
  std::vector<TableEntry> out;
  auto text = sys::read_file(path, kMaxSource);
  if (!text) return out;
  LogicalLines lines(*text);
  while (auto line = lines.next())
    add_line(type, *line, out);
  return out;
}

std::vector<TableEntry> entries_in_braces(std::string_view type, std::string_view name) {
  std::vector<TableEntry> out;
  std::string_view rest = inside_braces(name);
  while (auto item = table::next_item(rest)) {
    std::string_view text = item->starts_with('{') ? inside_braces(*item) : *item;
    if (type == "inline") {
      if (auto pair = table::parse_name_value(text)) add_entry(out, pair->name, pair->value, 0);
    } else {
      add_line(type, {.text = std::string(text)}, out);
    }
  }
  return out;
}

std::vector<TableEntry> entries_in_index(const Model& model, std::string_view type, std::string_view name) {
  std::vector<TableEntry> out;
  auto table = table::open(fmt::format("{}:{}", type, name), offline_options(model.config(), {}));
  if (!table) return out;
  auto entry = (*table)->first(Deadline::never());
  while (entry && *entry && out.size() < kMaxEntries) {
    add_entry(out, (*entry)->key, (*entry)->value, 0);
    entry = (*table)->next(Deadline::never());
  }
  return out;
}

}  // namespace

std::optional<TableRole> table_role(const Model& model, std::string_view parameter, const Service* service) {
  const config::ParamInfo* info = config::find_param(parameter);
  if (!info)
    return names_class(model, parameter, service) ? std::optional(TableRole::restrictions) : std::nullopt;
  if (info->type != config::ParamType::string && info->type != config::ParamType::raw) return std::nullopt;
  if (is_in(kLists, parameter)) return TableRole::list;
  if (is_in(kCaches, parameter) || parameter.ends_with("_session_cache_database")) return TableRole::cache;
  if (parameter.starts_with("smtpd_") && parameter.ends_with("_restrictions")) return TableRole::restrictions;
  if (parameter == "proxy_read_maps" || parameter == "proxy_write_maps") return std::nullopt;
  if (is_in(kMaps, parameter) || parameter.ends_with("_maps") || parameter.ends_with("_checks") ||
      parameter.ends_with("_dns_reply_filter") || parameter.ends_with("_delivery_status_filter")) {
    return TableRole::maps;
  }
  return std::nullopt;
}

std::vector<TableUse> tables_in(std::string_view value, TableRole role) {
  std::vector<TableUse> out;
  if (role == TableRole::restrictions) {
    add_restriction_tables(value, out);
    return out;
  }
  std::string_view rest = value;
  while (auto word = table::next_item(rest)) {
    if (role == TableRole::list) {
      add_list_word(*word, out);
    } else {
      add_table(*word, role, out, 0);
    }
  }
  return out;
}

std::vector<TableUse> table_uses(const Model& model) {
  std::vector<TableUse> out;
  model.each_setting([&](std::string_view name, const std::string& text, const Service* service) {
    auto role = table_role(model, name, service);
    if (!role) return;
    std::string value = model.expand(text, service);
    for (TableUse& use : tables_in(value, *role)) {
      use.parameter = name;
      use.service = service;
      use.place = model.place(name, service, use.type.empty() || use.type == "file" ? use.name : use.spec());
      out.push_back(std::move(use));
    }
  });
  return out;
}

std::string_view index_suffix(std::string_view type) {
  if (type == "hash" || type == "btree") return ".db";
  if (type == "lmdb") return ".lmdb";
  if (type == "cdb") return ".cdb";
  return {};
}

bool is_text_type(std::string_view type) {
  return type == "cidr" || type == "regexp" || type == "pcre" || type == "texthash";
}

void ask_tables_elsewhere() {
  elsewhere().asked = true;
}
bool asks_tables_elsewhere() {
  return elsewhere().asked;
}
void give_up_table(const std::string& spec) {
  elsewhere().silent.insert(spec);
}

bool is_elsewhere(std::string_view type) {
  return is_in(kElsewhere, type);
}

std::string table_path(const Model& model, std::string_view name) {
  return name.starts_with('/') ? std::string(name) : fmt::format("{}/{}", model.queue_directory(), name);
}

std::vector<TableEntry> entries_of(const Model& model, std::string_view type, std::string_view name) {
  bool inside = name.starts_with('{');
  if (type == "static") return {{"", std::string(inside ? inside_braces(name) : name), 0}};
  if (inside && (type == "inline" || is_text_type(type))) return entries_in_braces(type, name);
  std::string path = table_path(model, name);
  if (is_text_type(type) || type == "file") return entries_in_file(type, path);
  if (index_suffix(type).empty()) return {};
  return sys::exists(path) ? entries_in_file(type, path) : entries_in_index(model, type, name);
}

table::OpenOptions offline_options(const config::Config& config, table::LogSink log) {
  auto options = clients::table_options(config);
  register_offline_types();
  options.log = std::move(log);
  // A table that has not been built yet has what its source says.
  auto other = std::move(options.redirect);
  options.provide = nullptr;
  options.redirect = [other](std::string_view spec) -> Result<std::optional<std::string>> {
    size_t colon = std::min(spec.find(':'), spec.size());
    std::string_view suffix = index_suffix(spec.substr(0, colon));
    std::string source(spec.substr(std::min(colon + 1, spec.size())));
    if (!suffix.empty() && !sys::exists(fmt::format("{}{}", source, suffix)) && sys::exists(source))
      return "texthash:" + source;
    if (!other) return std::nullopt;
    return other(spec);
  };
  return options;
}

}  // namespace postrider::lint
