// Parameters that nothing reads: misspelled, left over, read-only, old.
#include <fmt/format.h>

#include "base/text.h"
#include "config/macro.h"
#include "config/table.h"
#include "tools/lint/checks.h"
#include "tools/lint/known_names.h"

namespace postrider::lint {

namespace {

class NameCheck {
 public:
  NameCheck(const Model& model, Report& report) : model_(model), report_(report), known_(model) {}

  void check(std::string_view name, const std::string& text, const Service* service) {
    Place place = model_.place(name, service);
    if (config::is_read_only(name)) {
      report_.add(codes::read_only_parameter, place, fmt::format("{} cannot be set", name),
                  "remove the line");
      return;
    }
    check_name(name, place);
    check_comment(name, text, service);
    check_references(name, text, service);
  }

 private:
  void check_name(std::string_view name, const Place& place) {
    if (!known_.contains(name)) return unknown(name, place);
    for (const config::Deprecation& old : config::deprecated_params()) {
      if (old.name != name) continue;
      report_.add(codes::deprecated_parameter, place, fmt::format("{} is an old name that will go", name),
                  std::string(old.advice));
    }
    const config::ParamInfo* info = config::find_param(name);
    if (info && info->state == config::ParamState::not_yet) {
      report_.add(codes::not_in_force, place, fmt::format("this release does not act on {} yet", name),
                  "nothing; the setting may stay");
    }
  }

  void unknown(std::string_view name, const Place& place) {
    if (std::string_view transport = known_.missing_transport(name); !transport.empty()) {
      report_.add(codes::unused_parameter, place,
                  fmt::format("{} has no effect: there is no service {} in master.cf that delivers mail",
                              name, transport),
                  fmt::format("add the service {}, or remove the line", transport));
    } else if (std::string_view meant = known_.nearest(name); !meant.empty()) {
      report_.add(codes::misspelled_parameter, place,
                  fmt::format("there is no parameter {}; the line has no effect", name),
                  fmt::format("write {} if that was meant", meant));
    } else {
      report_.add(codes::unused_parameter, place, fmt::format("nothing reads the parameter {}", name),
                  fmt::format("remove the line, or refer to ${} where its value shall be used", name));
    }
  }

  /// A '#' behind other text is part of the value.
  void check_comment(std::string_view name, const std::string& text, const Service* service) {
    if (service) return;
    for (std::string_view rest = text; auto word = next_token(rest, kListSeparators);) {
      if (!word->starts_with('#')) continue;
      report_.add(codes::main_cf_comment, model_.place(name, service, *word),
                  fmt::format("what follows \"#\" is part of the value of {}, not a comment", name),
                  "put the comment on a line of its own");
      return;
    }
  }

  void check_references(std::string_view name, const std::string& text, const Service* service) {
    const config::ParamInfo* info = config::find_param(name);
    if (info && info->type == config::ParamType::raw) return;
    // Lists of parameters whose tables may be opened; one that another release has does no harm.
    bool lists_names = name == "proxy_read_maps" || name == "proxy_write_maps";
    auto visited = config::visit_macros(text, [&](std::string_view reference) {
      if (lists_names || known_.is_defined(reference)) return;
      std::string_view meant = known_.nearest(reference);
      report_.add(
          codes::undefined_name, model_.place(name, service, reference),
          fmt::format("${} in the value of {} is not defined, and is replaced by nothing", reference, name),
          meant.empty() ? fmt::format("define {}, or remove it from the value", reference)
                        : fmt::format("write ${} if that was meant", meant));
    });
    if (!visited) {
      report_.add(codes::bad_value, model_.place(name, service),
                  fmt::format("{} cannot be expanded: {}", name, visited.error().text),
                  "correct the $name or ${name} in the value");
    }
  }

  const Model& model_;
  Report& report_;
  KnownNames known_;
};

}  // namespace

void check_names(const Model& model, Report& report) {
  NameCheck check(model, report);
  model.each_setting([&](std::string_view name, const std::string& text, const Service* service) {
    check.check(name, text, service);
  });
}

}  // namespace postrider::lint
