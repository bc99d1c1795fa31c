#include "dns/watched_file.h"

#include "log/log.h"
#include "sys/file.h"

namespace postrider::dns {

std::optional<std::string> WatchedFile::take_new() {
  Clock::time_point now = Clock::now();
  if (looked_ && now - last_look_ < interval_) return std::nullopt;
  last_look_ = now;
  bool first = !looked_;
  looked_ = true;
  auto text = read_if_changed();
  return first && !text ? "" : text;
}

std::optional<std::string> WatchedFile::read_if_changed() {
  auto stat = sys::stat_file(path_);
  if (!stat) return std::nullopt;
  Stamp stamp{stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec, stat->st_ino, stat->st_size};
  if (stamp == stamp_) return std::nullopt;
  stamp_ = stamp;
  auto text = sys::read_file(path_, max_size_);
  if (text) return std::move(*text);
  log::warning("{}", text.error().text);
  return std::nullopt;
}

}  // namespace postrider::dns
