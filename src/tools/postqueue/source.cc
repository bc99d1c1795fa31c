#include "tools/postqueue/source.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/params/instance.h"
#include "config/params/services.h"
#include "io/loop.h"
#include "ipc/connection.h"
#include "log/log.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket.h"
#include "tool/tool.h"

namespace postrider::postqueue {

namespace params = config::params;

namespace {

/// A showq program that works for us alone.
struct OwnShowq {
  sys::Fd socket;
  pid_t pid = 0;
};

OwnShowq start_own_showq(const config::Config& config) {
  auto pair = sys::make_socket_pair(SOCK_STREAM);
  if (!pair) tool::fail("{}", pair.error().text);
  std::string program = config.get(params::daemon_directory) + "/showq";
  std::vector<std::string> argv = {program, "-u", "-S", "-n", "showq"};
  auto pid = sys::spawn(
      {.argv = argv,
       .environment = tool::imported_environment(config),
       .descriptors = {{pair->second.get(), 0}, {pair->second.get(), 1}, {STDERR_FILENO, STDERR_FILENO}}});
  if (!pid) tool::fatal(tool::kSoftware, "{}", pid.error().text);
  return {std::move(pair->first), *pid};
}

/// Whether this process may read the queue without the service: the super-user and, without root, its owner.
bool may_read_queue() {
  auto status = sys::stat_file("active");
  return geteuid() == 0 || (status && status->st_uid == geteuid() && getuid() == geteuid());
}

Result<void> receive(ipc::Connection& connection, const std::function<void(const proto::QueueEntry&)>& take) {
  for (;;) {
    ipc::Frame frame = TRY(connection.receive(Deadline::never()));
    if (frame.type == proto::QueueEnd::kType) return {};
    take(TRY(ipc::Connection::open_frame<proto::QueueEntry>(frame)));
  }
}

/// The connection to the running service, or to one of our own.
OwnShowq connect(const config::Config& config) {
  std::string service = config.get(params::showq_service_name);
  std::string mail_name = config.get(params::mail_name);
  auto address = sys::Address::from_path("public/" + service);
  if (!address) tool::fail("{}", address.error().text);
  auto socket = sys::connect_blocking(*address);
  if (socket) return OwnShowq{std::move(*socket), 0};
  int code = socket.error().code;
  const char* why = std::strerror(code);
  if (code == EACCES)
    tool::fatal(tool::kSoftware, "Connect to the {} {} service: {}", mail_name, service, why);
  if (!may_read_queue()) {
    tool::fail("Queue report unavailable - mail system is down (Connect to the {} {} service: {})", mail_name,
               service, why);
  }
  log::warning("Mail system is down -- accessing queue directly (Connect to the {} {} service: {})",
               mail_name, service, why);
  return start_own_showq(config);
}

}  // namespace

void read_queue(const config::Config& config, const std::function<void(const proto::QueueEntry&)>& take) {
  OwnShowq showq = connect(config);
  Result<void> received;
  io::run_with_loop([&] {
    ipc::Connection connection(io::Stream(std::move(showq.socket)), "postqueue");
    received = connection.receive_hello(Deadline::never());
    if (received) received = receive(connection, take);
  });
  if (showq.pid != 0) (void)sys::wait_for(showq.pid);
  if (!received) tool::fatal(tool::kSoftware, "malformed showq server response: {}", received.error().text);
}

}  // namespace postrider::postqueue
