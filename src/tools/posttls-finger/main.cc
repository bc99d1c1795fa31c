// posttls-finger - shows what can be seen of a server's TLS.

#include <unistd.h>

#include "config/tcp_ports.h"
#include "io/loop.h"
#include "log/log.h"
#include "tool/overrides.h"
#include "tool/tool.h"
#include "tools/posttls-finger/finger.h"

namespace postrider::posttls_finger {
namespace {

int run(int argc, char** argv) {
  Options options = parse_options(argc, argv);
  config::Config config = tool::load_config_with({}, options.verbose, options.overrides);
  smtp::Destination destination = parse_destination(options, config::TcpPorts(config));
  Engine engine(config, options);
  io::run_with_loop([&] {
    Finger finger(config, options, engine);
    finger.run(destination);
  });
  return tool::kOk;
}

}  // namespace
}  // namespace postrider::posttls_finger

int main(int argc, char** argv) {
  using namespace postrider;
  // What it shows is its output: the lines of the log as well.
  ::dup2(STDOUT_FILENO, STDERR_FILENO);
  return tool::run({.name = "posttls-finger", .to_log = false},
                   [&] { return posttls_finger::run(argc, argv); });
}
