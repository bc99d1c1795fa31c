#include "nbdb_reindexd/safety.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::nbdb_reindexd {

namespace {

std::unexpected<Error> unsafe(const Seen& old_index, std::string_view what, const std::string& path) {
  return fail(
      ErrorKind::denied,
      fmt::format("legacy indexed file '{}' is owned by uid '{}', but {} '{}' is owned or writable by "
                  "other user; to allow automatic indexing, correct the ownership or permissions",
                  printable(old_index.path), old_index.status.st_uid, what, printable(path)));
}

}  // namespace

Prefixes::Prefixes(std::string_view parameter, std::string value)
    : parameter_(parameter), value_(std::move(value)) {
  for (std::string_view word : split_any(value_, kListSeparators)) {
    if (!word.starts_with('/')) {
      log::warning("request to allowlist prefix with relative pathname: '{}'", word);
      continue;
    }
    while (word.ends_with('/'))
      word.remove_suffix(1);
    directories_.emplace_back(word);
  }
}

bool Prefixes::match(std::string_view path) const {
  if (!path.starts_with('/') || path.find("/../") != std::string_view::npos || path.ends_with("/..") ||
      path.find('\0') != std::string_view::npos)
    return false;
  return std::ranges::any_of(directories_, [&](const std::string& directory) {
    return path.starts_with(directory) && path.substr(directory.size()).starts_with('/');
  });
}

bool is_safe_for(uid_t uid, const struct stat& status) {
  bool owned = status.st_uid == 0 || status.st_uid == uid;
  return owned && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Result<void> SafetyRules::check(const Seen& source, const Seen& old_index, const Seen& directory) const {
  uid_t uid = old_index.status.st_uid;
  const Prefixes& prefixes = uid == 0 ? root : user;
  if (!prefixes.match(source.path)) {
    return fail(
        ErrorKind::denied,
        fmt::format(
            "table {} has an unexpected pathname; to allow automatic indexing as {}, append its parent "
            "directory to the '{}' setting (current setting is: \"{}\")",
            printable(source.path), uid == 0 ? "root" : "non-root", prefixes.parameter(), prefixes.value()));
  }
  if (!is_safe_for(uid, source.status)) return unsafe(old_index, "source file", source.path);
  if (!is_safe_for(uid, directory.status)) return unsafe(old_index, "parent directory", directory.path);
  return {};
}

}  // namespace postrider::nbdb_reindexd
