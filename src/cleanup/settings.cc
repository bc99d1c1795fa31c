#include "cleanup/settings.h"

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "clients/queue_layout.h"
#include "config/params/bounce.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/qmgr.h"
#include "config/params/rewrite.h"
#include "config/params/smtpd.h"
#include "config/params/system.h"
#include "config/params/tls.h"

namespace postrider::cleanup {

namespace params = config::params;

namespace {

/// A burst that the queue manager catches up with in a second or so need not be held back: a process takes in
/// more than one message at a time.
constexpr size_t kWaitingPerProcess = 10;

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  for (std::string_view word : split_any(text, kListSeparators))
    out.push_back(casefold(word));
  return out;
}

std::set<std::string, std::less<>> word_set(const std::string& text) {
  std::set<std::string, std::less<>> out;
  for (std::string& word : words(text))
    out.insert(std::move(word));
  return out;
}

AddressClasses parse_classes(const config::Config& config, std::string_view parameter,
                             const std::string& text) {
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

bool any_checks(const config::Config& config) {
  for (auto param : {params::header_checks, params::mime_header_checks, params::nested_header_checks,
                     params::body_checks}) {
    if (!config.get(param).empty()) return true;
  }
  return false;
}

/// How the content of mail from outside is judged.
mail::MimeOptions judging_options(const config::Config& config, const mail::MimeOptions& plain) {
  mail::MimeOptions out = plain;
  out.report_non_empty_end = config.get(params::non_empty_end_of_header_action) != "fix_quietly";
  if (!out.parse_mime) return out;
  bool strict = config.get(params::strict_8bitmime);
  out.report_eight_bit_header = strict || config.get(params::strict_7bit_headers);
  out.report_eight_bit_body = strict || config.get(params::strict_8bitmime_body);
  out.report_encoding_domain = config.get(params::strict_mime_encoding_domain);
  // What nobody looks at may be nested as deep as it likes.
  out.report_nesting = out.report_eight_bit_header || out.report_eight_bit_body ||
                       out.report_encoding_domain || any_checks(config);
  return out;
}

NonEmptyEnd parse_non_empty_end(const std::string& word) {
  if (word == "reject") return NonEmptyEnd::reject;
  return word == "add_header" ? NonEmptyEnd::add_header : NonEmptyEnd::fix_quietly;
}

}  // namespace

CharacterSet::CharacterSet(std::string_view characters) {
  for (char c : characters)
    bits_.set(static_cast<unsigned char>(c));
}

Settings::Settings(const config::Config& c)
    : config(c),
      layout(clients::queue_layout(c)),
      myhostname(c.get(params::myhostname)),
      myorigin(c.get(params::myorigin)),
      ipc_timeout(c.get(params::ipc_timeout)),
      log_form(
          mail::parse_log_form(c.get(params::info_log_address_format)).value_or(mail::LogForm::external)),
      in_flow_delay(c.get(params::in_flow_delay)),
      in_flow_limit(static_cast<size_t>(c.get(params::default_process_limit)) * kWaitingPerProcess),
      attribute_limit(static_cast<size_t>(c.get(params::queue_file_attribute_count_limit))),
      duplicate_filter_limit(static_cast<size_t>(c.get(params::duplicate_filter_limit))),
      enable_original_recipient(c.get(params::enable_original_recipient)),
      empty_recipient(c.get(params::empty_address_recipient)),
      delay_warning_time(c.get(params::delay_warning_time)),
      always_bcc(c.get(params::always_bcc)),
      remote_header_rewrite_domain(c.get(params::remote_header_rewrite_domain)),
      virtual_expansion_limit(static_cast<size_t>(c.get(params::virtual_alias_expansion_limit))),
      virtual_recursion_limit(static_cast<size_t>(c.get(params::virtual_alias_recursion_limit))),
      virtual_address_length_limit(static_cast<size_t>(c.get(params::virtual_alias_address_length_limit))),
      recipient_delimiter(c.get(params::recipient_delimiter)),
      owner_request_special(c.get(params::owner_request_special)),
      double_bounce_sender(c.get(params::double_bounce_sender)),
      canonical(parse_classes(c, "canonical_classes", c.get(params::canonical_classes))),
      sender_canonical(parse_classes(c, "sender_canonical_classes", c.get(params::sender_canonical_classes))),
      recipient_canonical(
          parse_classes(c, "recipient_canonical_classes", c.get(params::recipient_canonical_classes))),
      masquerade(parse_classes(c, "masquerade_classes", c.get(params::masquerade_classes))),
      masquerade_domains(words(c.get(params::masquerade_domains))),
      address_token_limit(static_cast<size_t>(c.get(params::header_address_token_limit))),
      message_size_limit(c.get(params::message_size_limit)),
      line_length_limit(static_cast<size_t>(c.get(params::line_length_limit))),
      header_size_limit(static_cast<size_t>(c.get(params::header_size_limit))),
      hopcount_limit(c.get(params::hopcount_limit)),
      always_add_missing_headers(c.get(params::always_add_missing_headers)),
      undisclosed_recipients_header(c.get(params::undisclosed_recipients_header)),
      from_format(
          mail::parse_from_format(c.get(params::header_from_format)).value_or(mail::FromFormat::standard)),
      full_name_charset(c.get(params::full_name_encoding_charset)),
      body_check_limit(static_cast<size_t>(c.get(params::body_checks_size_limit))),
      convert_mime(c.get(params::force_mime_input_conversion)),
      detect_eight_bit_header(c.get(params::detect_8bit_encoding_header)),
      replace_stray_cr_lf(c.get(params::cleanup_replace_stray_cr_lf)),
      non_empty_end(parse_non_empty_end(c.get(params::non_empty_end_of_header_action))),
      reject_characters(unescaped(c.get(params::message_reject_characters))),
      strip_characters(unescaped(c.get(params::message_strip_characters))),
      tls_required_header(c.get(params::tls_required_enable)),
      requiretls_header(c.get(params::requiretls_enable) && c.get(params::requiretls_esmtp_header)) {
  auto propagate = word_set(c.get(params::propagate_unmatched_extensions));
  propagate_canonical = propagate.contains("canonical");
  propagate_virtual = propagate.contains("virtual");
  for (std::string& name : words(c.get(params::message_drop_headers))) {
    if (const mail::HeaderInfo* known = mail::find_header(name)) {
      drop_types.set(static_cast<size_t>(known->type));
    } else {
      drop_names.insert(std::move(name));
    }
  }
  plain_mime.parse_mime = !c.get(params::disable_mime_input_processing);
  plain_mime.downgrade = convert_mime;
  plain_mime.header_size_limit = header_size_limit;
  plain_mime.boundary_length_limit = static_cast<size_t>(c.get(params::mime_boundary_length_limit));
  plain_mime.nesting_limit = static_cast<size_t>(c.get(params::mime_nesting_limit));
  plain_mime.report_non_empty_end = non_empty_end == NonEmptyEnd::add_header;
  mime = judging_options(c, plain_mime);
  if (convert_mime && !plain_mime.parse_mime) {
    throw config::ConfigError(
        "force_mime_input_conversion = yes and disable_mime_input_processing = yes contradict each other",
        c.source("force_mime_input_conversion"), "set one of them to \"no\"");
  }
}

}  // namespace postrider::cleanup
