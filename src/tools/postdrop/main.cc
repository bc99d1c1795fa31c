// postdrop - puts a message into the maildrop queue, with the rights of the group that may do so.
//
// Installed set-gid: its command line, environment, descriptors and input are those of anybody. The
// configuration comes from the built-in directory or one that is listed there, the environment is reduced to
// what import_environment names, and only records that a submission needs are passed on.

#include <unistd.h>

#include <string>
#include <vector>

#include "config/params/instance.h"
#include "config/params/tools.h"
#include "sys/process.h"
#include "tool/tool.h"
#include "tools/postdrop/session.h"

namespace postrider::postdrop {
namespace {

namespace params = config::params;

bool is_default(const config::Config& config, config::Param<std::string> param) {
  return config.get(param) == param.info->fallback;
}

int run(int argc, char** argv) {
  CommandLine line = parse_command_line(argc, argv);
  config::Config config = tool::load_config(line.config_directory, line.verbose);
  tool::enter_queue_directory(config);
  if (!is_default(config, params::authorized_submit_users) ||
      !is_default(config, params::local_login_sender_maps)) {
    // The program that can look into tables; it is larger, and what it needs is loaded for nobody else.
    sys::set_environment_entry("MAIL_CONFIG", config.directory());
    std::vector<std::string> words{"postdrop-policy"};
    if (line.for_program) words.emplace_back("-r");
    tool::become(config.get(params::daemon_directory), words);
  }
  AnythingGoes policy;
  return serve(config, policy, line);
}

}  // namespace
}  // namespace postrider::postdrop

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "postdrop", .may_borrow_rights = true},
                   [&] { return postdrop::run(argc, argv); });
}
