// The configuration of the cleanup service.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "config/config.h"
#include "mail/mime.h"
#include "mail/trace_header.h"
#include "queue/store.h"

namespace postrider::cleanup {

/// Where address mapping applies: canonical_classes, masquerade_classes and their kin.
struct AddressClasses {
  bool envelope_sender = false, envelope_recipient = false, header_sender = false, header_recipient = false;
};

struct Settings {
  explicit Settings(const config::Config& config);

  const config::Config& config;
  queue::Layout layout;
  std::string myhostname, myorigin, mydomain;
  int64_t message_size_limit;  ///< 0: none.
  size_t line_length_limit;
  int hopcount_limit;
  size_t duplicate_filter_limit;  ///< 0: no limit.
  bool enable_original_recipient;
  bool always_add_missing_headers;
  std::string remote_header_rewrite_domain;
  std::string undisclosed_recipients_header;
  std::set<std::string, std::less<>> drop_headers;  ///< message_drop_headers, in lower case.
  mail::FromFormat from_format;
  std::string full_name_charset;
  seconds delay_warning_time;
  int virtual_expansion_limit, virtual_recursion_limit;
  size_t virtual_address_length_limit;
  std::string recipient_delimiter;
  bool propagate_canonical, propagate_virtual;  ///< propagate_unmatched_extensions
  AddressClasses canonical, sender_canonical, recipient_canonical, masquerade;
  std::vector<std::string> masquerade_domains;  ///< In lower case; "!" in front excludes.
  std::set<std::string, std::less<>> masquerade_exceptions;
  size_t address_token_limit;
  mail::MimeOptions mime;
  bool parse_mime;
  bool replace_stray_cr_lf;
  seconds ipc_timeout;
};

}  // namespace postrider::cleanup
