// The built-in SMTP engine: talks to clients that take the tests behind the greeting, or whose mail is
// refused. It never accepts mail.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "io/stream.h"
#include "postscreen/progress.h"
#include "postscreen/replies.h"
#include "postscreen/settings.h"
#include "postscreen/starttls.h"
#include "smtp/server_command.h"
#include "sys/socket.h"

namespace postrider::postscreen {

/// Who is at the other end.
struct Peer {
  sys::Address address;
  std::string ip;
  std::string label;  ///< "[192.0.2.1]:4711", as log lines have it.
};

class Engine {
 public:
  /// `patience` may change while the session goes on.
  Engine(const Settings& settings, const Lists& lists, const Replies& replies, const TlsGateway& tls,
         const Settings::Patience* const& patience, const Peer& peer, io::Stream& stream, Progress& progress);

  /// Until the client has gone, or is sent away. With `greets` it is greeted first.
  void run(bool greets);

 private:
  struct Line {
    std::string text;
    bool bare_lf = false;
  };
  /// A command and what follows the blank behind it.
  struct Command {
    std::string_view word, rest;
    /// The words of `rest`; the first of them.
    std::string_view argument() const;
  };
  // Handlers are false when the session is over.
  using Handler = bool (Engine::*)(const Command& command);

  std::optional<Line> read_line();
  std::optional<Line> give_up_reading(const Error& error);
  bool execute(Line line);
  bool perform(const Command& command, smtp::Verb verb);
  static Handler handler(smtp::Verb verb);
  /// Whether the test is made, and has not failed yet.
  bool watches(Test test) const { return watched_[static_cast<size_t>(test)] && !progress_.failed(test); }
  /// The client has failed; false when it has to go.
  bool fail(Test test, std::string_view what, std::string_view drop_reply);
  bool check_pipelining(std::string_view word);
  std::optional<bool> check_command(const Command& command);
  bool filter(std::string& command);
  bool is_forbidden(std::string_view word) const;

  bool reply(std::string_view text);
  bool end_with(std::string_view text);
  bool local_data_error();
  void note(std::string_view what, std::string_view more = {}) const;
  std::string shown(std::string_view text) const;

  bool helo(const Command& command);
  bool ehlo(const Command& command);
  bool introduce(const Command& command, std::string_view protocol);
  bool mail(const Command& command);
  bool rcpt(const Command& command);
  bool data(const Command& command);
  bool bdat(const Command& command);
  bool rset(const Command& command);
  bool noop(const Command& command);
  bool vrfy(const Command& command);
  bool etrn(const Command& command);
  bool starttls(const Command& command);
  bool offers_tls() const;
  bool needs_tls_first(smtp::Verb verb);
  bool quit(const Command& command);
  bool unknown(const Command& command);
  void log_refusal(std::string_view recipient) const;
  /// Why mail is not taken, or not yet.
  std::string_view refusal() const;

  const Settings& settings_;
  const Lists& lists_;
  const Replies& replies_;
  const TlsGateway& tls_;
  const Settings::Patience* const& patience_;
  const Peer& peer_;
  io::Stream& stream_;
  Progress& progress_;

  std::array<bool, kTests> watched_{};
  Clock::time_point start_;
  Deadline command_end_;
  size_t commands_ = 0;
  std::string where_ = "CONNECT";
  std::string_view protocol_ = "SMTP";
  std::optional<std::string> helo_, sender_;
  smtp::KeywordSet discarded_;  ///< EHLO keywords that this client is not offered.
  bool in_tls_ = false;
};

}  // namespace postrider::postscreen
