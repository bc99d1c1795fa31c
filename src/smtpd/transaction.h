// A mail transaction: sender, recipients and content on their way to the mail system.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/facts.h"
#include "base/deadline.h"
#include "base/result.h"
#include "smtp/server_parameters.h"
#include "smtpd/before_queue_filter.h"
#include "smtpd/client.h"
#include "smtpd/data_reader.h"
#include "smtpd/mail_sink.h"
#include "smtpd/settings.h"

namespace postrider::smtpd {

/// Where a message came from, in words for queue file and log. Texts belong to the session.
struct Origin {
  const Client* client = nullptr;  ///< Null: a local user, of whom nothing is recorded.
  std::string_view helo_name;      ///< Empty: none.
  std::string_view protocol;
  bool filtered = false;         ///< Mail filters have a say.
  bool local_rewriting = false;  ///< Addresses in headers are completed with local domains.
  /// As logs tell it; differs from the above when a content filter in front tells whom mail came from.
  struct Logged {
    std::string_view name, address, port, label, helo_name, protocol, ident;
  } logged;
};

class Transaction {
 public:
  Transaction(const Settings& settings, MailSystem& mail, std::string sender,
              smtp::MailParameters parameters);

  const std::string& sender() const { return sender_; }
  const smtp::MailParameters& parameters() const { return parameters_; }
  /// AUTH= as it was written; empty when there is none, or nobody is meant ("<>").
  std::string_view sasl_sender() const {
    return parameters_.auth && *parameters_.auth != "<>" ? std::string_view(*parameters_.auth)
                                                         : std::string_view();
  }
  /// Tells this message apart from others, before it has a queue file.
  const std::string& instance() const { return instance_; }
  /// Accepted recipients.
  size_t recipients() const { return recipients_; }
  const std::string& first_recipient() const { return first_recipient_; }
  /// Bytes of content received.
  int64_t size() const { return size_; }
  int64_t arrival_seconds() const { return arrival_seconds_; }
  /// Empty while there is no queue file.
  std::string_view queue_id() const {
    return sink_ ? std::string_view(sink_->queue_id()) : std::string_view();
  }
  /// The same for log lines: "NOQUEUE" then.
  std::string_view label() const { return queue_id().empty() ? std::string_view("NOQUEUE") : queue_id(); }
  bool is_open() const { return sink_ != nullptr; }

  /// Makes the queue file and writes what is known of the envelope.
  Result<void> open(const Origin& origin);
  /// The message goes to a content filter instead.
  void open(std::unique_ptr<FilterSink> filter);
  /// Null where the message is for this system itself, and before open().
  FilterSink* filter() const { return filter_; }
  void add_recipient(std::string_view address, const smtp::RcptParameters& parameters);

  /// The mail filters that shall see the content; before begin_content().
  void show_to_milters(const proto::CleanupMilters& milters, const MailSink::MilterRelay& relay);
  /// Content begins with the headers that access tables want, and Received:.
  /// `repair_start`: lines at the top that are no header are made fit (see queue::HeaderStart).
  void begin_content(const access::Effects& effects, const std::string& received, bool repair_start);
  void content(const ContentRecord& record);
  /// What access tables want to become of the message, and its end.
  proto::CleanupStatus finish(const access::Effects& effects);
  /// The message was refused: the mail system is told what it was, and its file is left. The next recipient
  /// begins another one.
  void close();
  /// The message will not be completed. Content that has come is still told, so that the log can say whose
  /// message it was.
  void abandon();
  /// proto::CleanupProblem so far; content is only read on then, not kept.
  uint32_t problems() const { return problems_; }

 private:
  void put(queue::RecordType type, std::string_view data);
  void put_attribute(std::string_view name, std::string_view value);
  void put_client(const Origin& origin);
  void put_lines(std::string_view text);
  void put_content(const ContentRecord& record);
  void put_flags(const access::Effects& effects);
  Deadline deadline() const { return Deadline::after(settings_.ipc_timeout); }

  const Settings& settings_;
  MailSystem& mail_;
  std::string sender_, instance_;
  smtp::MailParameters parameters_;
  std::string first_recipient_;
  size_t recipients_ = 0;
  int64_t arrival_seconds_ = 0, arrival_microseconds_ = 0;
  std::unique_ptr<MailSink> sink_;
  FilterSink* filter_ = nullptr;  // sink_, when it is one.
  access::Effects told_;
  queue::HeaderStart header_start_;
  int64_t size_ = 0;
  uint32_t problems_ = 0;
  bool untold_ = false;  // Content may still wait to be sent.
};

}  // namespace postrider::smtpd
