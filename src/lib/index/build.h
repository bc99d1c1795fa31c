// Building the index of a table from its source: what postmap(1) and postalias(1) do, and nbdb_reindexd(8).
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "table/open.h"

namespace postrider::index {

/// How a source is written.
struct Form {
  bool aliases = false;           ///< "name: value" of aliases(5), else "key value".
  bool utf8 = true;               ///< Lines that are no UTF-8 are passed over.
  bool values_are_files = false;  ///< See OpenOptions.
};

/// An open source.
struct Source {
  int fd;
  std::string name;  ///< For warnings.
};

/// Gives `add` each entry. Lines that are none, and what is odd, are logged.
using Add = std::function<Result<void>(std::string_view key, std::string_view value)>;
Result<void> add_lines(const Source& source, const Form& form, const Add& add);

/// What entries that every alias database has tell sendmail and NIS: when and where it was built.
struct Signature {
  Signature(std::string host);
  std::string modified, host;
};

/// The mode of a new index of this source: nobody may read it who may not read the source.
mode_t inherited_mode(const struct stat& source);

/// Builds the index `spec` of a source; `host` is for the signature of aliases. False when somebody else
/// changed the index meanwhile: open the source again and start over.
Result<bool> build(const std::string& spec, const Source& source, const Form& form, mode_t mode,
                   const table::OpenOptions& options, const std::string& host);

}  // namespace postrider::index
