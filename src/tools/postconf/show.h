// What postconf prints, and its checks of both files.
#pragma once

#include "tools/postconf/catalogue.h"
#include "tools/postconf/options.h"

namespace postrider::postconf {

/// Parameters of main.cf: those named, else all of the classes asked for.
void show_main(const Options& options, const config::Config& config, const Catalogue& catalogue);
/// -M, -F and -P.
void show_master(const Options& options, const Catalogue& catalogue, const std::vector<MasterEntry>& entries);
/// Warns about settings that nothing uses and names that will go away.
void check_unused(const Options& options, const config::Config& config, const Catalogue& catalogue,
                  const std::vector<MasterEntry>& entries);

/// "service/type/rest" as a pattern: "*" stands for any part, missing parts for all.
struct Selector {
  explicit Selector(std::string_view pattern);
  /// Whether it stands for an entry of this name and type.
  bool matches(std::string_view name, std::string_view type) const;
  bool matches_third(std::string_view text) const { return parts[2] == "*" || parts[2] == text; }

  std::string parts[3] = {"*", "*", "*"};
  size_t given = 0;  ///< Number of parts; more than three for a text that is no pattern.
  bool ok;           ///< The first part is not empty, and no part has "*" beside other text.
};

}  // namespace postrider::postconf
