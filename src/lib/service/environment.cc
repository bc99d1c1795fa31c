#include "service/environment.h"

#include <string>

#include "base/text.h"
#include "config/params/system.h"
#include "sys/process.h"

namespace postrider::service {

void set_named_environment(const config::Config& config) {
  std::string list = config.get(config::params::import_environment);
  for (std::string_view word : split_braced(list, kListSeparators)) {
    if (word.starts_with('{') && word.ends_with('}')) word = trim(word.substr(1, word.size() - 2));
    size_t equals = word.find('=');
    if (equals == word.npos) continue;
    std::string name(trim(word.substr(0, equals))), value(trim(word.substr(equals + 1)));
    if (!name.empty()) sys::set_environment_entry(name, value);
  }
}

}  // namespace postrider::service
