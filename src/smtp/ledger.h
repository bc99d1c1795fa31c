// The recipients of one delivery request, and what becomes of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "delivery/agent.h"
#include "delivery/report.h"
#include "mail/dsn.h"
#include "smtp/client.h"
#include "tls/level.h"

namespace postrider::smtp_client {

/// Why something failed, in the terms of RFC 3464.
/// A failure on this side, or of the connection.
mail::DeliveryStatus local_failure(std::string_view status, std::string reason);
/// What a server said. `reason` is the text for people, with the server's own in it.
mail::DeliveryStatus remote_failure(const smtp::Reply& reply, std::string_view host, std::string reason);

/// Whether a failure says something about the server (or the way there) or about this message only.
enum class Blame : unsigned char { destination, message };

/// What has come of TLS with a server.
enum class TlsMark : unsigned char { open, satisfied, plain, violated };
/// "may", "dane:encrypt", "!verify", "encrypt?": the level that was asked for; "!": the server did not live
/// up to it; what it came to instead; "?": it did not come to that.
std::string tls_status(tls::Level configured, tls::Level level, TlsMark mark);

/// What has come of a sender's request for REQUIRETLS.
enum class RequireMark : unsigned char {
  none,  ///< There was none.
  open,
  passed_on,
  no_verb,      ///< The server does not know it.
  no_starttls,  ///< The server has no TLS.
  no_match,     ///< The server has not proved who it is.
  violated,
};
/// "/requiretls", with a mark as in tls_status().
std::string_view require_status(RequireMark mark);

/// Recipients are reported once their fate is sealed; those whose failure another server may remedy stay.
class Ledger {
 public:
  Ledger(delivery::Reporter& reporter, delivery::Job& job, bool soft_bounce);

  /// Recipients that are not final yet. The order stays until settle().
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  const proto::DeliveryRecipient& recipient(size_t index) const { return *entries_[index].recipient; }
  /// Whether this recipient was decided about in the current session: it failed, or is final.
  bool decided(size_t index) const { return entries_[index].mark != Mark::none; }
  bool any_undecided() const;

  // --- the session that is being tried ---

  /// The server that later reports are about; none: "none".
  void use_relay(std::string relay, int uses);
  void no_relay();
  /// No other server will be tried: soft failures are final.
  void set_last_server(bool last) { last_server_ = last; }
  bool last_server() const { return last_server_; }
  /// The log does not tell about TLS.
  void hide_tls() { shows_tls_ = false; }
  /// What is asked of TLS with this server, for the log; none: it is not mentioned.
  void use_tls_level(tls::Level configured, tls::Level level);
  void mark_tls(TlsMark mark) { tls_mark_ = mark; }
  void mark_require(RequireMark mark) { require_mark_ = mark; }
  /// The connection stands, the transaction begins.
  void mark_connected();
  /// A session went through a whole transaction: what fails later does not say that the destination is dead.
  void mark_complete_session() { complete_session_ = true; }

  /// All recipients that are not decided about have failed.
  void fail_all(const mail::DeliveryStatus& why, Blame blame);
  void fail_one(size_t index, const mail::DeliveryStatus& why);
  /// The server has taken over.
  void sent(size_t index, const mail::DeliveryStatus& how, bool success_reported_by_server);

  /// Ends a session: final recipients leave the list, the others are open again.
  void settle();
  /// The failure that counts when no server is left to try.
  void remember(mail::DeliveryStatus why) { why_ = std::move(why); }
  void forget() { why_.reset(); }
  std::optional<mail::DeliveryStatus>& why() { return why_; }

  /// Everybody was handed to another agent.
  void drop_all(bool deferred);
  proto::DeliverReply take_reply() { return std::move(reply_); }
  bool deferred() const { return reply_.deferred; }

 private:
  enum class Mark : unsigned char { none, kept, final };
  struct Entry {
    proto::DeliveryRecipient* recipient;
    Mark mark = Mark::none;
  };
  bool may_try_another(const mail::DeliveryStatus& why) const;
  bool report_failure(Entry& entry, const mail::DeliveryStatus& why);
  delivery::Attempt attempt() const;

  delivery::Reporter& reporter_;
  delivery::Job& job_;
  bool soft_bounce_;
  bool last_server_ = false;
  bool complete_session_ = false;
  std::vector<Entry> entries_;
  std::string relay_ = "none";
  int uses_ = 0;
  int64_t connected_at_ = 0;
  tls::Level configured_level_ = tls::Level::none, tls_level_ = tls::Level::none;
  bool shows_tls_ = true;
  TlsMark tls_mark_ = TlsMark::open;
  RequireMark require_mark_ = RequireMark::none;
  std::optional<mail::DeliveryStatus> why_;
  proto::DeliverReply reply_;
};

}  // namespace postrider::smtp_client
