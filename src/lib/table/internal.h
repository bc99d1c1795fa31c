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
