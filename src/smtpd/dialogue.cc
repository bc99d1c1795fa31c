#include "smtpd/dialogue.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "smtp/await_line.h"

namespace postrider::smtpd {

namespace {
constexpr size_t kShown = 30;
constexpr size_t kMaxSkippedLines = 16;  // In lines of the longest kind.
}  // namespace

bool Dialogue::note_failure(const Error& error) {
  end_ = error.kind == ErrorKind::timeout ? End::timeout : End::lost;
  return false;
}

Result<io::Line> Dialogue::read_line(size_t max) {
  TRY(smtp::await_line(stream_, max, pace_));
  return stream_.read_line(max, pace_.deadline());
}

std::optional<Dialogue::Command> Dialogue::read_command() {
  pace_ = settings_.pace();
  if (!stream_.wait_input_parked(pace_.deadline())) {
    end_ = End::timeout;
    return std::nullopt;
  }
  auto line = read_line(settings_.line_length_limit);
  if (!line || line->end == io::LineEnd::eof) {
    note_failure(line ? Error(ErrorKind::closed, "") : line.error());
    return std::nullopt;
  }
  Command out{std::string(line->text), line->end == io::LineEnd::lf};
  if (line->end == io::LineEnd::partial) skip_rest_of_line(out.text, settings_.line_length_limit);
  if (end_ != End::none) return std::nullopt;
  while (out.text.ends_with('\r'))
    out.text.pop_back();
  // A text with a null byte ends there for programs that pass it on.
  out.text.resize(std::min(out.text.find('\0'), out.text.size()));
  log_line('<', out.text);
  return out;
}

/// A line is skipped up to some length; who sends more is not worth the trouble.
void Dialogue::skip_rest_of_line(std::string_view beginning, size_t limit) {
  size_t skipped = 0;
  log::warning("{}: request longer than {}: {}...", client_, limit, printable(beginning.substr(0, kShown)));
  for (;;) {
    auto line = read_line(limit);
    if (!line || line->end == io::LineEnd::eof) {
      note_failure(line ? Error(ErrorKind::closed, "") : line.error());
      return;
    }
    if (line->end != io::LineEnd::partial) return;
    skipped += line->text.size();
    if (skipped > kMaxSkippedLines * limit) {
      log::warning("{}: disabling input from {}", client_, client_);
      end_ = End::lost;
      return;
    }
  }
}

std::optional<Dialogue::Response> Dialogue::read_response(size_t limit) {
  constexpr size_t kPiece = 8 * 1024;  // Whatever the stream's own limit is.
  pace_ = settings_.pace();
  Response out;
  for (;;) {
    auto line = stream_.read_line(std::min(kPiece, limit - out.text.size()), pace_.deadline());
    if (!line || line->end == io::LineEnd::eof) {
      note_failure(line ? Error(ErrorKind::closed, "") : line.error());
      return std::nullopt;
    }
    out.text += line->text;
    if (line->end != io::LineEnd::partial) return out;
    if (out.text.size() < limit) continue;
    out.too_long = true;
    skip_rest_of_line(out.text, limit);
    if (end_ != End::none) return std::nullopt;
    return out;
  }
}

std::optional<io::Line> Dialogue::read_content() {
  auto line = read_line(settings_.line_length_limit);
  if (!line || line->end == io::LineEnd::eof) {
    note_failure(line ? Error(ErrorKind::closed, "") : line.error());
    return std::nullopt;
  }
  pace_.transferred(line->text.size());
  return *line;
}

std::optional<std::string_view> Dialogue::read_bytes(size_t max) {
  stream_.consume(std::exchange(unread_, 0));
  if (max == 0) return std::string_view();
  while (stream_.buffered().empty()) {
    auto more = stream_.fill(pace_.deadline());
    if (!more || !*more) {
      note_failure(more ? Error(ErrorKind::closed, "") : more.error());
      return std::nullopt;
    }
  }
  std::string_view out = stream_.buffered().substr(0, max);
  unread_ = out.size();
  pace_.transferred(out.size());
  return out;
}

void Dialogue::log_line(char direction, std::string_view text) const {
  if (logged_) {
    log::info("{} {}: {}", direction, client_, printable(text));
  } else if (log::verbose()) {
    log::debug("{} {}: {}", direction, client_, printable(text));
  }
}

void Dialogue::write_line(std::string_view text) {
  log_line('>', text);
  stream_.write(text);
  stream_.write("\r\n");
}

void Dialogue::flush() {
  if (auto sent = stream_.flush(pace_.deadline()); !sent) note_failure(sent.error());
}

bool Dialogue::input_waiting() {
  if (!stream_.buffered().empty()) return true;
  stream_.fill_available();
  return !stream_.buffered().empty();
}

const tls::Info* Dialogue::start_tls(const tls::Server& server, tls::ServerSupport& support,
                                     Deadline deadline) {
  auto session = end_ == End::none ? server.accept(stream_, client_, support, deadline) : nullptr;
  if (!session) {
    end_ = End::lost;
    return nullptr;
  }
  const tls::Info* info = &session->info();
  stream_.set_transport(std::move(session));
  return info;
}

void Dialogue::finish() {
  if (end_ != End::lost) (void)stream_.flush(Deadline::after(settings_.timeout));
  stream_.end_transport(Deadline::after(settings_.tls.timeout),
                        !settings_.tls.fast_shutdown && end_ == End::none);
}

}  // namespace postrider::smtpd
