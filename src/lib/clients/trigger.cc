#include "clients/trigger.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "config/params/system.h"
#include "sys/blocking.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/local_socket.h"

namespace postrider::clients {

Result<void> trigger(const config::Config& config, const std::string& path, std::string_view requests,
                     std::chrono::seconds patience) {
  auto status = sys::stat_file(path);
  if (!status) {
    return std::unexpected(Error::from_errno("unable to look up " + path, status.error().code));
  }
  if (S_ISFIFO(status->st_mode)) {
    sys::Fd fifo = TRY(sys::open_file(path, O_WRONLY | O_NONBLOCK));
    return sys::write_all(fifo.get(), requests);
  }
  sys::Fd socket = TRY(sys::connect_local(path, config.get(config::params::trigger_timeout)));
  TRY(sys::write_all(socket.get(), requests));
  if (patience.count() > 0) TRY(sys::wait_readable(socket.get(), patience));
  return {};
}

}  // namespace postrider::clients
