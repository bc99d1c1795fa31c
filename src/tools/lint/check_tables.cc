// Tables that are missing, older than their source, malformed, or of a type that is not there.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include <fmt/format.h>

#include "base/logical_lines.h"
#include "base/text.h"
#include "clients/migration.h"
#include "clients/tables.h"
#include "config/main_cf.h"
#include "config/paths.h"
#include "sys/file.h"
#include "table/catalog.h"
#include "table/network.h"
#include "table/syntax.h"
#include "tools/lint/checks.h"
#include "tools/lint/nearest.h"
#include "tools/lint/tables.h"
#include "tools/postconf/database.h"

namespace postrider::lint {

namespace {

class TableCheck {
 public:
  TableCheck(const Model& model, Report& report, const std::vector<TableUse>& uses)
      : model_(model), report_(report), migration_(model.value("non_bdb_migration_level")) {
    for (const TableUse& use : uses)
      if (use.parameter == "alias_maps" || use.parameter == "alias_database") aliases_.insert(use.spec());
    // What other parameters say of them by $alias_maps can be the default.
    for (std::string_view parameter : {"alias_maps", "alias_database"})
      for (const TableUse& use : tables_in(model.value(parameter), TableRole::maps))
        aliases_.insert(use.spec());
  }

  void check(const TableUse& use) {
    if (use.type.empty()) {
      report_.add(codes::table_type, use.place, fmt::format("{} in {} is no table", use.name, use.parameter),
                  "write type:name, for example hash:" +
                      (use.name.starts_with('/') ? use.name : "/etc/postfix/" + use.name));
      return;
    }
    if (use.type == "file") return check_exists(use, "file");
    if (!table::is_known_type(use.type)) return unknown_type(use);
    if (use.role == TableRole::cache || use.name.starts_with('{')) return check_content(use, "");
    if (!index_suffix(use.type).empty()) return check_index(use);
    if (is_text_type(use.type)) {
      check_exists(use, "table");
      return check_content(use, table_path(model_, use.name));
    }
    if (!postconf::database_parameters(use.type).empty() || use.type == "redis") check_database(use);
    if (is_elsewhere(use.type) && asks_tables_elsewhere()) check_answer(use);
  }

 private:
  void unknown_type(const TableUse& use) {
    auto refused = table::open(use.spec(), offline_options(model_.config(), {}));
    std::string text = refused ? "unsupported dictionary type: " + use.type : refused.error().text;
    auto types = table::type_names();
    std::vector<std::string_view> known(types.begin(), types.end());
    std::string_view meant = nearest(use.type, known);
    report_.add(codes::table_type, use.place, fmt::format("{} in {}: {}", use.spec(), use.parameter, text),
                meant.empty() ? std::string("use one of the types that \"postconf -m\" lists")
                              : fmt::format("write {}:{} if that was meant", meant, use.name));
  }

  void check_exists(const TableUse& use, std::string_view what) {
    std::string path = table_path(model_, use.name);
    if (sys::exists(path)) return;
    report_.add(codes::table_missing, use.place,
                fmt::format("the {} {} that {} names does not exist", what, path, use.parameter),
                fmt::format("make the file, or remove it from {}", use.parameter));
  }

  void check_index(const TableUse& use) {
    if (!seen_tables_.insert(use.spec()).second) return;
    std::string source = table_path(model_, use.name);
    auto suffix = suffix_in_use(use);
    if (!suffix) {
      report_.add(codes::table_type, use.place,
                  fmt::format("{} in {}: {}", use.spec(), use.parameter, suffix.error().text),
                  "set default_database_type and default_cache_db_type to types that there are");
      return;
    }
    std::string index = fmt::format("{}{}", source, *suffix);
    auto source_status = sys::stat_file(source), index_status = sys::stat_file(index);
    if (hidden(source_status) || hidden(index_status)) return;
    std::string build = aliases_.contains(use.spec()) ? "postalias" : "postmap";
    // The tool reads a main.cf itself.
    if (model_.config().directory() != config::paths::config_directory)
      build += fmt::format(" -c {}", model_.config().directory());
    build += fmt::format(" {}", use.spec());
    if (!source_status && !index_status) {
      report_.add(codes::table_missing, use.place,
                  fmt::format("the table {} that {} names does not exist", use.spec(), use.parameter),
                  fmt::format("make the file {} and run \"{}\", or remove the table from {}", source, build,
                              use.parameter));
    } else if (!index_status && made_on_demand(source)) {
      return;
    } else if (!index_status) {
      report_.add(codes::table_not_built, use.place,
                  fmt::format("the table {} has no index {}: look-ups fail", use.spec(), index),
                  fmt::format("run \"{}\"", build));
    } else if (source_status && source_status->st_mtime > index_status->st_mtime) {
      report_.add(codes::table_stale, use.place,
                  fmt::format("{} is newer than its index {}: changes have no effect", source, index),
                  fmt::format("run \"{}\"", build));
    }
    if (source_status && S_ISREG(source_status->st_mode) && !aliases_.contains(use.spec()))
      check_source(source);
  }

  /// During a migration another type takes the place of Berkeley DB.
  Result<std::string> suffix_in_use(const TableUse& use) const {
    if (!clients::is_berkeley_type(use.type) || migration_ == "disable")
      return std::string(index_suffix(use.type));
    std::string other = TRY(clients::type_mapping(model_.config()).replacement(use.spec()));
    return std::string(clients::replacement_suffix(std::string_view(other).substr(0, other.find(':'))));
  }
  bool made_on_demand(const std::string& source) const {
    return migration_ == "enable-reindex" && sys::exists(source + ".db");
  }

  static bool hidden(const Result<struct stat>& status) { return !status && status.error().code == EACCES; }

  /// The lines that postmap would warn about.
  void check_source(const std::string& path) {
    if (!seen_sources_.insert(path).second) return;
    constexpr size_t kMax = size_t{64} << 20;
    auto text = sys::read_file(path, kMax);
    if (!text) return;
    LogicalLines lines(*text);
    while (auto line = lines.next()) {
      std::string problem;
      if (line->indented) {
        problem = "a line that begins with white space has no entry to continue";
      } else if (auto entry = table::parse_entry(line->text, true); !entry) {
        problem = table::fault_text(entry.error(), line->text, true);
      } else if (table::looks_like_alias(*entry)) {
        problem = table::kAliasLikeWarning;
      } else {
        continue;
      }
      report_.add(codes::table_syntax, {path, line->first}, problem,
                  "write the key, white space, and the value");
    }
  }

  /// Opens a table that is text, and hears what it says about its lines.
  void check_content(const TableUse& use, const std::string& path) {
    if (use.role == TableRole::cache || (!path.empty() && !sys::exists(path))) return;
    if (!seen_tables_.insert(use.spec()).second) return;
    auto sink = [&](table::Severity severity, std::string_view text) {
      if (severity != table::Severity::info) syntax(use, path, text);
    };
    std::string name = path.empty() ? use.name : path;
    auto table = table::open(fmt::format("{}:{}", use.type, name), offline_options(model_.config(), sink));
    if (!table && table.error().code != EACCES) syntax(use, path, table.error().text);
  }

  void syntax(const TableUse& use, const std::string& path, std::string_view text) {
    constexpr std::string_view kLine = "line ";
    Place place = path.empty() ? use.place : Place{path};
    size_t at = text.find(kLine);
    if (!path.empty() && at != text.npos) {
      std::string_view rest = text.substr(at + kLine.size());
      size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
      place.line = static_cast<int>(parse_int(rest.substr(0, digits)).value_or(0));
      size_t colon = rest.find(": ");
      if (place.line > 0 && colon != rest.npos) text = rest.substr(colon + 2);
    }
    report_.add(codes::table_syntax, place, std::string(text),
                fmt::format("correct the line ({}_table(5) describes the form)", use.type));
  }

  /// Whether a table that another system has can be asked.
  void check_answer(const TableUse& use) {
    if (!asked_.insert(use.spec()).second) return;
    std::string said;
    auto sink = [&](table::Severity severity, std::string_view text) {
      if (severity != table::Severity::info && said.empty()) said = text;
    };
    auto table = table::open(use.spec(), offline_options(model_.config(), sink));
    auto answer = table ? (*table)->lookup("someone@stranger.example", Deadline::after(seconds(30)))
                        : std::unexpected(table.error());
    if (answer) return;
    give_up_table(use.spec());
    report_.add(codes::table_unreachable, use.place,
                fmt::format("{} in {} does not answer: {}", use.spec(), use.parameter,
                            said.empty() ? answer.error().text : said),
                "see to its server, and to the settings that lead there");
  }

  /// The settings of a table that another system has.
  void check_database(const TableUse& use) {
    if (!use.name.starts_with('/') && !use.name.starts_with('.')) return;
    if (!seen_tables_.insert(use.spec()).second) return;
    std::string path = table_path(model_, use.name);
    auto status = sys::stat_file(path);
    if (hidden(status)) return;
    if (!status) return check_exists(use, "file of settings");
    auto text = sys::read_file(path, config::kMaxConfigFile);
    if (!text) return;
    auto parsed = config::parse_main_cf(*text, path);
    if (!parsed) {
      report_.add(codes::table_settings, {path}, parsed.error().text, "write name = value");
      return;
    }
    auto known = postconf::database_parameters(use.type);
    if (known.empty()) return;
    for (const config::MainCfEntry& entry : parsed->entries) {
      if (std::ranges::find(known, entry.name) != known.end()) continue;
      std::string_view meant = nearest(entry.name, known);
      report_.add(
          codes::table_unused_setting, {path, entry.line},
          fmt::format("{} tables have no setting {}", use.type, entry.name),
          meant.empty() ? std::string("remove the line") : fmt::format("write {} if that was meant", meant));
    }
    check_query(use, path, *parsed);
  }

  void check_query(const TableUse& use, const std::string& path, const config::MainCf& file) {
    if (use.type != "mysql" && use.type != "pgsql" && use.type != "sqlite") return;
    auto has = [&](std::string_view name) {
      return std::ranges::find(file.entries, name, &config::MainCfEntry::name) != file.entries.end();
    };
    auto query = std::ranges::find(file.entries, "query", &config::MainCfEntry::name);
    if (query != file.entries.end()) return check_key(use, path, *query);
    if (has("select_function") || (has("select_field") && has("table") && has("where_field"))) return;
    report_.add(codes::table_settings, {path}, fmt::format("the {} table has no query", use.type),
                fmt::format("set query = SELECT ... WHERE ... = '%s' ({}_table(5))", use.type));
  }

  /// A query that does not ask for the key has one answer for all.
  void check_key(const TableUse& use, const std::string& path, const config::MainCfEntry& query) {
    for (size_t at = query.value.find('%'); at != std::string::npos; at = query.value.find('%', at + 2)) {
      char code = at + 1 < query.value.size() ? query.value[at + 1] : '%';
      if (code != '%') return;
    }
    report_.add(
        codes::table_settings, {path, query.line},
        fmt::format("the query of this {} table does not ask for the key: all keys get the same answer",
                    use.type),
        fmt::format("write '%s' where the key belongs ({}_table(5))", use.type));
  }

  const Model& model_;
  Report& report_;
  std::string migration_;  ///< non_bdb_migration_level
  std::set<std::string> aliases_, seen_sources_, seen_tables_, asked_;
};

/// proxymap refuses tables that proxy_read_maps does not have.
void check_proxied(const Model& model, Report& report, const std::vector<TableUse>& uses) {
  std::string listed = " " + replace_all(model.value("proxy_read_maps"), ",", " ") + " ";
  for (const TableUse& use : uses) {
    if (!use.proxied || use.type.empty() || use.role == TableRole::cache) continue;
    std::string wanted = fmt::format("proxy:{}", use.spec());
    if (listed.find(wanted) != std::string::npos) continue;
    report.add(
        codes::table_not_proxied, use.place,
        fmt::format("{} in {} is not in proxy_read_maps: look-ups are refused", wanted, use.parameter),
        fmt::format("add ${} to proxy_read_maps, or name the table without \"proxy:\"", use.parameter));
  }
}

}  // namespace

void check_tables(const Model& model, Report& report) {
  // Also makes known the types of plug-ins.
  (void)offline_options(model.config(), {});
  auto uses = table_uses(model);
  TableCheck check(model, report, uses);
  for (const TableUse& use : uses)
    check.check(use);
  check_proxied(model, report, uses);
}

void check_networks(const Model& model, Report& report) {
  auto check = [&](const Service* service) {
    std::string value = model.value("mynetworks", service);
    for (std::string_view word : list_words(value)) {
      std::string_view text = word.starts_with('!') ? word.substr(1) : word;
      bool negated = text.size() != word.size();
      if (text.empty() || !(is_digit(text[0]) || text[0] == '[')) continue;
      Place place = model.place("mynetworks", service, word);
      auto network = table::Network::parse(text);
      if (!network) {
        report.add(codes::bad_value, place, fmt::format("mynetworks has {}: {}", word, network.error().text),
                   "write the first address of the network and its length: 192.0.2.0/24, [2001:db8::]/32");
        continue;
      }
      if (negated) continue;
      size_t slash = text.find('/');
      if (slash == text.npos) continue;
      int bits = static_cast<int>(parse_int(text.substr(slash + 1)).value_or(128));
      bool ipv6 = text.find(':') != text.npos;
      bool is_private = text.starts_with("10.") || text.starts_with("127.") || text.starts_with("[fd") ||
                        text.starts_with("[fc") || text.starts_with("[fe80");
      constexpr int kWide4 = 12, kWide6 = 24;
      if (is_private || bits == 0 || bits >= (ipv6 ? kWide6 : kWide4)) continue;
      report.add(
          codes::mynetworks_wide, place,
          fmt::format(
              "mynetworks has {}, which is far more than the networks of one site: all of it may relay",
              word),
          "list only networks whose clients you know");
    }
  };
  if (model.config().is_set("mynetworks")) check(nullptr);
  for (const Service& service : model.services())
    if (service.find("mynetworks")) check(&service);
  if (!model.config().is_set("mynetworks") && equals_ignore_case(model.value("mynetworks_style"), "class")) {
    report.add(
        codes::mynetworks_wide, model.place("mynetworks_style"),
        "mynetworks_style = class lets the whole class A, B or C network of this host relay, most of which "
        "belongs to others",
        "write mynetworks_style = subnet or host, or set mynetworks");
  }
}

}  // namespace postrider::lint
