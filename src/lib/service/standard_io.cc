#include "service/standard_io.h"

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "sys/socket.h"

namespace postrider::service {

namespace {

/// Until the input ends or the output breaks.
void copy(int from, int to) {
  std::string buffer(16 * 1024, '\0');
  for (;;) {
    auto count = sys::read_some(from, buffer.data(), buffer.size());
    if (!count || *count == 0) return;
    if (!sys::write_all(to, std::string_view(buffer.data(), *count))) return;
  }
}

}  // namespace

Result<sys::Fd> StandardIo::open() {
  sys::SocketPair pair = TRY(sys::make_socket_pair(SOCK_STREAM));
  // Both threads use the other end; it is closed with the process.
  int other = pair.second.release();
  std::thread([other] {
    copy(STDIN_FILENO, other);
    ::shutdown(other, SHUT_WR);
  }).detach();
  output_ = std::thread([other] { copy(other, STDOUT_FILENO); });
  return std::move(pair.first);
}

void StandardIo::finish() {
  if (output_.joinable()) output_.join();
}

}  // namespace postrider::service
