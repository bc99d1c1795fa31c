#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace postrider {

Error Error::from_errno(std::string_view what, int errno_value) {
  std::string text(what);
  if (!text.empty()) text += ": ";
  text += strerror(errno_value);
  return Error(ErrorKind::system, errno_value, std::move(text));
}

std::unexpected<Error> fail_errno(std::string_view what) {
  return std::unexpected(Error::from_errno(what, errno));
}

}  // namespace postrider
