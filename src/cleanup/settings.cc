#include "cleanup/settings.h"

#include <fmt/format.h>

#include "base/text.h"
#include "clients/queue_layout.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/params/smtpd.h"
#include "config/params/system.h"

namespace postrider::cleanup {

namespace params = config::params;

namespace {

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  for (std::string_view word : split_any(text, kListSeparators)) out.push_back(lowercase(word));
  return out;
}

std::set<std::string, std::less<>> word_set(const std::string& text) {
  std::set<std::string, std::less<>> out;
  for (std::string& word : words(text)) out.insert(std::move(word));
  return out;
}

AddressClasses parse_classes(const config::Config& config, std::string_view parameter, const std::string& text) {
  AddressClasses out;
  for (const std::string& word : words(text)) {
    if (word == "envelope_sender") {
      out.envelope_sender = true;
    } else if (word == "envelope_recipient") {
      out.envelope_recipient = true;
    } else if (word == "header_sender") {
      out.header_sender = true;
    } else if (word == "header_recipient") {
      out.header_recipient = true;
    } else {
      throw config::ConfigError(fmt::format("unknown {} value \"{}\" in \"{}\"", parameter, word, text),
                                config.source(parameter),
                                "use envelope_sender, envelope_recipient, header_sender or header_recipient");
    }
  }
  return out;
}

}  // namespace

Settings::Settings(const config::Config& c)
    : config(c),
      layout(clients::queue_layout(c)),
      myhostname(c.get(params::myhostname)),
      myorigin(c.get(params::myorigin)),
      mydomain(c.get(params::mydomain)),
      message_size_limit(c.get(params::message_size_limit)),
      line_length_limit(static_cast<size_t>(c.get(params::line_length_limit))),
      hopcount_limit(c.get(params::hopcount_limit)),
      duplicate_filter_limit(static_cast<size_t>(c.get(params::duplicate_filter_limit))),
      enable_original_recipient(c.get(params::enable_original_recipient)),
      always_add_missing_headers(c.get(params::always_add_missing_headers)),
      remote_header_rewrite_domain(c.get(params::remote_header_rewrite_domain)),
      undisclosed_recipients_header(c.get(params::undisclosed_recipients_header)),
      drop_headers(word_set(c.get(params::message_drop_headers))),
      from_format(mail::parse_from_format(c.get(params::header_from_format)).value_or(mail::FromFormat::standard)),
      full_name_charset(c.get(params::full_name_encoding_charset)),
      delay_warning_time(c.get(params::delay_warning_time)),
      virtual_expansion_limit(c.get(params::virtual_alias_expansion_limit)),
      virtual_recursion_limit(c.get(params::virtual_alias_recursion_limit)),
      virtual_address_length_limit(static_cast<size_t>(c.get(params::virtual_alias_address_length_limit))),
      recipient_delimiter(c.get(params::recipient_delimiter)),
      canonical(parse_classes(c, "canonical_classes", c.get(params::canonical_classes))),
      sender_canonical(parse_classes(c, "sender_canonical_classes", c.get(params::sender_canonical_classes))),
      recipient_canonical(parse_classes(c, "recipient_canonical_classes", c.get(params::recipient_canonical_classes))),
      masquerade(parse_classes(c, "masquerade_classes", c.get(params::masquerade_classes))),
      masquerade_domains(words(c.get(params::masquerade_domains))),
      masquerade_exceptions(word_set(c.get(params::masquerade_exceptions))),
      address_token_limit(static_cast<size_t>(c.get(params::header_address_token_limit))),
      parse_mime(!c.get(params::disable_mime_input_processing)),
      replace_stray_cr_lf(c.get(params::cleanup_replace_stray_cr_lf)),
      ipc_timeout(c.get(params::ipc_timeout)) {
  auto propagate = word_set(c.get(params::propagate_unmatched_extensions));
  propagate_canonical = propagate.contains("canonical");
  propagate_virtual = propagate.contains("virtual");
  mime.parse_mime = parse_mime;
  mime.downgrade = c.get(params::force_mime_input_conversion);
  mime.header_size_limit = static_cast<size_t>(c.get(params::header_size_limit));
  mime.boundary_length_limit = static_cast<size_t>(c.get(params::mime_boundary_length_limit));
  mime.nesting_limit = static_cast<size_t>(c.get(params::mime_nesting_limit));
  bool strict8 = c.get(params::strict_8bitmime);
  mime.report_nesting = true;
  mime.report_eight_bit_header = strict8 || c.get(params::strict_7bit_headers);
  mime.report_eight_bit_body = strict8 || c.get(params::strict_8bitmime_body);
  mime.report_encoding_domain = c.get(params::strict_mime_encoding_domain);
}

}  // namespace postrider::cleanup
