// postdrop-policy - what postdrop becomes when the configuration restricts who may submit mail, or as whom.

#include <unistd.h>

#include "sys/user.h"
#include "tool/tool.h"
#include "tools/postdrop/session.h"
#include "tools/postdrop/table_policy.h"

namespace postrider::postdrop {
namespace {

int run(int argc, char** argv) {
  CommandLine line = parse_command_line(argc, argv);
  config::Config config = tool::load_config(line.config_directory, line.verbose);
  tool::enter_queue_directory(config);
  auto user = sys::find_user(::getuid());
  if (!user) tool::fail("{}", user.error().text);
  TablePolicy policy(config, ::getuid(), *user ? (*user)->name : "");
  return serve(config, policy, line);
}

}  // namespace
}  // namespace postrider::postdrop

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "postdrop", .may_borrow_rights = true},
                   [&] { return postdrop::run(argc, argv); });
}
