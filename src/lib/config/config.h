// The configuration of one process: main.cf, the overrides of master.cf and the built-in defaults.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/compat_level.h"
#include "config/param.h"
#include "config/value_text.h"

namespace postrider::config {

struct LoadOptions {
  /// Where main.cf is. Empty: the environment's MAIL_CONFIG, else the built-in directory.
  std::string directory;
  /// -o name=value, in their order. They win over main.cf.
  std::vector<Assignment> overrides;
  std::string process_name;  ///< $process_name: "smtpd"
  std::string service_name;  ///< $service_name: the first column of master.cf
  pid_t process_id = 0;      ///< $process_id; 0: this process
  /// For programs that run with the rights of another user or group: a directory other than the built-in one
  /// must be named in alternate_config_directories or multi_instance_directories there.
  bool only_listed_directories = false;
  /// Use the built-in defaults alone and read no file, as `postconf -d`.
  bool defaults_only = false;
};

/// Where a setting comes from.
struct Source {
  enum class Origin : unsigned char { builtin, computed, main_cf, override_ };
  Origin origin = Origin::builtin;
  std::string file;  ///< main.cf: its path. An override: the service.
  int line = 0;      ///< main.cf only.

  /// "/etc/postfix/main.cf line 12", "master.cf override of service smtp", "built-in default".
  std::string text() const;
};

/// A configuration with which a program cannot start. what() is the line that Postfix logs after "fatal: ".
class ConfigError : public std::runtime_error {
 public:
  ConfigError(const std::string& text, Source source, std::string remedy)
      : std::runtime_error(text), source_(std::move(source)), remedy_(std::move(remedy)) {}

  const Source& source() const { return source_; }
  /// What to do about it, one sentence.
  const std::string& remedy() const { return remedy_; }
  /// "parameter set at /etc/postfix/main.cf line 12: remedy", for a second log line.
  std::string hint() const;
  /// A line to log as a warning before the error itself; may be empty.
  std::string warning;

 private:
  Source source_;
  std::string remedy_;
};

/// A parameter of a delivery transport, as in <transport>_destination_recipient_limit. config/families.h has
/// them all.
template <typename T>
struct ServiceParam {
  std::string_view suffix;
  Param<T> fallback;
  /// Limits and unit of the transport's own setting.
  int64_t min = 0, max = 0;
};

/// Whether a setting of the name has no effect, because the process knows better: its own name and number.
bool is_read_only(std::string_view name);

/// Immutable; copies share their content. Reading it from several threads is safe.
class Config {
 public:
  /// A missing or broken main.cf is an error.
  static Result<Config> load(const LoadOptions& options);

  /// The value of a parameter. Throws ConfigError when the text in main.cf is no such value: only for
  /// start-up.
  template <typename T>
  ParamValue<T> get(Param<T> param) const;
  /// The value for one transport or service: "<service><suffix>" where it is set, else the fallback's value.
  template <typename T>
  ParamValue<T> get(const ServiceParam<T>& param, std::string_view service) const;

  /// The text of any name as it is set, else as it is built in, not expanded: parameters of the table,
  /// restriction classes, parameters of the user's own. Nothing for unknown names. Throws ConfigError when
  /// mynetworks is not set and inet_interfaces does not tell which it is.
  std::optional<std::string> text(std::string_view name) const;
  /// text(), expanded. The error is Postfix's warning about the macro.
  Result<std::optional<std::string>> value(std::string_view name) const;
  /// Expands $name in any text. Names without a value are empty.
  Result<std::string> expand(std::string_view text) const;

  /// Whether main.cf or an override has the name.
  bool is_set(std::string_view name) const;
  /// What main.cf or an override sets, as it is written there; empty where is_set() is false.
  std::string set_text(std::string_view name) const;
  Source source(std::string_view name) const;
  /// Lines to log as warnings, gathered while loading.
  const std::vector<std::string>& warnings() const;
  const std::string& directory() const;
  /// "DIRECTORY/main.cf".
  std::string main_cf_path() const;
  const std::string& process_name() const;
  const std::string& service_name() const;

  /// The names that main.cf and the overrides set, sorted.
  std::vector<std::string> set_names() const;
  /// Set names that this release knows but does not act on yet, sorted.
  std::vector<std::string> not_yet_in_force() const;

  CompatLevel compat_level() const;
  /// The log line "using backwards-compatible default setting NAME=VALUE" when `name` is not set and has its
  /// old default because of compatibility_level; the caller adds for what it was used. Nothing otherwise.
  std::optional<std::string> compat_default_used(std::string_view name) const;

 private:
  struct Content;
  explicit Config(std::shared_ptr<const Content> content) : content_(std::move(content)) {}
  std::optional<std::string> own_networks() const;

  std::shared_ptr<const Content> content_;
};

/// Reads a parameter of any type; throws ConfigError as get() does.
void check_value(const Config& config, const ParamInfo& info);

// get() exists for bool, int, std::chrono::seconds, int64_t, std::string, Raw and Choice.
extern template bool Config::get(Param<bool>) const;
extern template int Config::get(Param<int>) const;
extern template std::chrono::seconds Config::get(Param<std::chrono::seconds>) const;
extern template int64_t Config::get(Param<int64_t>) const;
extern template std::string Config::get(Param<std::string>) const;
extern template std::string Config::get(Param<Raw>) const;
extern template std::string Config::get(Param<Choice>) const;
extern template int Config::get(const ServiceParam<int>&, std::string_view) const;
extern template std::chrono::seconds Config::get(const ServiceParam<std::chrono::seconds>&,
                                                 std::string_view) const;
extern template std::string Config::get(const ServiceParam<std::string>&, std::string_view) const;

}  // namespace postrider::config
