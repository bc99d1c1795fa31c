#include "dsn/expand.h"

#include <fmt/format.h>

#include "base/idna.h"
#include "base/text.h"
#include "config/macro.h"
#include "config/params/bounce.h"
#include "config/params/instance.h"
#include "config/params/qmgr.h"
#include "config/params/rewrite.h"
#include "config/params/system.h"
#include "log/log.h"

namespace postrider::dsn {

namespace params = config::params;

namespace {

struct Unit {
  std::string_view name;
  int seconds;
};
constexpr Unit kUnits[] = {
    {"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}, {"weeks", 7 * 86400}};

/// Numbers above this are hard to read in hours and smaller units.
constexpr int64_t kExcessive = 999;

void warn_about_unit(const Template& source, std::string_view parameter, std::string_view unit,
                     std::string_view advice) {
  log::warning("please {} time unit \"{}\" of \"{}\" in {} template", advice, unit, parameter,
               to_text(source.kind));
  log::warning("for instructions see the bounce(5) manual");
}

}  // namespace

Expander::Expander(const config::Config& config)
    : config_(config),
      delay_warning_(config.get(params::delay_warning_time)),
      lifetime_(config.get(params::maximal_queue_lifetime)),
      hostname_(config.get(params::myhostname)),
      domain_(config.get(params::mydomain)) {
  if (!config.get(params::smtputf8_enable)) return;
  hostname_ = domain_to_utf8(hostname_).value_or(hostname_);
  domain_ = domain_to_utf8(domain_).value_or(domain_);
}

Result<std::optional<std::string>> Expander::scaled_time(std::string_view name, std::string_view parameter,
                                                         seconds time, const Template& source) const {
  std::string_view suffix = name.substr(parameter.size() + 1);
  for (const Unit& unit : kUnits) {
    if (unit.name != suffix) continue;
    int64_t result = time.count() / unit.seconds;
    std::string_view kind = to_text(source.kind);
    if (result > kExcessive && unit.seconds < 86400) {
      log::warning("{}: excessive result \"{}\" in {} template conversion of parameter \"{}\"", source.origin,
                   result, kind, name);
      warn_about_unit(source, name, suffix, "increase");
    } else if (result == 0 && time.count() != 0 && unit.seconds > 1) {
      log::warning("{}: zero result in {} template conversion of parameter \"{}\"", source.origin, kind,
                   name);
      warn_about_unit(source, name, suffix, "reduce");
    }
    return std::to_string(result);
  }
  return fail(ErrorKind::invalid,
              fmt::format("{}: unrecognized suffix \"{}\" in parameter \"{}\"", source.origin, suffix, name));
}

Result<std::optional<std::string>> Expander::value(std::string_view name, const Template& source) const {
  constexpr std::string_view kWarning = "delay_warning_time", kLifetime = "maximal_queue_lifetime";
  if (name.starts_with("delay_warning_time_")) return scaled_time(name, kWarning, delay_warning_, source);
  if (name.starts_with("maximal_queue_lifetime_")) return scaled_time(name, kLifetime, lifetime_, source);
  if (name == "myhostname") return hostname_;
  if (name == "mydomain") return domain_;
  return config_.value(name);
}

Result<std::vector<std::string>> Expander::expand(const Template& source) const {
  std::vector<std::string> out;
  std::optional<Error> failed;
  auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    auto found = value(name, source);
    if (!found) {
      if (!failed) failed = std::move(found).error();
      return "";
    }
    if (!*found) return std::nullopt;
    return printable(**found, '_');
  };
  for (const std::string& line : source.text) {
    auto expanded = config::expand_macros(line, lookup);
    if (failed) return std::unexpected(std::move(*failed));
    if (!expanded) {
      log::warning("{}", expanded.error().text);
      return fail(ErrorKind::invalid, fmt::format("{}: bad $name syntax in {} template: {}", source.origin,
                                                  to_text(source.kind), line));
    }
    if (expanded->undefined) {
      return fail(ErrorKind::invalid, fmt::format("{}: undefined $name in {} template: {}", source.origin,
                                                  to_text(source.kind), line));
    }
    out.push_back(std::move(expanded->text));
  }
  return out;
}

Result<std::string> show_expanded(const Templates& templates, const Expander& expander) {
  std::string out;
  for (TemplateKind kind : kTemplateKinds) {
    std::vector<std::string> lines = TRY(expander.expand(templates.get(kind)));
    if (!out.empty()) out += '\n';
    out += fmt::format("expanded_{}_text = <<EOF\n", to_text(kind));
    for (const std::string& line : lines)
      out += line + '\n';
    out += "EOF\n";
  }
  return out;
}

std::string show_source(const Templates& templates) {
  std::string out;
  for (TemplateKind kind : kTemplateKinds) {
    const Template& t = templates.get(kind);
    if (!out.empty()) out += '\n';
    out += fmt::format("{}_template = <<EOF\nCharset: {}\nFrom: {}\nSubject: {}\n", to_text(kind), t.charset,
                       t.from, t.subject);
    if (t.postmaster_subject) out += fmt::format("Postmaster-Subject: {}\n", *t.postmaster_subject);
    out += '\n';
    for (const std::string& line : t.text)
      out += line + '\n';
    out += "EOF\n";
  }
  return out;
}

}  // namespace postrider::dsn
