// One file of the maildrop queue on its way to the cleanup service.
#pragma once

#include <memory>
#include <string>

#include "clients/cleanup.h"
#include "pickup/settings.h"
#include "queue/files.h"

namespace postrider::pickup {

/// What becomes of the file.
enum class Fate : unsigned char {
  remove,  ///< The message is in the queue, or can never be.
  keep,    ///< To be tried again later.
  busy,    ///< To be tried again soon: another process has it in hand.
};

struct Found {
  std::string id;  ///< Its name in maildrop.
  std::string path;
  queue::FileStatus status;
};

/// Hands a file of maildrop to cleanup, and says in the log who sent it.
Fate pick_up(const Settings& settings, clients::CleanupClient& cleanup, Found found);

}  // namespace postrider::pickup
