#include "table/database_config.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "config/value_text.h"
#include "sys/file.h"

namespace postrider::table {

Result<DatabaseConfig> DatabaseConfig::open(std::string_view name, const OpenOptions& options) {
  DatabaseConfig out;
  out.name_ = name;
  out.is_file_ = name.starts_with('/') || name.starts_with('.');
  if (!out.is_file_) {
    out.owner_ = {Owner::Trust::trusted, 0};
    out.parameter_ = options.main_cf;
    return out;
  }
  sys::Fd fd = TRY(sys::open_file(out.name_, O_RDONLY));
  struct stat st = TRY(sys::stat_fd(fd.get()));
  out.owner_ = Owner::of_file(st.st_uid);
  auto content = sys::read_all(fd.get(), config::kMaxConfigFile);
  if (!content && content.error().kind == ErrorKind::system)
    return std::unexpected(Error::from_errno("read " + out.name_, content.error().code));
  if (!content) return fail(content.error().kind, fmt::format("read {}: {}", name, content.error().text));
  config::MainCf file = TRY(config::parse_main_cf(*content, name));
  for (const std::string& warning : file.warnings)
    if (options.log) options.log(Severity::warning, warning);
  for (config::MainCfEntry& entry : file.entries)
    out.settings_.insert_or_assign(std::move(entry.name), std::move(entry.value));
  return out;
}

std::optional<std::string> DatabaseConfig::find(std::string_view parameter) const {
  if (!is_file_) return parameter_ ? parameter_(fmt::format("{}_{}", name_, parameter)) : std::nullopt;
  auto found = settings_.find(parameter);
  return found == settings_.end() ? std::nullopt : std::optional(found->second);
}

std::string DatabaseConfig::text(std::string_view parameter, std::string_view fallback) const {
  return find(parameter).value_or(std::string(fallback));
}

std::string DatabaseConfig::where() const {
  return is_file_ ? name_ + ": " : std::string();
}

std::string DatabaseConfig::shown(std::string_view parameter) const {
  return is_file_ ? std::string(parameter) : fmt::format("{}_{}", name_, parameter);
}

Result<std::string> DatabaseConfig::text_of_length(std::string_view parameter, std::string_view fallback,
                                                   size_t min, size_t max) const {
  std::string value = text(parameter, fallback);
  auto bad = [&](char sign, size_t limit) {
    return fail(ErrorKind::invalid,
                fmt::format("{}bad string length {} {} {}: {} = {}", where(), value.size(), sign, limit,
                            shown(parameter), printable(value)));
  };
  if (value.size() < min) return bad('<', min);
  if (max > 0 && value.size() > max) return bad('>', max);
  return value;
}

Result<int> DatabaseConfig::number(std::string_view parameter, int fallback, int min, int max) const {
  auto value = find(parameter);
  if (!value) return fallback;
  auto parsed = config::parse_number(*value);
  if (!parsed)
    return fail(ErrorKind::invalid, fmt::format("{}bad numerical configuration: {} = {}", where(),
                                                shown(parameter), printable(*value)));
  auto bad = [&](char sign, int limit) {
    return fail(ErrorKind::invalid, fmt::format("{}invalid {} parameter value {} {} {}", where(),
                                                shown(parameter), *parsed, sign, limit));
  };
  if (min != 0 && *parsed < min) return bad('<', min);
  if (max != 0 && *parsed > max) return bad('>', max);
  return *parsed;
}

Result<bool> DatabaseConfig::flag(std::string_view parameter, bool fallback) const {
  auto value = find(parameter);
  if (!value) return fallback;
  auto parsed = config::parse_bool(*value);
  if (parsed) return *parsed;
  return fail(ErrorKind::invalid, fmt::format("{}bad boolean configuration: {} = {}", where(),
                                              shown(parameter), printable(*value)));
}

}  // namespace postrider::table
