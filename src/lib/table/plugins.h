// Shared objects with table types.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/open.h"

namespace postrider::table {

/// Where plug-ins are, in the order of search: shlib_directory and others. For a process, to be set before
/// the first table is opened.
void set_plugin_directories(std::vector<std::string> directories);

/// The driver object of "postrider-NAME.so", loaded once. `kind` is "sql", "ldap", "redis" or "digest". The
/// error tells which package is missing.
Result<void*> load_driver(std::string_view name, std::string_view kind);

/// Whether there is such a driver object, without loading it.
bool has_driver(std::string_view name);

template <typename Driver>
Result<Driver*> load_driver(std::string_view name, std::string_view kind) {
  return static_cast<Driver*>(TRY(load_driver(name, kind)));
}

/// Adds the types of a dynamicmaps.cf and of the files in the directory PATH.d: lines of a type, the shared
/// object (below a plug-in directory unless absolute), and the name of a function that returns a
/// driver::LookupDriver. Types that are known already are passed over: the lines of a Postfix installation do
/// no harm. `log` gets what is wrong with lines.
void add_dynamic_types(const std::string& path, const LogSink& log);

}  // namespace postrider::table
