#include "mailbox/copy.h"

#include <ctime>

#include <fmt/format.h>

#include "base/time_text.h"
#include "log/log.h"
#include "mail/quote.h"
#include "queue/content.h"

namespace postrider::mailbox {

namespace {

constexpr size_t kPieceSize = 64 * 1024;

std::string heading(const Message& message, const CopyFormat& format) {
  std::string out;
  std::string sender = message.sender.empty() ? "" : mail::quote_822_local(message.sender);
  if (format.from_line) {
    out += fmt::format("From {}  {}{}", message.sender.empty() ? "MAILER-DAEMON" : sender,
                       asctime_date(time(nullptr)), format.line_end);
  }
  auto header = [&](std::string_view name, std::string_view value) {
    out += fmt::format("{}: {}{}", name, value, format.line_end);
  };
  if (format.return_path) header("Return-Path", fmt::format("<{}>", sender));
  if (format.original_to && !message.original_recipient.empty()) {
    header("X-Original-To", mail::quote_822_local(message.original_recipient));
  }
  if (format.delivered_to) header("Delivered-To", mail::quote_822_local(message.delivered_to));
  return out;
}

}  // namespace

std::expected<void, CopyFailure> copy_message(const Message& message, const CopyFormat& format,
                                              const Sink& sink) {
  std::string out = heading(message, format);
  auto send = [&]() -> std::expected<void, CopyFailure> {
    auto sent = sink(out);
    out.clear();
    if (!sent) return std::unexpected(CopyFailure{CopyStep::write, std::move(sent).error()});
    return {};
  };
  queue::ContentReader reader(*message.file, queue::SizeRecord{.offset = message.data_offset});
  bool at_line_start = true;
  for (;;) {
    auto piece = reader.next();
    if (!piece) {
      CopyFailure failure{CopyStep::read, std::move(piece).error()};
      if (failure.damaged()) {
        log::warning("{}", failure.error.text);
        if (message.damaged != nullptr) *message.damaged = true;
      }
      return std::unexpected(std::move(failure));
    }
    if (!*piece) break;
    std::string_view text = (*piece)->text;
    if (format.quote_from && at_line_start && text.starts_with("From ")) out += '>';
    if (format.stuff_dots && at_line_start && text.starts_with('.')) out += '.';
    out += text;
    at_line_start = (*piece)->ends_line;
    if (at_line_start) out += format.line_end;
    if (out.size() >= kPieceSize) {
      if (auto sent = send(); !sent) return sent;
    }
  }
  if (format.blank_line_at_end) out += format.line_end;
  return out.empty() ? std::expected<void, CopyFailure>() : send();
}

}  // namespace postrider::mailbox
