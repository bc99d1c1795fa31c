#include "pipe/arguments.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "config/macro.h"
#include "log/log.h"
#include "mail/address_parts.h"
#include "mail/quote.h"

namespace postrider::pipe {

namespace {

constexpr std::array<std::string_view, 6> kRecipientNames = {
    "recipient", "original_recipient", "user", "extension", "mailbox", "domain"};
constexpr size_t kMaxArguments = 100'000;

/// An address as the flags h, u and q want it.
std::string styled(const AddressStyle& style, std::string_view address) {
  std::string local(mail::localpart_of(address));
  std::string domain(address.substr(local.size()));
  if (style.fold_localpart) local = casefold(local);
  if (style.fold_domain) domain = casefold(domain);
  std::string out = local + domain;
  return style.quote ? mail::quote_822_local(out) : out;
}

/// The names that depend on the message alone.
class MessageNames {
 public:
  MessageNames(const Attributes& attributes, const proto::DeliverRequest& request)
      : attributes_(attributes), request_(request) {}

  std::optional<std::string> find(std::string_view name) const {
    const proto::DeliverRequest& r = request_;
    if (name == "sender") return sender();
    if (name == "nexthop")
      return attributes_.addresses.fold_domain ? casefold(r.nexthop) : std::string(r.nexthop);
    if (name == "size") return std::to_string(r.data_size);
    if (name == "queue_id") return r.queue_id;
    if (name == "envid") return r.dsn_envid;
    if (name == "client_address") return r.client_address;
    if (name == "client_helo") return r.client_helo;
    if (name == "client_hostname") return r.client_name;
    if (name == "client_port") return r.client_port;
    if (name == "client_protocol") return r.client_protocol;
    if (name == "sasl_method") return r.sasl_method;
    if (name == "sasl_username") return r.sasl_username;
    if (name == "sasl_sender") return r.sasl_sender;
    return std::nullopt;
  }

 private:
  std::string sender() const {
    std::string out = sender_for(attributes_, request_.sender);
    return out.empty() || !attributes_.addresses.quote ? out : mail::quote_822_local(out);
  }

  const Attributes& attributes_;
  const proto::DeliverRequest& request_;
};

/// The names that depend on the recipient.
class RecipientNames {
 public:
  RecipientNames(const Attributes& attributes, const proto::DeliveryRecipient& recipient)
      : style_(attributes.addresses), recipient_(recipient) {
    AddressStyle parts = style_;
    parts.quote = false;
    std::string address = styled(parts, recipient.address);
    if (!mail::has_domain(address)) log::warning("no @ in recipient address: {}", printable(address));
    mailbox_ = user_ = mail::localpart_of(address);
    domain_ = mail::domain_of(address);
    mail::DelimiterRules rules{.delimiters = attributes.recipient_delimiter,
                               .owner_request_special = attributes.owner_request_special};
    if (auto divided = mail::split_extension(mailbox_, rules)) {
      extension_ = divided->extension;
      user_ = std::string(divided->user);
    }
  }

  std::optional<std::string> find(std::string_view name) const {
    if (name == "recipient") return styled(style_, recipient_.address);
    if (name == "original_recipient") return styled(style_, recipient_.original);
    if (name == "user") return user_;
    if (name == "extension") return extension_;
    if (name == "mailbox") return mailbox_;
    if (name == "domain") return domain_;
    return std::nullopt;
  }
  const std::string& user() const { return user_; }

 private:
  const AddressStyle& style_;
  const proto::DeliveryRecipient& recipient_;
  std::string user_, extension_, mailbox_, domain_;
};

/// What stands in brackets behind a dollar sign and is no name: conditions, as in ${name?text}, are for
/// main.cf.
std::string_view unusual_name(std::string_view argument) {
  for (size_t at = 0; (at = argument.find('$', at)) != std::string_view::npos; ++at) {
    if (++at == argument.size()) break;
    if (argument[at] != '{' && argument[at] != '(') continue;
    char open = argument[at], close = open == '{' ? '}' : ')';
    int depth = 0;
    size_t end = at;
    do {
      if (argument[end] == open) ++depth;
      if (argument[end] == close) --depth;
      ++end;
    } while (depth > 0 && end < argument.size());
    std::string_view name = argument.substr(at + 1, end - at - 2);
    if (!std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '_'; })) return name;
  }
  return {};
}

/// Which names an argument has.
struct Uses {
  bool recipient = false;
  bool user = false;
  std::string unknown;
};

Result<Uses> uses_of(const std::string& argument, const MessageNames& message) {
  Uses out;
  out.unknown = unusual_name(argument);
  if (!out.unknown.empty()) return out;
  auto expanded = config::expand_macros(argument, [&](std::string_view name) -> std::optional<std::string> {
    if (std::find(kRecipientNames.begin(), kRecipientNames.end(), name) != kRecipientNames.end()) {
      out.recipient = true;
      if (name == "user") out.user = true;
      return "x";
    }
    if (!message.find(name) && out.unknown.empty()) out.unknown = name;
    return "x";
  });
  if (!expanded) return std::unexpected(std::move(expanded).error());
  return out;
}

}  // namespace

std::string sender_for(const Attributes& attributes, const std::string& sender) {
  return sender.empty() ? attributes.null_sender : sender;
}

Result<std::vector<std::string>> expand_arguments(const Attributes& attributes,
                                                  const proto::DeliverRequest& request) {
  MessageNames message(attributes, request);
  std::vector<RecipientNames> recipients;
  std::vector<std::string> out;
  for (const std::string& argument : attributes.argv) {
    Uses uses = TRY(uses_of(argument, message));
    if (!uses.unknown.empty()) {
      return fail(ErrorKind::invalid,
                  fmt::format("service {}: unknown macro name: \"{}\"", attributes.service, uses.unknown));
    }
    if (!uses.recipient) {
      auto lookup = [&](std::string_view name) { return message.find(name); };
      out.push_back(TRY(config::expand_macros(argument, lookup)).text);
      continue;
    }
    if (recipients.empty()) {
      for (const auto& recipient : request.recipients)
        recipients.emplace_back(attributes, recipient);
    }
    for (const RecipientNames& recipient : recipients) {
      // Mail for "+box" belongs to nobody in particular: a command that takes users gets none.
      if (uses.user && recipient.user().empty()) continue;
      auto lookup = [&](std::string_view name) {
        auto value = recipient.find(name);
        return value ? value : message.find(name);
      };
      out.push_back(TRY(config::expand_macros(argument, lookup)).text);
      if (out.size() > kMaxArguments) return fail(ErrorKind::limit, "too many arguments");
    }
  }
  return out;
}

}  // namespace postrider::pipe
