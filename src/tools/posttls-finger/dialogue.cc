#include "tools/posttls-finger/dialogue.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"

namespace postrider::posttls_finger {

void Dialogue::say(std::string_view command) {
  if (shows_) log::info("> {}", command);
  stream_.write(command);
  stream_.write("\r\n");
}

Result<smtp::Reply> Dialogue::read_reply(seconds timeout) {
  Deadline deadline = Deadline::after(timeout);
  smtp::ReplyParser parser(line_limit_);
  for (;;) {
    auto line = stream_.read_line(line_limit_, deadline);
    if (!line) {
      bool late = line.error().kind == ErrorKind::timeout;
      return fail(line.error().kind, late ? "timeout" : "lost connection");
    }
    std::string text = printable(line->text);
    if (on_input_) on_input_();
    if (shows_) log::info("< {}", text);
    // Only so much of an endless line is looked at.
    while (line->end == io::LineEnd::partial) {
      line = stream_.read_line(line_limit_, deadline);
      if (!line) return fail(line.error().kind, "lost connection");
    }
    switch (parser.add(text)) {
      case smtp::ReplyParser::Step::more:
        continue;
      case smtp::ReplyParser::Step::complete:
        return parser.take();
      case smtp::ReplyParser::Step::garbage:
      case smtp::ReplyParser::Step::endless:
        smtp::Reply reply;
        reply.text = fmt::format("0 {}", text);
        return reply;
    }
  }
}

}  // namespace postrider::posttls_finger
