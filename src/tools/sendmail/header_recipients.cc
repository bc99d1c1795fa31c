#include "tools/sendmail/header_recipients.h"

#include <utility>

#include "base/text.h"
#include "mail/address.h"

namespace postrider::sendmail {

namespace {

mail::MimeOptions parser_options(size_t header_size_limit) {
  mail::MimeOptions options;
  options.parse_mime = false;
  options.report_long_header = true;
  options.header_size_limit = header_size_limit;
  return options;
}

}  // namespace

HeaderRecipients::HeaderRecipients(size_t header_size_limit, size_t line_limit, Output output)
    : line_limit_(line_limit),
      output_(std::move(output)),
      parser_(parser_options(header_size_limit), *this) {}

void HeaderRecipients::put(std::string_view text, bool ends_line) {
  parser_.line(text, ends_line ? mail::LineEnd::here : mail::LineEnd::later);
}

void HeaderRecipients::finish() {
  parser_.finish();
}

void HeaderRecipients::header(mail::HeaderClass, const mail::HeaderInfo* known, std::string_view text) {
  if (known != nullptr && known->extract && known->recipient_addresses && (known->resent || !resent_)) {
    resent_ |= known->resent;
    mail::TokenList list = mail::parse_address_list(mail::header_value(text));
    auto& addresses = known->resent ? resent_addresses_ : addresses_;
    for (const mail::Token* address : mail::addresses_of(std::as_const(list))) {
      addresses.push_back(mail::internal_address(*address));
    }
  }
  for (std::string_view line : split_each(text, '\n'))
    write_line(line);
}

void HeaderRecipients::write_line(std::string_view line) {
  while (line.size() > line_limit_) {
    output_(line.substr(0, line_limit_), false);
    line.remove_prefix(line_limit_);
  }
  output_(line, true);
}

void HeaderRecipients::body(std::string_view text, mail::LineEnd end, size_t) {
  output_(text, end == mail::LineEnd::here);
}

void HeaderRecipients::problem(mail::MimeProblem problem, std::string_view) {
  if (!problem_) problem_ = std::string(mail::describe(problem).text);
}

}  // namespace postrider::sendmail
