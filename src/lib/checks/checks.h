// header_checks(5): the tables that lines of a message are looked up in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "checks/action.h"
#include "config/config.h"
#include "mail/mime.h"
#include "table/maps.h"

namespace postrider::checks {

/// The tables for one way of mail: in (header_checks and its kin), or out (smtp_header_checks).
class Checks {
 public:
  struct Parameters {
    config::Param<std::string> header, mime_header, nested_header, body;
    Repertoire repertoire;
  };

  /// No tables.
  Checks() = default;
  /// Opens the tables; what they need of the file system is added to `paths`. The catalog must outlive the
  /// object. `body_limit` (body_checks_size_limit): lines that begin behind so many bytes of a body are not
  /// looked at; 0 for no limit. Throws ConfigError where a value is no list of tables.
  Checks(table::Catalog& catalog, const config::Config& config, const Parameters& parameters,
         size_t body_limit, std::vector<std::string>& paths);

  bool empty() const {
    return header_.empty() && mime_header_.empty() && nested_header_.empty() && body_.empty();
  }

  /// What the tables say about a logical header, a line or a piece of one: the arguments are those of
  /// mail::MimeSink. An error means that a table does not answer; its text, "header_checks map lookup
  /// problem", is meant for a log line.
  Result<Action> header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text,
                        Deadline deadline) const;
  Result<Action> body(std::string_view text, size_t offset, Deadline deadline) const;

 private:
  const table::Maps& maps_for(mail::HeaderClass where, const mail::HeaderInfo* known) const;
  Result<Action> look_up(const table::Maps& maps, Place place, std::string_view text,
                         Deadline deadline) const;

  table::Maps header_, mime_header_, nested_header_, body_;
  Repertoire repertoire_ = Repertoire::lines;
  size_t body_limit_ = 0;
};

}  // namespace postrider::checks
