#include "io/loop.h"
#include "tools/lint/checks.h"

namespace postrider::lint {

void lint(const std::string& directory, Report& report) {
  auto model = Model::load(directory, report);
  if (!model) return;
  check_names(*model, report);
  check_values(*model, report);
  check_readers(*model, report);
  check_services(*model, report);
  check_transports(*model, report);
  check_authentication(*model, report);
  check_networks(*model, report);
  check_tls(*model, report);
  // Tables are asked as in daemons, which have a loop.
  io::run_with_loop([&] {
    check_tables(*model, report);
    check_content(*model, report);
    check_chroot(*model, report);
    check_classes(*model, report);
    check_restrictions(*model, report);
    check_relaying(*model, report);
  });
}

}  // namespace postrider::lint
