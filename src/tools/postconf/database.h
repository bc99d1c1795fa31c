// Parameters of database tables: "ldap:accounts" makes accounts_server_host a parameter of main.cf, and
// "ldap:/etc/postfix/accounts.cf" has its own file.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace postrider::postconf {

/// The parameters of a client library's tables, sorted; empty for types that have none.
std::span<const std::string_view> database_parameters(std::string_view type);

/// What visit_databases() finds in a list. Only `table` must be there.
struct DatabaseVisitor {
  /// A table "type:name" of a type that has parameters, also inside "unionmap:{...}" and the like; "proxy:"
  /// before it does not matter.
  std::function<void(std::string_view type, std::string_view name)> table;
  /// Braces that do not match, in Postfix's words.
  std::function<void(std::string_view problem)> problem = {};
  /// A word that begins with '#', hardly meant as a part of the list, and what follows it.
  std::function<void(std::string_view word, std::string_view rest)> comment = {};
};
void visit_databases(std::string_view list, const DatabaseVisitor& visitor);

/// Warns about settings in a table's own file that mean nothing.
void check_database_file(std::string_view type, const std::string& path);

}  // namespace postrider::postconf
