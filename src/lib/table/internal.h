// What the files of this folder share; nothing outside includes it.
#pragma once

#include <fmt/format.h>

#include "table/file_value.h"
#include "table/open.h"

namespace postrider::table {

using OpenResult = Result<std::shared_ptr<Table>>;
using CreateResult = Result<std::unique_ptr<Builder>>;

OpenResult open_berkeley_hash(std::string_view name, const OpenOptions& options);
OpenResult open_berkeley_btree(std::string_view name, const OpenOptions& options);
CreateResult create_berkeley_hash(std::string_view name, mode_t mode, const OpenOptions& options);
CreateResult create_berkeley_btree(std::string_view name, mode_t mode, const OpenOptions& options);
OpenResult open_lmdb(std::string_view name, const OpenOptions& options);
CreateResult create_lmdb(std::string_view name, mode_t mode, const OpenOptions& options);
OpenResult open_texthash(std::string_view name, const OpenOptions& options);
OpenResult open_inline(std::string_view name, const OpenOptions& options);
OpenResult open_static(std::string_view name, const OpenOptions& options);
OpenResult open_cidr(std::string_view name, const OpenOptions& options);
OpenResult open_regexp(std::string_view name, const OpenOptions& options);
OpenResult open_pcre(std::string_view name, const OpenOptions& options);
OpenResult open_fail(std::string_view name, const OpenOptions& options);
CreateResult create_fail(std::string_view name, mode_t mode, const OpenOptions& options);
OpenResult open_unix(std::string_view name, const OpenOptions& options);
OpenResult open_cdb(std::string_view name, const OpenOptions& options);
CreateResult create_cdb(std::string_view name, mode_t mode, const OpenOptions& options);
OpenResult open_environ(std::string_view name, const OpenOptions& options);
OpenResult open_internal(std::string_view name, const OpenOptions& options);
OpenResult open_unionmap(std::string_view name, const OpenOptions& options);
OpenResult open_pipemap(std::string_view name, const OpenOptions& options);
OpenResult open_randmap(std::string_view name, const OpenOptions& options);
OpenResult open_debug(std::string_view name, const OpenOptions& options);
OpenResult open_tcp(std::string_view name, const OpenOptions& options);
OpenResult open_socketmap(std::string_view name, const OpenOptions& options);
OpenResult open_memcache(std::string_view name, const OpenOptions& options);
OpenResult open_mysql(std::string_view name, const OpenOptions& options);
OpenResult open_pgsql(std::string_view name, const OpenOptions& options);
OpenResult open_sqlite(std::string_view name, const OpenOptions& options);
OpenResult open_ldap(std::string_view name, const OpenOptions& options);
OpenResult open_redis(std::string_view name, const OpenOptions& options);

/// What tables inside of a table need.
std::vector<RequiredPath> composite_paths(std::string_view name);
std::vector<RequiredPath> debug_paths(std::string_view name);
std::vector<RequiredPath> sqlite_paths(std::string_view name);
/// The file of settings, where there is one.
std::vector<RequiredPath> settings_paths(std::string_view name);

/// Why a type of other mail systems is not supported; empty for types that nobody has.
std::string_view why_unsupported(std::string_view type);

/// Whether `spec` has the form "type:name".
Result<void> check_spec(std::string_view spec);

/// The largest text table that is read into memory.
inline constexpr size_t kMaxTextTable = size_t{1} << 30;

/// Tables that cannot be written to.
inline Result<void> refuse_write(std::string_view type, std::string_view name, const OpenOptions& options) {
  if (options.access == Access::read) return {};
  return fail(ErrorKind::denied, fmt::format("{}:{} map requires O_RDONLY access mode", type, name));
}

}  // namespace postrider::table
