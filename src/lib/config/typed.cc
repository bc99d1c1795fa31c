// Config::get(): texts become typed values, or a ConfigError in Postfix's words.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/config.h"
#include "config/origin_file.h"

namespace postrider::config {
namespace {

using std::chrono::seconds;

/// One text on its way to a value: what the errors need to know.
struct Reading {
  const Config& config;
  std::string_view name;
  std::string value;
  int64_t min, max;

  [[noreturn]] void refuse(std::string text, std::string remedy) const {
    throw ConfigError(std::move(text), config.source(name), std::move(remedy));
  }
};

std::string expanded(const Config& config, std::string_view name, std::string_view text) {
  auto value = config.expand(text);
  if (value) return std::move(*value);
  ConfigError error("dictionary mail_dict: macro processing error", config.source(name),
                    fmt::format("correct the $name or ${{name}} in the value of {}", name));
  error.warning = value.error().text;
  throw error;
}

bool read(const Reading& reading, const Param<bool>&) {
  if (auto value = parse_bool(reading.value)) return *value;
  reading.refuse(fmt::format("bad boolean configuration: {} = {}", reading.name, reading.value),
                 "give yes or no");
}

template <typename T>
T check_number(const Reading& reading, std::optional<T> value) {
  if (!value)
    reading.refuse(fmt::format("bad numerical configuration: {} = {}", reading.name, reading.value),
                   "give a decimal number without a unit");
  // A limit of zero is none.
  if (reading.min != 0 && *value < reading.min)
    reading.refuse(fmt::format("invalid {} parameter value {} < {}", reading.name, *value, reading.min),
                   fmt::format("give {} or more", reading.min));
  if (reading.max != 0 && *value > reading.max)
    reading.refuse(fmt::format("invalid {} parameter value {} > {}", reading.name, *value, reading.max),
                   fmt::format("give {} or less", reading.max));
  return *value;
}

int read(const Reading& reading, const Param<int>&) {
  return check_number(reading, parse_number(reading.value));
}
int64_t read(const Reading& reading, const Param<int64_t>&) {
  return check_number(reading, parse_size(reading.value));
}

/// The unit of a time without one is that of the parameter's default: the first letter of its value.
char default_unit(const Config& config, const ParamInfo& info) {
  for (char c : expanded(config, info.name, info.fallback))
    if (is_alpha(c)) return c;
  return 's';
}

seconds read(const Reading& reading, const Param<seconds>& param) {
  auto value = parse_time(reading.value, default_unit(reading.config, *param.info));
  if (!value)
    reading.refuse(
        fmt::format("parameter {}: bad time value or unit: {}", reading.name, reading.value),
        "give a number with one of the units s (seconds), m (minutes), h (hours), d (days), w (weeks)");
  if (reading.min > 0 && value->count() < reading.min)
    reading.refuse(fmt::format("invalid {}: {} (min {})", reading.name, value->count(), reading.min),
                   fmt::format("give {}s or more", reading.min));
  if (reading.max > 0 && value->count() > reading.max)
    reading.refuse(fmt::format("invalid {}: {} (max {})", reading.name, value->count(), reading.max),
                   fmt::format("give {}s or less", reading.max));
  return *value;
}

std::string check_length(const Reading& reading) {
  auto length = static_cast<int64_t>(reading.value.size());
  if (length < reading.min)
    reading.refuse(
        fmt::format("bad string length {} < {}: {} = {}", length, reading.min, reading.name, reading.value),
        length == 0 ? std::string("give a value, or remove the line for the default")
                    : fmt::format("give at least {} characters", reading.min));
  if (reading.max > 0 && length > reading.max)
    reading.refuse(
        fmt::format("bad string length {} > {}: {} = {}", length, reading.max, reading.name, reading.value),
        fmt::format("give at most {} characters", reading.max));
  return reading.value;
}

std::string read(const Reading& reading, const Param<std::string>&) {
  return check_length(reading);
}
std::string read(const Reading& reading, const Param<Raw>&) {
  return check_length(reading);
}

/// mynetworks_style is a list, of one word; nothing when it has none or several.
std::string style_in(const Reading& reading, const std::vector<std::string_view>& known) {
  std::string style;
  for (std::string_view word : split_any(reading.value, kListSeparators)) {
    std::string name = lowercase(word);
    if (std::ranges::find(known, name) == known.end()) {
      reading.refuse(fmt::format("unknown mynetworks mask style value \"{}\" in \"{}\"", word, reading.value),
                     "give one of " + join(std::vector<std::string>(known.begin(), known.end()), ", "));
    }
    if (!style.empty() && name != style) return {};
    style = name;
  }
  return style;
}

std::string read(const Reading& reading, const Param<Choice>& param) {
  std::string word = lowercase(trim(reading.value));
  std::vector<std::string_view> words = split_any(param.info->choices, " ");
  if (reading.name == "mynetworks_style") word = style_in(reading, words);
  // "-" stands for "may be empty".
  for (std::string_view choice : words)
    if (choice == word || (choice == "-" && word.empty())) return word;
  std::string text = replace_all(param.info->complaint, "{name}", reading.name);
  text = replace_all(text, "{file}", reading.config.main_cf_path());
  std::erase(words, "-");
  std::string known = join(std::vector<std::string>(words.begin(), words.end()), ", ");
  reading.refuse(replace_all(text, "{value}", reading.value), "give one of " + known);
}

template <typename T>
constexpr bool kRaw = std::is_same_v<T, Raw>;

/// The text of a parameter, expanded unless it is raw. Computed values are never expanded.
template <typename T>
std::string text_of(const Config& config, const ParamInfo& info) {
  std::string text = config.text(info.name).value_or("");
  if (kRaw<T> || info.type == ParamType::raw) return text;
  text = expanded(config, info.name, text);
  if (info.name == "myorigin" && text.starts_with('/')) return config.text(kOriginOfFile).value_or(text);
  return text;
}

}  // namespace

template <typename T>
ParamValue<T> Config::get(Param<T> param) const {
  const ParamInfo& info = *param.info;
  return read(Reading{*this, info.name, text_of<T>(*this, info), info.min, info.max}, param);
}

template <typename T>
ParamValue<T> Config::get(const ServiceParam<T>& param, std::string_view service) const {
  std::string name = fmt::format("{}{}", service, param.suffix);
  auto own = text(name);
  if (!own) return get(param.fallback);
  return read(Reading{*this, name, expanded(*this, name, *own), param.min, param.max}, param.fallback);
}

void check_value(const Config& config, const ParamInfo& info) {
  switch (info.type) {
    case ParamType::boolean:
      (void)config.get(Param<bool>{&info});
      return;
    case ParamType::integer:
      (void)config.get(Param<int>{&info});
      return;
    case ParamType::seconds:
      (void)config.get(Param<seconds>{&info});
      return;
    case ParamType::size:
      (void)config.get(Param<int64_t>{&info});
      return;
    case ParamType::string:
      (void)config.get(Param<std::string>{&info});
      return;
    case ParamType::raw:
      (void)config.get(Param<Raw>{&info});
      return;
    case ParamType::choice:
      (void)config.get(Param<Choice>{&info});
      return;
  }
}

template bool Config::get(Param<bool>) const;
template int Config::get(Param<int>) const;
template seconds Config::get(Param<seconds>) const;
template int64_t Config::get(Param<int64_t>) const;
template std::string Config::get(Param<std::string>) const;
template std::string Config::get(Param<Raw>) const;
template std::string Config::get(Param<Choice>) const;
template int Config::get(const ServiceParam<int>&, std::string_view) const;
template seconds Config::get(const ServiceParam<seconds>&, std::string_view) const;
template std::string Config::get(const ServiceParam<std::string>&, std::string_view) const;

}  // namespace postrider::config
