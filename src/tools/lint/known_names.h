// Which names of parameters mean something in a configuration.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "tools/lint/model.h"

namespace postrider::lint {

class KnownNames {
 public:
  explicit KnownNames(const Model& model);

  /// Whether something reads the name: a program, a $name in another setting, a list of classes, or a table
  /// that has its settings in main.cf.
  bool contains(std::string_view name) const;
  /// Whether it is defined: set somewhere, or built in.
  bool is_defined(std::string_view name) const;
  /// The parameter that may have been meant; empty where none is near.
  std::string_view nearest(std::string_view name) const;
  /// "x" for a name as x_destination_recipient_limit without such a service; else empty.
  std::string_view missing_transport(std::string_view name) const;

 private:
  void add_references(std::string_view name, const std::string& text, const Service* service);
  void add_databases(const std::string& value);

  const Model& model_;
  std::set<std::string, std::less<>> families_, references_, set_;
};

}  // namespace postrider::lint
