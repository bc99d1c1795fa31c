#include "tools/postfix/non_bdb.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/migration.h"
#include "config/edit.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/params/tools.h"
#include "log/log.h"
#include "sys/process.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

class Migration {
 public:
  explicit Migration(const config::Config& config)
      : config_(config), service_(config.get(params::non_bdb_migration_service_name)) {}

  Result<void> disable() {
    TRY(edit_main(config::MainCfAction::remove, ""));
    return edit_master(false);
  }

  Result<void> redirect() {
    TRY(check_types());
    TRY(edit_master(false));
    return edit_main(config::MainCfAction::set, "enable-redirect");
  }

  Result<void> reindex() {
    TRY(check_types());
    TRY(index_for_commands());
    TRY(edit_master(true));
    return edit_main(config::MainCfAction::set, "enable-reindex");
  }

 private:
  Result<void> check_types() const {
    for (config::Param<std::string> param : {params::default_database_type, params::default_cache_db_type}) {
      std::string type = config_.get(param);
      if (clients::is_berkeley_type(type))
        return fail(ErrorKind::invalid,
                    fmt::format("parameter {} specifies a Berkeley DB type: '{}'", param.name(), type));
    }
    return {};
  }

  /// Commands that users run cannot ask for indexes.
  Result<void> index_for_commands() const {
    clients::TypeMapping mapping = clients::type_mapping(config_);
    for (std::string_view parameter : {"authorized_flush_users", "authorized_mailq_users",
                                       "authorized_submit_users", "local_login_sender_maps"}) {
      std::string value = TRY(config_.value(parameter)).value_or("");
      for (std::string_view word : split_any(value, kListSeparators)) {
        if (!clients::is_berkeley_type(word.substr(0, word.find(':')))) continue;
        log::info("Proactively reindexing {}", word);
        std::string table = TRY(mapping.replacement(word));
        TRY(run_postmap(table));
      }
    }
    return {};
  }

  Result<void> run_postmap(const std::string& table) const {
    std::string command = config_.get(params::command_directory) + "/postmap";
    log::flush();
    pid_t child = TRY(sys::spawn({.argv = {command, table},
                                  .environment = sys::environment(),
                                  .descriptors = {{0, 0}, {1, 1}, {2, 2}}}));
    int status = TRY(sys::wait_for(child));
    if (status == 0) return {};
    return fail(ErrorKind::system, fmt::format("postmap {} failed", table));
  }

  Result<void> edit_main(config::MainCfAction action, std::string_view level) const {
    std::string path = config_.main_cf_path();
    return config::edit_file(path, [&](std::string_view content) {
      std::vector<std::string> warnings;
      return config::edit_main_cf(content, path, action, {{"non_bdb_migration_level", std::string(level)}},
                                  warnings);
    });
  }

  /// With or without the service.
  Result<void> edit_master(bool wanted) const {
    std::string path = config_.directory() + "/master.cf";
    std::string entry = fmt::format("{} unix y n n - 1 nbdb_reindexd", service_);
    return config::edit_file(path, [&](std::string_view content) -> Result<std::string> {
      bool found = false;
      auto decide = [&](const LogicalLine& line) -> config::EntryEdit {
        auto words = split_any(line.text, " \t\r\n");
        if (line.indented || words.size() < 2 || words[0] != service_ || words[1] != "unix") return {};
        bool again = std::exchange(found, true);
        if (wanted && !again) return {config::EntryEdit::Action::replace, entry};
        return {config::EntryEdit::Action::remove, ""};
      };
      // A first pass tells whether there is one.
      std::string edited = config::edit_entries(content, decide, {});
      if (!wanted || found) return edited;
      return config::edit_entries(content, decide, {entry});
    });
  }

  const config::Config& config_;
  std::string service_;
};

}  // namespace

int migrate_from_berkeley_db(const config::Config& config, const std::vector<std::string>& arguments) {
  std::string_view command = arguments.size() == 1 ? std::string_view(arguments.front()) : "";
  Migration migration(config);
  Result<void> done;
  if (command == "status") {
    fmt::print("{}\n", config.get(params::non_bdb_migration_level));
  } else if (command == "disable") {
    done = migration.disable();
  } else if (command == "enable-redirect") {
    done = migration.redirect();
  } else if (command == "enable-reindex") {
    done = migration.reindex();
  } else {
    done = fail(ErrorKind::invalid,
                "usage: postfix non-bdb status (or enable-redirect, or enable-reindex, or disable)");
  }
  if (done) return 0;
  log::write(log::Severity::fatal, done.error().text);
  return 1;
}

}  // namespace postrider::postfix
