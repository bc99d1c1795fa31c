// One client's session, from greeting to goodbye (RFC 5321).
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/judge.h"
#include "smtp/server_command.h"
#include "smtp/server_parameters.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/server.h"
#include "smtpd/transaction.h"

namespace postrider::smtpd {

class Session : private access::Journal {
 public:
  Session(const Server& server, io::Stream stream, Client client);

  /// Until the client has gone, or is sent away.
  void run();

 private:
  using Words = std::span<const mail::SmtpWord>;
  using Handler = bool (Session::*)(Words arguments);
  struct Count {
    uint32_t done = 0, total = 0;
  };

  // session.cc: the course of a session
  bool greet();
  void serve_commands();
  bool execute(const Dialogue::Command& command);
  bool perform(smtp::Verb verb, Words arguments);
  static Handler handler(smtp::Verb verb);
  void report_end() const;
  std::string count_text() const;
  bool client_talks_ahead(std::string_view where);

  // session_reply.cc: replies and decisions
  void reply(std::string_view text);
  void reply_lines(const std::vector<std::string>& lines);
  /// A reply to a client's mistake; the result is false, as handlers have it.
  bool refuse(std::string_view text, access::ErrorClass error = access::ErrorClass::protocol);
  bool refuse(const access::Refusal& refusal);
  /// Asks access control; the result is false when the client has been refused.
  template <typename Stage>
  bool permitted(Stage stage);
  access::Facts facts() const;
  void event(std::string_view what, std::string_view text, const access::Facts& facts,
             const access::Because& because) override;
  std::string_view queue_id_or_none() const;

  // session_commands.cc: commands outside of transactions
  bool helo(Words arguments);
  bool ehlo(Words arguments);
  bool introduce(Words arguments, std::string_view protocol);
  bool rset(Words arguments);
  bool noop(Words arguments);
  bool vrfy(Words arguments);
  bool etrn(Words arguments);
  bool help(Words arguments);
  bool quit(Words arguments);
  bool not_implemented(Words arguments);
  bool no_authentication(Words arguments);
  bool no_authorization(Words arguments);
  bool offers(smtp::Keyword keyword) const { return !server_.settings.discard_keywords.has(keyword); }

  // session_envelope.cc: MAIL and RCPT
  bool mail(Words arguments);
  bool rcpt(Words arguments);
  std::optional<std::string> read_path(const mail::SmtpWord& word, bool allow_empty, bool strict);
  bool fits(const smtp::MailParameters& parameters);
  bool open_message();
  Origin origin();
  smtp::ParameterRules parameter_rules() const;
  void end_transaction();

  // session_content.cc: DATA and BDAT
  bool data(Words arguments);
  bool bdat(Words arguments);
  void begin_content();
  bool receive_lines();
  bool complete_message();
  bool report_outcome(const proto::CleanupStatus& status, const std::string& queue_id);
  std::string received_header();

  bool stand_alone() const { return server_.settings.stand_alone; }
  Deadline service_deadline() const { return Deadline::after(server_.settings.ipc_timeout); }

  const Server& server_;
  Dialogue dialogue_;
  Client client_;
  std::string_view where_ = "CONNECT";
  std::string_view protocol_ = "SMTP";
  std::optional<std::string> helo_name_;
  std::optional<Transaction> mail_;
  // What is being decided on.
  std::optional<std::string_view> sender_candidate_, recipient_;
  bool asks_utf8_ = false;  // VRFY ... SMTPUTF8
  size_t overshoot_ = 0;    // Recipients beyond the limit.
  access::Memory memory_;
  std::string access_denied_;  // The greeting was a refusal.
  size_t errors_ = 0, junk_ = 0;
  bool improper_pipelining_ = false;
  bool hang_up_ = false;
  bool too_many_errors_ = false;
  BareLf bare_lf_;
  bool saw_bare_lf_ = false;          // For the log.
  bool content_has_bare_lf_ = false;  // Of the message at hand.
  std::array<Count, smtp::kVerbs> counts_{};
  std::optional<std::string> helo_candidate_;  // Not accepted yet.
};

}  // namespace postrider::smtpd
