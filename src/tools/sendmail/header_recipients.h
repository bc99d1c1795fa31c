// sendmail -t: recipients from the message's own header.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/mime.h"

namespace postrider::sendmail {

/// Passes a message through as content records and collects the addresses in To:, Cc: and Bcc:, or, once a
/// Resent- header has been seen, in Resent-To: and its kin alone.
class HeaderRecipients : private mail::MimeSink {
 public:
  /// Called with each line, or piece of one.
  using Output = std::function<void(std::string_view text, bool ends_line)>;

  HeaderRecipients(size_t header_size_limit, size_t line_limit, Output output);

  void put(std::string_view text, bool ends_line);
  void finish();

  /// The addresses, in internal form.
  const std::vector<std::string>& addresses() const { return resent_ ? resent_addresses_ : addresses_; }
  /// What makes the header unusable, if anything.
  const std::optional<std::string>& problem() const { return problem_; }

 private:
  void header(mail::HeaderClass where, const mail::HeaderInfo* known, std::string_view text) override;
  void header_end() override {}
  void body(std::string_view text, mail::LineEnd end, size_t offset) override;
  void problem(mail::MimeProblem problem, std::string_view text) override;
  void write_line(std::string_view line);

  size_t line_limit_;
  Output output_;
  bool resent_ = false;
  std::vector<std::string> addresses_, resent_addresses_;
  std::optional<std::string> problem_;
  mail::MimeParser parser_;
};

}  // namespace postrider::sendmail
