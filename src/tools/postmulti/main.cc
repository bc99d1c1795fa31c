// postmulti - manages several instances of the mail system on one machine.

#include <cstdlib>
#include <string>

#include "config/paths.h"
#include "tool/tool.h"
#include "tools/postmulti/edit.h"
#include "tools/postmulti/instances.h"
#include "tools/postmulti/iterate.h"
#include "tools/postmulti/options.h"

namespace postrider::postmulti {
namespace {

template <typename T>
T or_end(Result<T> result) {
  if (!result) tool::fail_text(result.error().text);
  return std::move(*result);
}

int run(int argc, char** argv) {
  Options options = or_end(parse_options(argc, argv));
  const char* environment = std::getenv("MAIL_CONFIG");
  config::Config primary = tool::load_config("", options.verbose);
  if (environment && primary.directory() != config::paths::config_directory)
    tool::fail("Non-default configuration directory: MAIL_CONFIG={}", primary.directory());
  // This is what one does before the others are in order.
  if (options.mode == Mode::edit && options.action == EditAction::init) return init(primary);
  Instances instances = or_end(Instances::load(primary));
  if (options.mode == Mode::edit) return or_end(edit(primary, instances, options));
  return or_end(iterate(primary, instances, options));
}

}  // namespace
}  // namespace postrider::postmulti

int main(int argc, char** argv) {
  using namespace postrider;
  return tool::run({.name = "postmulti"}, [&] { return postmulti::run(argc, argv); });
}
