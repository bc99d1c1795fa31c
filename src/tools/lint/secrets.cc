#include "tools/lint/secrets.h"

#include <sys/stat.h>

#include "sys/file.h"

namespace postrider::lint {

bool everybody_can_read(const std::string& path) {
  auto real = sys::real_path(path);
  if (!real) return false;
  auto status = sys::stat_file(*real);
  if (!status || !S_ISREG(status->st_mode) || (status->st_mode & S_IROTH) == 0) return false;
  for (std::string directory = sys::directory_of(*real); directory.size() > 1;
       directory = sys::directory_of(directory)) {
    auto above = sys::stat_file(directory);
    if (!above || (above->st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

}  // namespace postrider::lint
