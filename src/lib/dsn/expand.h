// The text of a notice: $name expansions in the text of a template.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"
#include "dsn/template.h"

namespace postrider::dsn {

/// Expands the texts of templates. Parameters of main.cf go by their names; delay_warning_time and
/// maximal_queue_lifetime also with a unit: $delay_warning_time_hours. Names of the own host and domain are
/// shown in UTF-8 (smtputf8_enable).
class Expander {
 public:
  explicit Expander(const config::Config& config);

  /// The lines of the text. The error is the line that Postfix logs as fatal. Odd results are warned of.
  Result<std::vector<std::string>> expand(const Template& source) const;

 private:
  Result<std::optional<std::string>> value(std::string_view name, const Template& source) const;
  Result<std::optional<std::string>> scaled_time(std::string_view name, std::string_view parameter,
                                                 seconds time, const Template& source) const;

  config::Config config_;
  seconds delay_warning_, lifetime_;
  std::string hostname_, domain_;
};

/// What `postconf -b` prints: the texts of all templates, expanded.
Result<std::string> show_expanded(const Templates& templates, const Expander& expander);
/// What `postconf -t` prints: the templates as a template file has them.
std::string show_source(const Templates& templates);

}  // namespace postrider::dsn
