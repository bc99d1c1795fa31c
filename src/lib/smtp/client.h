// The client's side of an SMTP or LMTP session.
//
// A session speaks the protocol and nothing else: whom to connect to, what a refused recipient means for the
// message and when to try again is for others to decide. Whatever goes wrong with the connection is a value;
// after it, every further request fails the same way.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "io/stream.h"
#include "smtp/content.h"
#include "smtp/ehlo.h"
#include "smtp/pace.h"
#include "smtp/reply.h"

namespace postrider::smtp {

/// Changes the lines that a server sends: smtp_reply_filter. May suspend.
class ReplyRewriter {
 public:
  virtual ~ReplyRewriter() = default;
  /// What to read instead of the line, if anything; an error makes the session fail.
  virtual Result<std::optional<std::string>> rewrite(std::string_view line, Deadline deadline) = 0;
};

struct ClientSettings {
  bool lmtp = false;
  std::string helo_name;
  std::string own_host_name;  ///< myhostname, to recognise a session with oneself.
  bool always_ehlo = true;
  bool never_ehlo = false;
  bool skip_5xx_greeting = true;  ///< A 5xx greeting counts as temporary.
  bool detect_loops = true;
  bool helpful_warnings = true;
  bool utf8 = true;           ///< Replies may have UTF-8 in them (smtputf8_enable).
  size_t reply_limit = 2048;  ///< line_length_limit, for the lines and the text of replies.
  size_t line_limit = 998;    ///< smtp_line_length_limit, for content; 0: none.
  std::shared_ptr<ReplyRewriter> rewriter;
  bool keep_transcript = false;
  bool log_dialogue = false;  ///< Commands and replies go to the log (debug_peer_list).

  bool per_request_deadline = false;
  size_t min_data_rate = 500;  ///< Bytes per second, with per_request_deadline; 0: none.
  seconds helo_timeout{300}, starttls_timeout{300}, xforward_timeout{300}, mail_timeout{300},
      rcpt_timeout{300};
  seconds data_init_timeout{120}, data_transfer_timeout{180}, data_done_timeout{600};
  seconds rset_timeout{20}, quit_timeout{300};
};

/// Who is at the other end, in the forms that log lines use.
struct Peer {
  std::string host;
  std::string address;
  unsigned port = 0;                   ///< 0 for a UNIX-domain socket, whose path is the address.
  std::string name() const;            ///< "mx1.dest.test[198.51.100.10]"
  std::string name_with_port() const;  ///< "mx1.dest.test[198.51.100.10]:25"
};

/// The end of a session.
struct SessionFailure {
  enum class Kind : unsigned char { lost, timed_out, local };
  Kind kind = Kind::lost;
  std::string dsn;   ///< "4.4.2", or "4.3.0" for a local problem.
  std::string text;  ///< "lost connection with NAME[ADDRESS] while sending MAIL FROM"
};

template <typename T>
using Outcome = std::expected<T, SessionFailure>;

/// One message up to DATA: the commands, made by MailCommand and others.
struct Envelope {
  /// RSET goes first, to find out whether a session that was idle still works.
  bool probe_first = false;
  std::vector<std::string> xforward;
  std::string mail;
  std::vector<std::string> recipients;
  bool want_data = true;  ///< False for a probe: it ends after the recipients.
};

/// How a server took an envelope. A command without a reply was not sent, or the session failed before it
/// came.
struct EnvelopeReplies {
  std::optional<Reply> mail;
  std::vector<std::optional<Reply>> recipients;  ///< As many as in the envelope.
  std::optional<Reply> data;
  size_t accepted = 0;             ///< Recipients accepted, where MAIL was.
  bool ready_for_content = false;  ///< send_content() and end_content() have to follow.
  /// The probe failed: nothing came of the envelope, and the session is of no use.
  bool stale = false;
  std::optional<SessionFailure> failure;
};

/// The replies to the end of content: one, or with LMTP one for each accepted recipient in their order; fewer
/// when the session failed meanwhile.
struct ContentReplies {
  std::vector<Reply> replies;
  std::optional<SessionFailure> failure;
};

/// Every call that waits for the server is limited by the time that the settings give to it.
class ClientSession {
 public:
  ClientSession(io::Stream stream, Peer peer, ClientSettings settings);
  ~ClientSession();
  ClientSession(ClientSession&&) noexcept;
  ClientSession& operator=(ClientSession&&) noexcept;

  /// Waits for the greeting. A reply that is not positive is for the caller to deal with.
  Outcome<Reply> read_greeting();
  /// HELO instead of EHLO, whatever the greeting said: for firewalls that cannot cope otherwise.
  void avoid_esmtp();
  /// EHLO, or HELO where the server wants it, or LHLO. After a positive reply capabilities() are known,
  /// without those in `discard` (smtp_discard_ehlo_keywords). Also after STARTTLS.
  Outcome<Reply> hello(KeywordSet discard = {});
  /// STARTTLS. After a positive reply the caller starts TLS on stream(); input that came too early is gone.
  Outcome<Reply> start_tls();
  /// Some other command: `timeout` for it, and `doing` for the failure's text. Logs and the transcript have
  /// `shown` instead of it, unless that is empty.
  Outcome<Reply> command(std::string_view text, seconds timeout, std::string_view doing,
                         std::string_view shown = {});

  /// XFORWARD, MAIL, RCPT and DATA, all at once where the server offers PIPELINING. When DATA was accepted
  /// without any recipient, an empty message has been ended already.
  EnvelopeReplies send_envelope(const Envelope& envelope);
  /// A piece of content without line ends; `ends_line` when the line ends with it.
  Outcome<void> send_content(std::string_view piece, bool ends_line);
  /// Ends the content. `pause` before the last line is for firewalls that cannot cope otherwise
  /// (smtp_pix_workarounds = delay_dotcrlf). With `then_quit`, QUIT follows at once where the server offers
  /// PIPELINING.
  ContentReplies end_content(bool then_quit, Clock::duration pause = Clock::duration::zero());
  /// RSET, unless no transaction is open.
  Outcome<void> reset();
  /// QUIT, unless it was sent already. Waits for the reply only if told to (smtp_skip_quit_response = no).
  Outcome<void> quit(bool wait);

  const Peer& peer() const;
  /// The server under another of its names, when the session is used for another destination.
  void set_host(std::string host);
  const Capabilities& capabilities() const;
  bool speaks_esmtp() const;
  /// The greeting is one that a Cisco PIX firewall has hidden.
  bool behind_pix() const;
  /// EHLO was answered with our own host name.
  bool is_myself() const;
  /// Replies may be out of step: the session should not be used for another message.
  bool protocol_error() const;
  /// The server sent something that is no reply, a matter for the postmaster.
  bool saw_garbage() const;
  /// MAIL was sent, and neither the end of content nor RSET since.
  bool transaction_open() const;
  const std::optional<SessionFailure>& failure() const;
  /// For the start of TLS, and to look whether an idle server has hung up.
  io::Stream& stream();
  /// The queue id for log lines from now on.
  void set_queue_id(std::string id);
  /// "Out: EHLO ...", "In:  250 ..." for a notice to the postmaster; bounded.
  const std::vector<std::string>& transcript() const;

 private:
  struct State;
  class EnvelopeExchange;
  std::unique_ptr<State> state_;
};

}  // namespace postrider::smtp
