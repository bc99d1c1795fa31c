#include "index/build.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "log/log.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/user.h"
#include "tools/postmap/job.h"

namespace postrider::postmap {

using table::Access;
using table::Duplicates;
using table::Table;
using table::Terminator;

namespace {

index::Form form_of(const Options& options, const Settings& settings) {
  return {.aliases = options.command == Command::postalias,
          .utf8 = options.utf8 && settings.tables.behaviour.utf8,
          .values_are_files = options.values_are_files};
}

Result<void> renew_signature(const std::string& spec, table::OpenOptions with,
                             const index::Signature& signature) {
  with.duplicates = Duplicates::replace;
  with.create_mode.reset();
  {
    auto table = TRY(table::open(spec, with));
    TRY(table->put("@", "@", Deadline::never()));
    TRY(table->sync());
  }
  with.behaviour.fold_fixed = false;
  with.terminator = Terminator::never;
  auto table = TRY(table::open(spec, with));
  TRY(table->put("YP_LAST_MODIFIED", signature.modified, Deadline::never()));
  TRY(table->put("YP_MASTER_NAME", signature.host, Deadline::never()));
  return table->sync();
}

mode_t index_mode(const Options& options, const struct stat& source) {
  constexpr mode_t kDefault = 0644;
  return options.inherit_mode ? index::inherited_mode(source) : kDefault;
}

/// Root acts as the owner of the source, so that the index belongs to that user, and a user's file cannot
/// make root do more than the user may.
Result<std::optional<sys::AsUser>> become_owner(const Options& options, const struct stat& source) {
  sys::Identity self = sys::own_identity();
  if (!options.as_owner || self.real_uid != 0) return std::nullopt;
  if (source.st_uid == self.uid && source.st_gid == self.gid) return std::nullopt;
  return std::optional(TRY(sys::AsUser::enter(source.st_uid, source.st_gid)));
}

Result<void> add_from_stdin(const std::string& spec, const Options& options, const Settings& settings) {
  struct stat st = TRY(sys::stat_fd(STDIN_FILENO));
  auto identity = TRY(become_owner(options, st));
  table::OpenOptions with = open_options(options, settings, Access::exclusive);
  with.create_mode = index_mode(options, st);
  {
    auto opened = table::open(spec, with);
    if (!opened) return std::unexpected(std::move(opened).error());
    auto add = [&](std::string_view key, std::string_view value) {
      return (*opened)->put(key, value, Deadline::never());
    };
    TRY(index::add_lines({STDIN_FILENO, "stdin"}, form_of(options, settings), add));
    TRY((*opened)->sync());
  }
  if (options.command == Command::postalias)
    TRY(renew_signature(spec, with, index::Signature(settings.host_name)));
  return {};
}

/// False when somebody else changed the index meanwhile.
Result<bool> build_from_source(const std::string& spec, const Options& options, const Settings& settings) {
  std::string path = spec.substr(spec.find(':') + 1);
  sys::Fd fd = TRY(sys::open_file(path, O_RDONLY));
  struct stat st = TRY(sys::stat_fd(fd.get()));
  auto identity = TRY(become_owner(options, st));
  return index::build(spec, {fd.get(), path}, form_of(options, settings), index_mode(options, st),
                      open_options(options, settings, Access::read), settings.host_name);
}

}  // namespace

Result<int> build_tables(const Options& options, const Settings& settings) {
  constexpr int kAttempts = 5;
  for (const std::string& table : options.tables) {
    std::string spec = full_spec(table, settings);
    sys::DelaySignals no_signals;
    if (options.incremental) {
      TRY(add_from_stdin(spec, options, settings));
      continue;
    }
    if (spec.starts_with("proxy:"))
      return fail(ErrorKind::invalid, "can't create maps via the proxy service");
    int attempt = 1;
    while (!TRY(build_from_source(spec, options, settings))) {
      if (++attempt > kAttempts) {
        return fail(ErrorKind::temporary, fmt::format("{} is being changed by another process", spec));
      }
    }
  }
  return 0;
}

}  // namespace postrider::postmap
