#include "mailbox/durable.h"

#include <algorithm>
#include <cerrno>

#include "sys/file.h"

namespace postrider::mailbox {

Result<void> sync_names(const std::string& directory) {
  auto synced = sys::sync_directory(directory);
  if (!synced && (synced.error().code == EACCES || synced.error().code == EPERM)) return {};
  return synced;
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  // Most often only the last name is missing, or none.
  size_t end = path.find_last_not_of('/');
  size_t known = end == std::string::npos ? path.size() : end + 1;
  while (known > 0 && known != std::string::npos && !sys::exists(path.substr(0, known))) {
    size_t slash = path.rfind('/', known - 1);
    known = slash == std::string::npos ? 0 : path.find_last_not_of('/', slash) + 1;
  }
  for (size_t at = known; at < path.size();) {
    size_t begin = path.find_first_not_of('/', at);
    if (begin == std::string::npos) break;
    at = std::min(path.find('/', begin), path.size());
    const std::string directory = path.substr(0, at);
    auto made = sys::make_directory(directory, mode);
    if (!made && made.error().code != EEXIST) return made;
    TRY(sync_names(sys::directory_of(directory)));
  }
  return {};
}

}  // namespace postrider::mailbox
