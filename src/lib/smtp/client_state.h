// What the files of the client's session share; inside this folder only.
#pragma once

#include "smtp/client.h"

namespace postrider::smtp {

struct ClientSession::State {
  State(io::Stream s, Peer p, ClientSettings c)
      : stream(std::move(s)), peer(std::move(p)), settings(std::move(c)), encoder(settings.line_limit) {}

  Pace pace(seconds limit) const { return {limit, settings.per_request_deadline, settings.min_data_rate}; }
  /// Notes the failure, which is final.
  std::unexpected<SessionFailure> fail(SessionFailure::Kind kind, std::string_view doing);
  std::unexpected<SessionFailure> fail(const Error& error, std::string_view doing);
  /// Queues a command line. It leaves when a reply has to be waited for: so what the server has said already,
  /// a "421" before it hung up perhaps, is read before a write can fail.
  void write_command(std::string_view text, std::string_view shown = {});
  Outcome<void> flush(Pace& pace, std::string_view doing);
  Outcome<Reply> read_reply(Pace& pace, std::string_view doing);
  Outcome<Reply> exchange(std::string_view text, seconds timeout, std::string_view doing,
                          std::string_view shown = {});

  Outcome<std::string> read_line(Pace& pace, std::string_view doing);
  void note_garbage(std::string_view line);
  void remember(std::string_view direction, std::string_view line);
  void log_line(std::string_view direction, std::string_view text) const;

  io::Stream stream;
  Peer peer;
  ClientSettings settings;
  ContentEncoder encoder;
  std::string encoded;  // Content on its way to the stream.
  bool told_of_broken_line = false;
  std::optional<Pace> content_pace;
  Capabilities capabilities;
  std::string queue_id;
  std::optional<SessionFailure> failure;
  std::vector<std::string> transcript;
  size_t accepted = 0;         // Recipients of the open transaction.
  size_t pipeline_window = 0;  // Bytes of commands that may be unanswered; 0: not known yet.
  bool esmtp = false, pix = false, myself = false;
  bool protocol_error = false, saw_garbage = false, transaction_open = false, quit_sent = false;
};

}  // namespace postrider::smtp
