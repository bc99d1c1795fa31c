#include "tools/sendmail/submit.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "mail/address.h"
#include "maildrop/submission.h"
#include "queue/envelope.h"
#include "sys/user.h"
#include "tools/sendmail/header_recipients.h"

namespace postrider::sendmail {

using queue::RecordType;

namespace attribute = queue::attribute;

namespace {

/// The addresses in an argument, in internal form. Text without any stands for the null address.
std::vector<std::string> addresses_in(std::string_view text) {
  mail::TokenList list = mail::parse_address_list(text);
  std::vector<std::string> out;
  for (const mail::Token* address : mail::addresses_of(std::as_const(list))) {
    out.push_back(mail::internal_address(*address));
  }
  if (out.empty()) out.emplace_back();
  return out;
}

class Submission {
 public:
  Submission(const CommandLine& line, const Limits& limits, Outlet& outlet)
      : line_(line), limits_(limits), outlet_(outlet) {}

  void envelope(const Caller& caller, const std::string& sender) {
    if (line_.send_options != 0) attribute(maildrop::kSendOptions, line_.send_options);
    if (!line_.envelope_id.empty()) attribute(attribute::kEnvelopeId, line_.envelope_id);
    if (line_.ret != 0) attribute(attribute::kReturn, line_.ret);
    attribute(attribute::kRewriteContext, line_.rewrite_context);
    const std::string& full_name = line_.full_name ? *line_.full_name : caller.full_name;
    if (line_.full_name || !full_name.empty()) outlet_.put(RecordType::full_name, full_name);
    outlet_.put(RecordType::sender, sender);
    if (!line_.encoding.empty()) attribute(attribute::kEncoding, line_.encoding);
    if (line_.trace_flags != 0) attribute(attribute::kTraceFlags, line_.trace_flags);
    if (!line_.verp_delimiters.empty()) outlet_.put(RecordType::verp, line_.verp_delimiters);
    for (const std::string& argument : line_.recipients) {
      for (const std::string& address : addresses_in(argument))
        recipient(address);
    }
    outlet_.put(RecordType::message, "");
  }

  void probe(const std::string& sender) {
    if (!sender.empty()) text("From: " + sender);
    text("Subject: probe");
    text_part("To:");
    for (size_t i = 0; i < line_.recipients.size(); ++i) {
      text(fmt::format("\t{}{}", line_.recipients[i], i + 1 < line_.recipients.size() ? "," : ""));
    }
    outlet_.put(RecordType::extracted, "");
  }

  Result<void> content(Input& input) {
    if (line_.recipients_from_header) return content_and_recipients(input);
    while (auto piece = TRY(next_piece(input)))
      put_piece(piece->text, piece->ends_line);
    outlet_.put(RecordType::extracted, "");
    return {};
  }

  size_t recipients() const { return recipients_; }

 private:
  static Result<std::optional<Piece>> next_piece(Input& input) {
    auto piece = input.next();
    if (!piece) piece.error().text = "error reading input: " + piece.error().text;
    return piece;
  }

  Result<void> content_and_recipients(Input& input) {
    HeaderRecipients header(limits_.header_size, limits_.line_length,
                            [this](std::string_view text, bool ends_line) { put_piece(text, ends_line); });
    auto check = [&header]() -> Result<void> {
      if (!header.problem()) return {};
      return fail(ErrorKind::invalid, "unable to extract recipients: " + *header.problem());
    };
    while (auto piece = TRY(next_piece(input))) {
      header.put(piece->text, piece->ends_line);
      TRY(check());
    }
    header.finish();
    TRY(check());
    outlet_.put(RecordType::extracted, "");
    for (const std::string& address : header.addresses())
      recipient(address);
    return {};
  }

  void put_piece(std::string_view text, bool ends_line) {
    outlet_.put(ends_line ? RecordType::text : RecordType::text_part, text);
  }
  void text(std::string_view line) {
    while (line.size() > limits_.line_length) {
      text_part(line.substr(0, limits_.line_length));
      line.remove_prefix(limits_.line_length);
    }
    outlet_.put(RecordType::text, line);
  }
  void text_part(std::string_view part) { outlet_.put(RecordType::text_part, part); }

  template <typename Value>
  void attribute(std::string_view name, const Value& value) {
    outlet_.put(RecordType::attribute, fmt::format("{}={}", name, value));
  }

  void recipient(const std::string& address) {
    if (line_.notify != 0) attribute(attribute::kNotify, line_.notify);
    outlet_.put(RecordType::recipient, address);
    ++recipients_;
  }

  const CommandLine& line_;
  const Limits& limits_;
  Outlet& outlet_;
  size_t recipients_ = 0;
};

}  // namespace

std::string full_name_of(std::string_view comment, std::string_view login) {
  std::string out;
  for (char c : comment) {
    if (c == ',' || c == ';' || c == '%') break;
    if (c != '&') {
      out += c;
    } else if (!login.empty()) {
      out += to_upper(login[0]);
      out += login.substr(1);
    }
  }
  return out;
}

Caller find_caller() {
  Caller caller{.uid = getuid()};
  auto user = sys::find_user(caller.uid);
  if (user && *user) {
    caller.login = (*user)->name;
    caller.full_name = full_name_of((*user)->full_name, caller.login);
  }
  if (const char* name = std::getenv("NAME"); name != nullptr && *name != '\0') caller.full_name = name;
  return caller;
}

Result<Sender> envelope_sender(const CommandLine& line, const Caller& caller) {
  if (!line.sender) {
    if (!caller.login.empty()) return Sender{caller.login, std::nullopt};
    return fail(ErrorKind::not_found, fmt::format("no login name found for user ID {}", caller.uid));
  }
  std::vector<std::string> addresses = addresses_in(*line.sender);
  Sender sender{std::move(addresses.front()), std::nullopt};
  if (addresses.size() > 1) {
    sender.warning = fmt::format("-f option specified malformed sender: {}", *line.sender);
  }
  return sender;
}

Result<void> submit(const CommandLine& line, const Caller& caller, const std::string& sender,
                    const Limits& limits, Input& input, Outlet& outlet) {
  if (!line.verp_delimiters.empty() && sender.empty()) {
    return fail(ErrorKind::invalid, "-V option requires non-null sender address");
  }
  Submission submission(line, limits, outlet);
  submission.envelope(caller, sender);
  if ((line.trace_flags & maildrop::kTraceVerifyOnly) != 0) {
    submission.probe(sender);
  } else {
    TRY(submission.content(input));
  }
  if (submission.recipients() > 0) return {};
  return fail(ErrorKind::invalid,
              line.recipients_from_header
                  ? "No recipient addresses found in message header"
                  : "Recipient addresses must be specified on the command line or via the -t option");
}

}  // namespace postrider::sendmail
