#include "queue/durability.h"

namespace postrider::queue {

Result<void> PlainDurability::sync(std::shared_ptr<File> file, const std::vector<std::string>& directories,
                                   Deadline) {
  TRY(file->sync());
  for (const std::string& directory : directories)
    TRY(files_.sync_directory(directory));
  return {};
}

}  // namespace postrider::queue
