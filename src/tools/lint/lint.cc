#include "tools/lint/checks.h"

namespace postrider::lint {

namespace {

using Check = void (*)(const Model&, Report&);

constexpr Check kChecks[] = {
    check_names,    check_values,    check_words,  check_readers, check_services,       check_transports,
    check_networks, check_tls,       check_tables, check_content, check_authentication, check_logins,
    check_clients,  check_passwords, check_chroot, check_classes, check_restrictions,   check_relaying,
};

/// A value that is none can end any of the checks; where it stands has mostly been said, in better words.
void run(Check check, const Model& model, Report& report) {
  try {
    check(model, report);
  } catch (const config::ConfigError& error) {
    const config::Source& source = error.source();
    Place place{source.line > 0 ? source.file : model.main_cf_path(), source.line};
    if (!report.has(place)) report.add(codes::bad_value, place, error.what(), error.remedy());
  }
}

}  // namespace

void lint(const std::string& directory, Report& report) {
  auto model = Model::load(directory, report);
  if (!model) return;
  // Not in a fiber: its stack is too small for what a configuration can nest. Tables in files need no loop.
  for (Check check : kChecks)
    run(check, *model, report);
}

}  // namespace postrider::lint
