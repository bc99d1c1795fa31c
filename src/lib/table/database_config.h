// The settings of a table that asks a server.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "table/open.h"

namespace postrider::table {

/// "ldap:/etc/postfix/x.cf" has a file of "name = value" settings with the syntax of main.cf, without $name.
/// "ldap:x" has parameters of main.cf, with names that begin with "x_".
class DatabaseConfig {
 public:
  /// `name` is what follows the type; errors are those of Postfix.
  static Result<DatabaseConfig> open(std::string_view name, const OpenOptions& options);

  /// Nothing when it is not set.
  std::optional<std::string> find(std::string_view parameter) const;
  std::string text(std::string_view parameter, std::string_view fallback = {}) const;
  /// An error when the text is shorter than `min` or, with `max` set, longer.
  Result<std::string> text_of_length(std::string_view parameter, std::string_view fallback, size_t min,
                                     size_t max) const;
  /// `min`, `max`: 0 is no limit.
  Result<int> number(std::string_view parameter, int fallback, int min, int max) const;
  Result<bool> flag(std::string_view parameter, bool fallback) const;

  /// Who can change the settings.
  Owner owner() const { return owner_; }

 private:
  /// How a complaint names the parameter.
  std::string shown(std::string_view parameter) const;
  std::string where() const;

  bool is_file_ = false;
  std::string name_;
  Owner owner_;
  std::map<std::string, std::string, std::less<>> settings_;  // Of a file.
  std::function<std::optional<std::string>(std::string_view)> parameter_;
};

}  // namespace postrider::table
