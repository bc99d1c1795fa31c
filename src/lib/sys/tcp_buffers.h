// The size of TCP buffers, for networks whose routers break window scaling.
#pragma once

namespace postrider::sys {

/// TCP sockets that listen or connect from now on get buffers of this size in bytes, as tcp_windowsize has
/// it; 0 leaves it to the system. A setting of the process.
void set_tcp_buffer_size(int bytes);

/// Gives the socket these buffers; called before it listens or connects, because they decide about the window
/// scale.
void apply_tcp_buffer_size(int fd);

}  // namespace postrider::sys
