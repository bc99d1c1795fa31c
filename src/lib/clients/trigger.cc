#include "clients/trigger.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "sys/fd.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace postrider::clients {

Result<void> trigger(const std::string& path, std::string_view requests) {
  auto status = sys::stat_file(path);
  if (!status) {
    return std::unexpected(Error::from_errno("unable to look up " + path, status.error().code));
  }
  if (S_ISFIFO(status->st_mode)) {
    sys::Fd fifo = TRY(sys::open_file(path, O_WRONLY | O_NONBLOCK));
    return sys::write_all(fifo.get(), requests);
  }
  auto socket = sys::connect_blocking(TRY(sys::Address::from_path(path)));
  if (!socket) return std::unexpected(Error::from_errno("connect to " + path, socket.error().code));
  return sys::write_all(socket->get(), requests);
}

}  // namespace postrider::clients
