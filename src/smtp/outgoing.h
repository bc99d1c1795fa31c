// The content of a message on its way out, where it cannot leave as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checks/checks.h"
#include "mail/mime.h"
#include "smtp/client.h"
#include "smtp/generic_map.h"

namespace postrider::smtp_client {

/// Why content could not be sent.
struct ContentTrouble {
  enum class Kind : unsigned char {
    session,  ///< The connection failed.
    data,     ///< A table does not answer.
    message,  ///< The message cannot be converted; `mime` says why.
  };
  Kind kind = Kind::session;
  std::optional<smtp::SessionFailure> session;
  std::optional<mail::MimeProblem> mime;
};

/// Checks lines, maps the addresses of headers, and converts to 7 bits, as far as the configuration and the
/// server want it; what comes out goes to the session.
class Outgoing : private mail::MimeSink {
 public:
  struct Work {
    const checks::Checks* checks = nullptr;
    GenericMap* generic = nullptr;
    bool downgrade = false;
    bool any() const { return checks != nullptr || generic != nullptr || downgrade; }
  };
  /// `mime` has the limits of the parser.
  Outgoing(smtp::ClientSession& session, std::string_view queue_id, Work work, mail::MimeOptions mime);

  /// A line of the message, or a piece of one. False when there is no sense in going on.
  bool line(std::string_view text, bool ends_line);
  bool finish();
  const std::optional<ContentTrouble>& trouble() const { return trouble_; }

 private:
  void header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) override;
  void header_end() override {}
  void body(std::string_view text, mail::LineEnd end, size_t offset) override;
  void problem(mail::MimeProblem problem, std::string_view text) override;

  /// What is left of a header or line when the checks are through; nothing when they take it away.
  std::optional<std::string_view> apply(checks::Place place, const Result<checks::Action>& action,
                                        std::string_view text);
  void report(const checks::Action& action, checks::Place place, std::string_view text) const;
  void write_lines(std::string_view text);
  void write(std::string_view text, bool ends_line);
  void table_failed(std::string_view text);

  smtp::ClientSession& session_;
  std::string queue_id_;
  Work work_;
  std::string replacement_;
  std::optional<ContentTrouble> trouble_;
  mail::MimeParser parser_;
};

}  // namespace postrider::smtp_client
