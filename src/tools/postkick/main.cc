// postkick - sends a request to a service, as the mail system's own programs do to wake each other up.

#include <unistd.h>

#include <cerrno>
#include <string>

#include "clients/trigger.h"
#include "config/params/system.h"
#include "log/log.h"
#include "tool/tool.h"

namespace postrider::postkick {
namespace {

int run(int argc, char** argv) {
  std::string directory;
  int verbose = 0;
  bool usage = false;
  for (int option; (option = getopt(argc, argv, "+c:v")) != -1;) {
    if (option == 'c') {
      directory = optarg;
    } else if (option == 'v') {
      ++verbose;
    } else {
      usage = true;
    }
  }
  if (usage || argc != optind + 3) tool::fail("usage: postkick [-c config_dir] [-v] class service request");
  const char* service_class = argv[optind];
  const char* service = argv[optind + 1];
  const char* request = argv[optind + 2];
  config::Config config = tool::load_config(directory, verbose);
  tool::enter_queue_directory(config);
  auto sent = clients::trigger(config, fmt::format("{}/{}", service_class, service), request,
                               config.get(config::params::application_event_drain_time));
  if (sent) return tool::kOk;
  if (sent.error().code != ECONNREFUSED) log::warning("{}", sent.error().text);
  log::warning("Cannot contact class {} service {} - perhaps the mail system is down", service_class,
               service);
  return 1;
}

}  // namespace
}  // namespace postrider::postkick

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "postkick", .to_log = false}, [&] { return postkick::run(argc, argv); });
}
