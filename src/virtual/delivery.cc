#include "virtual/delivery.h"

#include <limits>

#include <fmt/format.h>

#include "base/casefold.h"
#include "base/text.h"
#include "log/log.h"
#include "mail/quote.h"
#include "mailbox/failure.h"
#include "mailbox/maildir.h"
#include "mailbox/mbox.h"

namespace postrider::virtual_mailbox {

namespace {

/// Nobody but the administrator can do something about a mailbox here: mail waits for that.
constexpr mail::StatusCode kFallback = "4.2.0";

}  // namespace

Result<std::optional<std::string>> Delivery::look_up(const table::Maps& maps,
                                                     const std::string& address) const {
  table::AddressContext context{.extensions = {.delimiters = settings_.recipient_delimiter,
                                               .owner_request_special = settings_.owner_request_special},
                                .is_local = {},
                                .key_form = [](std::string_view key) { return mail::quote_822_local(key); }};
  table::AddressSearch search{.localpart_if_local = false};
  auto found =
      TRY(table::find_address(maps, address, search, context, Deadline::after(settings_.ipc_timeout)));
  if (!found) return std::nullopt;
  return std::move(found->value);
}

mail::DeliveryStatus Delivery::deliver(const proto::DeliveryRecipient& recipient) {
  const std::string& address = recipient.address;
  auto mailbox = look_up(tables_.mailboxes, address);
  if (!mailbox) {
    log::warning("table {}: lookup {}: {}", tables_.mailboxes.parameter(), printable(address),
                 mailbox.error().text);
    return mailbox::misconfigured("4.3.5");
  }
  if (!*mailbox)
    return mailbox::failed("5.1.1", fmt::format("unknown user: \"{}\"", printable(casefold(address))));
  auto identity = identity_of(address);
  if (!identity) return std::move(identity).error();
  return deliver_to(settings_.mailbox_base + "/" + **mailbox, *identity, recipient);
}

std::expected<uint32_t, mail::DeliveryStatus> Delivery::id_of(const table::Maps& maps,
                                                              const std::string& address, int64_t minimum,
                                                              const char* what) const {
  auto text = look_up(maps, address);
  // What is wrong with a table that fails is in the log already.
  if (!text || !*text) {
    log::warning("recipient {}: not found in {}", printable(address), maps.parameter());
    return std::unexpected(mailbox::misconfigured("4.3.5"));
  }
  auto id = parse_int(**text);
  if (!id || *id < minimum || *id > std::numeric_limits<int32_t>::max()) {
    log::warning("recipient {}: bad {} {} in {}", printable(address), what, printable(**text),
                 maps.parameter());
    return std::unexpected(mailbox::misconfigured("4.3.5"));
  }
  return static_cast<uint32_t>(*id);
}

std::expected<mailbox::Identity, mail::DeliveryStatus> Delivery::identity_of(
    const std::string& address) const {
  if (settings_.rootless) return settings_.self;
  auto uid = id_of(tables_.uids, address, settings_.minimum_uid, "uid");
  if (!uid) return std::unexpected(std::move(uid).error());
  auto gid = id_of(tables_.gids, address, 1, "gid");
  if (!gid) return std::unexpected(std::move(gid).error());
  return mailbox::Identity{*uid, *gid};
}

mail::DeliveryStatus Delivery::deliver_to(const std::string& path, mailbox::Identity as,
                                          const proto::DeliveryRecipient& recipient) {
  bool maildir = path.ends_with('/');
  if ((job_.request.flags & (proto::kDeliverVerifyOnly | proto::kDeliverUpdateVerify)) != 0) {
    return mailbox::delivered(maildir ? "delivers to maildir" : "delivers to mailbox");
  }
  mailbox::Message message{
      .file = job_.file.get(),
      .data_offset = job_.request.data_offset,
      .sender = job_.request.sender,
      .original_recipient = settings_.original_to ? std::string(recipient.original) : std::string(),
      .delivered_to = recipient.address,
      .damaged = &damaged_};
  mail::DeliveryStatus status;
  if (maildir) {
    status = mailbox::deliver_to_maildir(
        message, {.path = path, .as = as, .size_limit = settings_.mailbox_limit, .fallback = kFallback});
    if (status.status.is_success()) status.reason = "delivered to maildir";
    return status;
  }
  mailbox::MboxTarget target{.path = path, .locks = settings_.locks, .open_as = as, .write_as = as};
  target.size_limit = settings_.mailbox_limit;
  target.fallback = kFallback;
  if (settings_.strict_mailbox_ownership) target.required_owner = as.uid;
  status = mailbox::append_to_mbox(message, target).status;
  status.reason = status.status.is_success()
                      ? "delivered to mailbox"
                      : fmt::format("delivery failed to mailbox {}: {}", path, status.reason);
  return status;
}

}  // namespace postrider::virtual_mailbox
