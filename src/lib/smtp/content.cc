#include "smtp/content.h"

namespace postrider::smtp {

void ContentEncoder::add(std::string_view piece, bool ends_line, std::string& out) {
  for (;;) {
    if (at_start_ && piece.starts_with('.')) out += '.';
    if (!piece.empty()) at_start_ = false;
    bool fits = limit_ == 0 || piece.size() < room_ || (piece.size() == room_ && ends_line);
    if (fits) break;
    out += piece.substr(0, room_);
    out += "\r\n ";
    piece.remove_prefix(room_);
    room_ = limit_ - 1;
    broke_lines_ = true;
    if (room_ == 0) room_ = 1;  // A limit of 1 cannot be kept.
  }
  out += piece;
  room_ -= limit_ == 0 ? 0 : piece.size();
  if (!ends_line) return;
  out += "\r\n";
  at_start_ = true;
  room_ = limit_;
}

void ContentEncoder::finish(std::string& out) {
  if (!at_start_) add({}, true, out);
}

}  // namespace postrider::smtp
