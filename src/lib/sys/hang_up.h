// Ending a connection that others still hold.
#pragma once

namespace postrider::sys {

/// Ends it in both directions: whoever waits for it, waits no longer. The descriptor stays open.
void hang_up(int socket);

}  // namespace postrider::sys
