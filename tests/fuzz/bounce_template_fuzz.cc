// Any bytes as a template file; what is shown of it can be loaded again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/config.h"
#include "dsn/expand.h"
#include "dsn/template.h"
#include "log/log.h"

using namespace postrider;
using namespace postrider::dsn;

namespace {

const Expander& expander() {
  static const Expander instance(config::Config::load({.defaults_only = true}).value());
  return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  log::set_test_sink([](log::Severity, std::string_view) {});
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Templates templates;
  if (!templates.load("fuzz", text)) return 0;
  (void)show_expanded(templates, expander());
  std::string shown = show_source(templates);
  // A line that is the end marker cannot be shown inside; nor can line ends that the file did not have.
  if (shown.find("\nEOF\nEOF") != std::string::npos || text.find("EOF") != std::string_view::npos) return 0;
  Templates again;
  if (!again.load("shown", shown) || show_source(again) != shown) abort();
  return 0;
}
