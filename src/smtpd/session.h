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
#include "milter/chain.h"
#include "smtp/server_command.h"
#include "smtp/server_parameters.h"
#include "smtpd/client.h"
#include "smtpd/dialogue.h"
#include "smtpd/forwarded.h"
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
  void welcome();
  bool within_connection_limits();
  void assess_client();
  void serve_commands();
  bool execute(Dialogue::Command command);
  std::optional<bool> execute_special(std::string_view word);
  bool perform(smtp::Verb verb, Words arguments);
  static Handler handler(smtp::Verb verb);
  bool apply_command_filter(std::string& command);
  bool misunderstood(std::string_view reply);
  bool client_talks_ahead(std::string_view where);
  std::string_view end_reason() const;
  void report_end() const;
  std::string count_text() const;

  // session_reply.cc: replies and decisions
  void reply(std::string_view text);
  void reply_lines(std::vector<std::string> lines);
  /// A reply to a client's mistake; the result is false, as handlers have it.
  bool refuse(std::string_view text, access::ErrorClass error = access::ErrorClass::protocol);
  bool refuse(const access::Refusal& refusal);
  /// A table that is needed to go on does not answer: the session ends.
  bool local_data_error();
  /// Asks access control; the result is false when the client has been refused.
  template <typename Stage>
  bool permitted(Stage stage);
  access::Facts facts() const;
  void event(std::string_view what, std::string_view text, const access::Facts& facts,
             const access::Because& because) override;
  std::string_view queue_id_or_none() const;
  std::optional<std::string> name_value(std::string_view name) const;
  /// Tells the postmaster when something went wrong, and forgets what was said, once it is more than so many
  /// lines.
  void close_transcript(size_t threshold);

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
  bool xclient(Words arguments);
  bool xforward(Words arguments);
  bool offers(smtp::Keyword keyword) const { return !discarded_.has(keyword); }
  /// A request for TLS on the way has to come by TLS.
  bool offers_requiretls() const {
    return server_.settings.requiretls && encrypted() && offers(smtp::Keyword::requiretls);
  }
  bool offers_utf8() const { return server_.settings.smtputf8 && offers(smtp::Keyword::smtputf8); }

  // session_auth.cc: logging in
  bool auth(Words arguments);
  bool authentication_offered() const;
  bool prepare_authentication();
  bool report_login(std::string_view mechanism, sasl::Outcome outcome);
  bool fail_login(std::string_view text);
  void forget_login();

  // session_tls.cc: TLS
  bool starttls(Words arguments);
  bool starttls_offered() const;
  bool may_begin_tls();
  bool begin_tls();
  std::string refusal_for_rate();
  std::string refusal_for_certificate() const;
  bool greet_with_tls();
  bool needs_tls_first(smtp::Verb verb) const;
  /// Whether the session is protected by TLS.
  bool encrypted() const { return tls_ != nullptr; }

  // session_milter.cc: what mail filters say
  using MilterEvent = milter::Event;
  /// Connects to the filters for this client, and tells them of it. The text is what they have against it.
  std::optional<std::string> begin_milters();
  void end_milters();
  /// Whether the filters are to hear of what happens now.
  bool asks_milters() const { return milters_ && !milters_->empty() && !memory_.effects.discard; }
  /// Tells of a command; the result is the reply of a filter that is against it. It has been logged.
  std::optional<std::string> ask_milters(MilterEvent event, std::string_view data,
                                         std::string_view rejection = milter::Filter::kRejected);
  std::optional<std::string> note(const milter::Verdict& verdict);
  bool refuse_for_milter(std::string_view text);
  bool milters_accept_mail(Words arguments, std::string_view sender);
  bool milters_accept_rcpt(Words arguments, std::string_view recipient);
  void tell_milters_of_refusal(Words arguments, std::string_view reply);
  std::optional<std::string> milters_refuse_content();
  void show_content_to_milters();
  std::string macro(std::string_view name) const;
  milter::MacroValues macro_values() const {
    return [this](std::string_view name) { return macro(name); };
  }

  // session_envelope.cc: MAIL and RCPT
  bool mail(Words arguments);
  bool rcpt(Words arguments);
  struct PathRules {
    bool allow_empty = false, strict = false;
    bool utf8 = false;  ///< SMTPUTF8 was requested.
  };
  std::optional<std::string> read_path(const mail::SmtpWord& word, PathRules rules);
  bool can_be_resolved(std::string_view address, bool utf8);
  bool refuse(const smtp::ParameterProblem& problem);
  bool within_rate(proto::AnvilEvent event, uint32_t limit, std::string_view what,
                   std::string_view complaint);
  bool find_header_rewriting();
  bool fits(const smtp::MailParameters& parameters);
  bool open_message();
  bool open_queue_file(const Origin& from);
  Origin origin();
  smtp::ParameterRules parameter_rules() const;
  static std::string without_requiretls(std::string_view command);
  void end_transaction();

  // session_filter.cc: the content filter in front of the queue
  bool open_filter(const Origin& from);
  bool refuse(const FilterRefusal& refusal);
  bool complete_through_filter();
  bool uses_filter() const { return server_.filter && !stand_alone(); }

  // session_content.cc: DATA and BDAT
  bool data(Words arguments);
  bool bdat(Words arguments);
  void begin_content(bool chunked);
  bool receive_lines();
  bool receive_chunk(const smtp::ChunkParameters& chunk);
  int64_t content_size() const;
  bool discard_chunk(const smtp::ChunkParameters& chunk, std::string_view reply, access::ErrorClass error);
  bool complete_message(bool chunked);
  bool refuse_bare_lf();
  bool report_outcome(const proto::CleanupStatus& status, std::string_view success);
  struct Problem {
    std::string reply;
    access::ErrorClass error;
  };
  static Problem problem_of(const proto::CleanupStatus& status);
  void forgive();
  std::string received_header();

  bool stand_alone() const { return server_.settings.stand_alone; }
  Deadline service_deadline() const { return Deadline::after(server_.settings.ipc_timeout); }

  const Server& server_;
  Dialogue dialogue_;
  Transcript transcript_;
  ErrorClasses errors_made_;

  // The client and what it may do.
  Client client_;
  std::optional<CountedConnection> counted_;
  std::unique_ptr<Forwarded> forwarded_;
  smtp::KeywordSet discarded_;
  bool knows_discarded_ = true;     // The table of them has answered.
  const tls::Info* tls_ = nullptr;  // The dialogue's; null: nothing is encrypted.
  std::string tls_refusal_;         // What the client hears next, as its TLS session is not good enough.
  BareLf bare_lf_;
  Allowed may_xclient_ = Allowed::no, may_xforward_ = Allowed::no, may_verp_ = Allowed::no;
  bool without_limits_ = false;
  bool may_log_in_ = true;  // Not one of smtpd_sasl_exceptions_networks.
  std::unique_ptr<sasl::Server> sasl_;
  bool sasl_encrypted_ = false;          // What sasl_ was made for.
  std::vector<std::string> mechanisms_;  // To be announced.
  std::string access_denied_;            // The greeting was a refusal.

  // Mail filters.
  std::unique_ptr<milter::Chain> milters_;  // Null: there are none for this client.
  bool milters_refuse_ = false;             // What the client may do does not matter any more.
  uint32_t connections_ = 0;                // Of the client, where they are counted.
  /// Where mail for an address goes, or why it was refused.
  struct MilterAddress {
    std::string address, host, mailer;
  } milter_sender_, milter_recipient_;

  // Where the session stands.
  std::string_view where_ = "CONNECT";
  std::string_view protocol_ = "SMTP";
  std::optional<std::string> helo_name_;
  std::string command_;  // The line at hand.
  access::Memory memory_;
  size_t errors_ = 0, junk_ = 0;
  std::array<Count, smtp::kVerbs> counts_{};
  bool in_content_ = false;
  bool improper_pipelining_ = false;
  bool hang_up_ = false;
  bool too_many_errors_ = false;
  bool saw_bare_lf_ = false;  // For the log.

  // What is being decided on.
  std::optional<std::string_view> helo_candidate_, sender_candidate_, recipient_;
  bool asks_utf8_ = false;  // VRFY ... SMTPUTF8

  // The transaction.
  enum class Chunks : unsigned char { none, good, failed };
  std::optional<Transaction> mail_;
  bool local_headers_ = false;  // Addresses in headers are completed with local domains.
  int64_t told_size_ =
      0;  // SIZE=, also of a MAIL that was refused: it stands until the next RSET or greeting.
  size_t earlier_recipients_ = 0;  // Of messages whose chunks were refused: they count until RSET.
  size_t overshoot_ = 0;           // Recipients beyond the limit.
  std::string mail_command_;       // As a content filter is to hear it.
  Chunks chunks_ = Chunks::none;
  std::unique_ptr<ChunkReader> chunk_reader_;
  int64_t discarded_bytes_ = 0;
  bool content_has_bare_lf_ = false;
};

}  // namespace postrider::smtpd
