#include "nbdb_reindexd/indexer.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/tools.h"
#include "index/build.h"
#include "log/log.h"
#include "nbdb_reindexd/grammar.h"
#include "sys/file.h"
#include "sys/user.h"

namespace postrider::nbdb_reindexd {

namespace params = config::params;

namespace {

table::OpenOptions options_for_building(const config::Config& config) {
  table::OpenOptions out = clients::table_options(config);
  out.redirect = nullptr;
  out.provide = nullptr;
  out.cannot_open = nullptr;
  return out;
}

std::unexpected<Error> denied(std::string text) {
  return fail(ErrorKind::denied, std::move(text));
}

Result<Seen> look(std::string_view what, const std::string& path) {
  auto status = sys::stat_file(path);
  if (status) return Seen{path, *status};
  return denied(fmt::format("look up status for {} '{}': {}", what, printable(path),
                            Error::from_errno("", status.error().code).text));
}

}  // namespace

Settings::Settings(const config::Config& config)
    : enabled(config.get(params::non_bdb_migration_level) == "enable-reindex"),
      rules{.root = {"non_bdb_migration_allow_root_prefixes",
                     config.get(params::non_bdb_migration_allow_root_prefixes)},
            .user = {"non_bdb_migration_allow_user_prefixes",
                     config.get(params::non_bdb_migration_allow_user_prefixes)}},
      mapping(clients::type_mapping(config)),
      options(options_for_building(config)),
      alias_tables(config.get(params::alias_maps) + " " + config.get(params::alias_database)),
      service_name(config.get(params::service_name)),
      host_name(config.get(params::myhostname)) {}

bool Indexer::is_alias_table(const std::string& path) const {
  for (std::string_view word : split_any(settings_.alias_tables, kListSeparators)) {
    for (std::string_view prefix : {"hash:", "btree:"})
      if (word.starts_with(prefix) && word.substr(prefix.size()) == path) return true;
  }
  return false;
}

Result<void> Indexer::build(const std::string& target, const Seen& source, const Seen& old_index) const {
  uid_t uid = old_index.status.st_uid;
  auto owner = TRY(sys::AsUser::enter(uid, old_index.status.st_gid));
  auto fd = sys::open_file(source.path, O_RDONLY);
  if (!fd) return denied(fmt::format("as uid {}: {}", uid, fd.error().text));
  // The name could have been given to another file since.
  struct stat opened = TRY(sys::stat_fd(fd->get()));
  if (opened.st_dev != source.status.st_dev || opened.st_ino != source.status.st_ino ||
      !is_safe_for(uid, opened))
    return denied(fmt::format("source file '{}' was changed", printable(source.path)));
  bool utf8 = settings_.options.behaviour.utf8;
  bool aliases = is_alias_table(source.path) || TRY(is_alias_source(fd->get(), utf8));
  if (::lseek(fd->get(), 0, SEEK_SET) < 0) return fail_errno("lseek " + source.path);
  std::string command = fmt::format("{} {}", aliases ? "postalias" : "postmap", target);
  auto built = index::build(target, {fd->get(), source.path}, {.aliases = aliases, .utf8 = utf8},
                            index::inherited_mode(opened), settings_.options, settings_.host_name);
  if (built && *built) {
    log::info("successfully executed '{}' as uid {}", command, uid);
    return {};
  }
  return denied(
      fmt::format("could not execute command '{}': {}; alternatively, execute the failed command by hand",
                  command, built ? "another process changes the index" : built.error().text));
}

Result<void> Indexer::run(std::string_view type, const std::string& path) const {
  if (!settings_.enabled) return denied(fmt::format("the {} service is disabled", settings_.service_name));
  auto target = settings_.mapping.replacement(fmt::format("{}:{}", type, path));
  if (!target) return denied(target.error().text);
  std::string_view new_type = std::string_view(*target).substr(0, target->find(':'));
  std::string_view suffix = clients::replacement_suffix(new_type);
  if (suffix.empty()) return denied(fmt::format("non-Berkeley-DB type '{}' has no known suffix", new_type));
  std::string index = fmt::format("{}{}", path, suffix);
  // Many processes ask at the same time, and the first one had it made.
  if (auto there = sys::stat_file(index); there && there->st_size > 0) {
    log::info("target file '{}' already exists, skipping this request", printable(index));
    return {};
  }
  Seen old_index = TRY(look("legacy indexed file", path + ".db"));
  Seen source = TRY(look("source file", path));
  Seen directory = TRY(look("parent directory", sys::directory_of(path)));
  TRY(settings_.rules.check(source, old_index, directory));
  return build(*target, source, old_index);
}

}  // namespace postrider::nbdb_reindexd
