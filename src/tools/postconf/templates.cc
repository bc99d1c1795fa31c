#include "tools/postconf/templates.h"

#include <cstdio>

#include "config/params/bounce.h"
#include "dsn/expand.h"
#include "dsn/template.h"
#include "log/log.h"
#include "service/log_setup.h"

namespace postrider::postconf {

namespace {

void open_log(const config::Config& config) {
  service::open_log(config, "bounce", {.connect_late = true});
  log::Settings settings = log::settings();
  settings.to_stderr = true;
  settings.stderr_name = settings.ident;
  log::open(std::move(settings));
}

template <typename T>
T need(Result<T> result) {
  if (!result) log::fatal("{}", result.error().text);
  return std::move(*result);
}

}  // namespace

bool about_templates(const Options& options) {
  return options.subject == Subject::bounce_texts || options.subject == Subject::bounce_templates;
}

void show_templates(const Options& options, const config::Config& config) {
  if (options.arguments.size() > 1) fatal("options -b and -t require at most one template file");
  open_log(config);
  std::string path =
      options.arguments.empty() ? config.get(config::params::bounce_template_file) : options.arguments[0];
  dsn::Templates templates;
  if (!path.empty()) templates = need(dsn::read_templates(path));
  std::string text = options.subject == Subject::bounce_templates
                         ? dsn::show_source(templates)
                         : need(dsn::show_expanded(templates, dsn::Expander(config)));
  std::fwrite(text.data(), 1, text.size(), stdout);
  log::flush();
}

}  // namespace postrider::postconf
