#include <fcntl.h>
#include <unistd.h>

#include <ctime>
#include <functional>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/user.h"
#include "table/source_lines.h"
#include "table/syntax.h"
#include "tools/postmap/job.h"
#include "tools/postmap/source.h"

namespace postrider::postmap {

using table::Access;
using table::Builder;
using table::Duplicates;
using table::Table;
using table::Terminator;

namespace {

using Add = std::function<Result<void>(std::string_view key, std::string_view value)>;

/// The open source of a table.
struct Source {
  int fd;
  std::string name;  ///< For warnings.
};

Result<void> add_lines(const Options& options, const Settings& settings, const Source& source,
                       const Add& add) {
  bool utf8 = options.utf8 && settings.tables.behaviour.utf8;
  table::SourceLines lines(source.fd);
  for (;;) {
    auto line = lines.next();
    if (!line) return fail(line.error().kind, fmt::format("read {}: {}", source.name, line.error().text));
    if (!*line) return {};
    if ((*line)->indented) {
      log::warning("{}", table::indented_line_warning(source.name, (*line)->text));
      continue;
    }
    std::string remark;
    auto entry = options.command == Command::postalias ? parse_alias_line((*line)->text, utf8)
                                                       : parse_map_line((*line)->text, options, utf8, remark);
    if (!entry) {
      if (!entry.error().nothing)
        log::warning("{}, line {}: {}", source.name, (*line)->first, entry.error().text);
      continue;
    }
    if (!remark.empty()) log::warning("{}, line {}: {}", source.name, (*line)->first, remark);
    TRY(add(entry->key, entry->value));
  }
}

/// Entries that say to sendmail and to NIS that an alias database is complete, and from when and where it is.
struct Signature {
  std::string modified = fmt::format("{:010}", time(nullptr));
  std::string host;
};

Result<void> add_signature(Builder& builder, const Signature& signature) {
  TRY(builder.add("@", "@"));
  TRY(builder.add_raw("YP_LAST_MODIFIED", signature.modified));
  return builder.add_raw("YP_MASTER_NAME", signature.host);
}

Result<void> renew_signature(const std::string& spec, table::OpenOptions with, const Signature& signature) {
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

/// The mode of a new index: nobody may read it who may not read the source.
mode_t index_mode(const Options& options, const struct stat& source) {
  constexpr mode_t kDefault = 0644;
  if (!options.inherit_mode || !S_ISREG(source.st_mode)) return kDefault;
  return kDefault & (0700 | source.st_mode);
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
    TRY(add_lines(options, settings, {STDIN_FILENO, "stdin"}, add));
    TRY((*opened)->sync());
  }
  if (options.command == Command::postalias) TRY(renew_signature(spec, with, {.host = settings.host_name}));
  return {};
}

/// False when somebody else changed the index meanwhile.
Result<bool> build_from_source(const std::string& spec, const Options& options, const Settings& settings) {
  std::string path = spec.substr(spec.find(':') + 1);
  sys::Fd fd = TRY(sys::open_file(path, O_RDONLY));
  struct stat st = TRY(sys::stat_fd(fd.get()));
  auto identity = TRY(become_owner(options, st));
  auto builder =
      TRY(table::create(spec, index_mode(options, st), open_options(options, settings, Access::read)));
  auto add = [&](std::string_view key, std::string_view value) { return builder->add(key, value); };
  TRY(add_lines(options, settings, {fd.get(), path}, add));
  if (options.command == Command::postalias) TRY(add_signature(*builder, {.host = settings.host_name}));
  auto committed = builder->commit();
  if (committed) return true;
  if (committed.error().kind == ErrorKind::temporary) return false;
  return std::unexpected(std::move(committed).error());
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
