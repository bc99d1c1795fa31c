// Standard input and output of a stand-alone daemon as one socket.
#pragma once

#include <thread>

#include "base/result.h"
#include "sys/fd.h"

namespace postrider::service {

/// They may be two pipes, a terminal, or files, which cannot be waited for and which other programs share:
/// threads of their own copy between them and a socket.
class StandardIo {
 public:
  /// The socket. Its other end lives as long as this object.
  Result<sys::Fd> open();
  /// Once the socket has been closed: returns when all output has been written.
  void finish();

 private:
  std::thread output_;
};

}  // namespace postrider::service
