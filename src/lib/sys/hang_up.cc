#include "sys/hang_up.h"

#include <sys/socket.h>

namespace postrider::sys {

void hang_up(int socket) {
  (void)::shutdown(socket, SHUT_RDWR);
}

}  // namespace postrider::sys
