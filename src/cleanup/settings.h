// The configuration of the cleanup service.
#pragma once

#include <bitset>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "mail/address_parts.h"
#include "mail/mime.h"
#include "mail/trace_header.h"
#include "queue/store.h"

namespace postrider::cleanup {

/// Where address mapping applies: canonical_classes, masquerade_classes and their kin.
struct AddressClasses {
  bool envelope_sender = false, envelope_recipient = false, header_sender = false, header_recipient = false;
};

/// A set of bytes, as message_strip_characters has it.
class CharacterSet {
 public:
  CharacterSet() = default;
  /// The characters of a text.
  explicit CharacterSet(std::string_view characters);
  bool empty() const { return bits_.none(); }
  bool contains(char c) const { return bits_[static_cast<unsigned char>(c)]; }

 private:
  std::bitset<256> bits_;
};

/// What is done about a header that ends without an empty line.
enum class NonEmptyEnd : unsigned char { fix_quietly, add_header, reject };

/// Throws ConfigError where a parameter has no good value.
struct Settings {
  explicit Settings(const config::Config& config);

  const config::Config& config;
  queue::Layout layout;
  std::string myhostname, myorigin;
  seconds ipc_timeout;
  mail::LogForm log_form;

  // --- the envelope
  seconds in_flow_delay;
  size_t in_flow_limit;  ///< Messages that may wait for the queue manager before the delay.
  size_t attribute_limit;
  size_t duplicate_filter_limit;  ///< 0: no limit.
  bool enable_original_recipient;
  std::string empty_recipient;  ///< empty_address_recipient
  seconds delay_warning_time;
  std::string always_bcc;

  // --- address mapping
  std::string remote_header_rewrite_domain;
  size_t virtual_expansion_limit, virtual_recursion_limit, virtual_address_length_limit;
  std::string recipient_delimiter;
  bool owner_request_special;
  std::string double_bounce_sender;
  bool propagate_canonical, propagate_virtual;  ///< propagate_unmatched_extensions
  AddressClasses canonical, sender_canonical, recipient_canonical, masquerade;
  std::vector<std::string> masquerade_domains;  ///< Folded; "!" in front excludes.
  size_t address_token_limit;

  // --- the content
  int64_t message_size_limit;  ///< 0: none.
  size_t line_length_limit, header_size_limit;
  int hopcount_limit;
  bool always_add_missing_headers;
  std::string undisclosed_recipients_header;
  /// message_drop_headers: those that are known, and other names in lower case.
  std::bitset<64> drop_types;
  std::set<std::string, std::less<>> drop_names;
  mail::FromFormat from_format;
  std::string full_name_charset;
  size_t body_check_limit;       ///< body_checks_size_limit
  mail::MimeOptions mime;        ///< For content that is judged.
  mail::MimeOptions plain_mime;  ///< For content that is not.
  bool convert_mime;             ///< force_mime_input_conversion
  bool detect_eight_bit_header, replace_stray_cr_lf;
  NonEmptyEnd non_empty_end;
  CharacterSet reject_characters, strip_characters;
  bool tls_required_header, requiretls_header;
};

}  // namespace postrider::cleanup
