// Recipients on their way into the queue file: mapping, alias expansion, copies, duplicates.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "cleanup/address_mapper.h"
#include "cleanup/message_state.h"
#include "delivery/report.h"

namespace postrider::cleanup {

/// What is known about a recipient beside its address.
struct RecipientNotes {
  std::optional<std::string> original;      ///< Before rewriting.
  std::optional<std::string> dsn_original;  ///< "type;address"; empty: there is none, and none is made up.
  unsigned notify = 0;                      ///< NOTIFY of RFC 3461; 0: not given.
};

class Recipients {
 public:
  Recipients(MessageState& state, AddressMapper& mapper, delivery::Reporter& reporter)
      : state_(state), mapper_(mapper), reporter_(reporter) {}

  /// A recipient of the envelope, with the copies that recipient_bcc_maps ask for.
  void add(std::string_view address, RecipientNotes notes);
  /// A recipient that a mail filter wants, with what it says about notices.
  void add_for_filter(std::string_view address, RecipientNotes notes);
  /// The address is not in the file any more: it can be added again.
  void forget(std::string_view address);
  /// A recipient whom nobody but the administrator named.
  void add_bcc(std::string_view address);
  /// The copies that sender_bcc_maps ask for.
  void add_bcc_of_sender();

 private:
  struct Final {
    std::string original, dsn_original;
    unsigned notify;
  };

  std::string mapped(std::string_view address);
  void expand(const std::string& address, Final notes);
  void answer_probe(const std::string& address, const Final& notes);
  void report_expansion(const std::string& address, const Final& notes);
  void write(const std::string& address, const Final& notes);
  bool seen_before(const std::string& address, const Final& notes);

  MessageState& state_;
  AddressMapper& mapper_;
  delivery::Reporter& reporter_;
  std::unordered_set<std::string> seen_;
};

}  // namespace postrider::cleanup
