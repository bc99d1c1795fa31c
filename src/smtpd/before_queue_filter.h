// A content filter that a message goes through while its client waits (smtpd_proxy_filter,
// SMTPD_PROXY_README).
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/facts.h"
#include "config/config.h"
#include "smtp/command.h"
#include "smtpd/mail_sink.h"

namespace postrider::smtpd {

/// smtpd_proxy_*
struct FilterSettings {
  /// Throws ConfigError.
  explicit FilterSettings(const config::Config& config);

  std::string endpoint;  ///< "inet:127.0.0.1:10025", as it was written.
  std::string helo_name;
  seconds timeout;            ///< To connect, and for each command and piece of content.
  bool speed_adjust = false;  ///< A message is received completely before the filter hears of it.
  size_t line_length_limit;   ///< Of replies.
};

/// What a client hears instead of success.
struct FilterRefusal {
  std::string reply;  ///< Lines, joined by newlines.
  std::optional<access::ErrorClass>
      error;  ///< Set where something is wrong with the filter, not with the message.
};

/// A message on its way through the filter, which answers for it: it has no queue file. The records of an
/// envelope are not for it; what it hears are the commands of the client that were accepted.
class FilterSink : public MailSink {
 public:
  /// RCPT as the client wrote it.
  virtual std::optional<FilterRefusal> recipient(std::string_view command) = 0;
  /// DATA.
  virtual std::optional<FilterRefusal> begin_content() = 0;
  /// After finish(): the filter's reply, or what stands for one.
  virtual const FilterRefusal& answer() const = 0;

  const std::string& queue_id() const override { return none_; }
  void flush(Deadline) override {}

 private:
  std::string none_;
};

/// Begins a message: `mail` is the client's command, `client` what XFORWARD tells of whom it is from. Not the
/// filter's own start where messages are received first.
std::expected<std::unique_ptr<FilterSink>, FilterRefusal> begin_filtering(const FilterSettings& settings,
                                                                          const smtp::ClientFacts& client,
                                                                          std::string mail);

}  // namespace postrider::smtpd
