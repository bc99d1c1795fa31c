// Lines from and to a client, and what went wrong with them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream.h"
#include "smtp/pace.h"
#include "smtpd/settings.h"
#include "tls/server.h"

namespace postrider::smtpd {

class Dialogue {
 public:
  /// Why there is no more to read.
  enum class End : unsigned char { none, lost, timeout };

  /// `client` names the other end in warnings.
  Dialogue(const Settings& settings, io::Stream stream, std::string client)
      : settings_(settings), client_(std::move(client)), stream_(std::move(stream)), pace_(settings.pace()) {}

  /// Whether commands and replies go to the log whatever its level (debug_peer_list).
  void set_logged(bool logged) { logged_ = logged; }

  struct Command {
    std::string text;
    bool bare_lf = false;
  };
  /// The next command line, without its end; what is too long is cut off. Nothing when the connection is
  /// over.
  std::optional<Command> read_command();
  /// The next line, which is no command and may have `limit` bytes: a longer one has been read to its end and
  /// is told as such. Nothing when the connection is over.
  struct Response {
    std::string text;
    bool too_long = false;
  };
  std::optional<Response> read_response(size_t limit);
  /// A line of content or a piece of one. The text is valid until the next call.
  std::optional<io::Line> read_content();
  /// Some bytes of a chunk, at most `max`; consumed with the next call.
  std::optional<std::string_view> read_bytes(size_t max);
  End end() const { return end_; }

  /// Adds a reply line to the output; it leaves with the next read at the latest.
  void write_line(std::string_view text);
  void flush();
  /// Whether the client has sent something ahead. Reads what has arrived.
  bool input_waiting();
  /// What it has sent, for the log.
  std::string_view waiting_input() const { return stream_.buffered(); }
  /// Begins TLS, with a client that has been told so; what it has sent ahead is dropped. Null when that does
  /// not succeed: the connection is over. What it points to lives as long as this object.
  const tls::Info* start_tls(const tls::Server& server, tls::ServerSupport& support, Deadline deadline);
  /// The last words: what is still to be sent, and what a client hears that took too long.
  void finish();

 private:
  Result<io::Line> read_line(size_t max);
  bool note_failure(const Error& error);
  void skip_rest_of_line(std::string_view beginning, size_t limit);
  void log_line(char direction, std::string_view text) const;

  const Settings& settings_;
  std::string client_;
  io::Stream stream_;
  smtp::Pace pace_;
  End end_ = End::none;
  bool logged_ = false;
  size_t unread_ = 0;  // Of the last read_bytes(): to be consumed.
};

}  // namespace postrider::smtpd
