#include "cleanup/envelope.h"

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "base/casefold.h"
#include "queue/envelope.h"

namespace postrider::cleanup {

using queue::RecordType;
namespace names = queue::attribute;

void Envelope::record(const queue::Record& record) {
  if (state_.failed()) return;
  switch (record.type) {
    case RecordType::size:  // Written again when the sizes are known.
    case RecordType::create_time:
    case RecordType::warn_time:
      return;
    case RecordType::arrival_time: {
      size_t space = record.data.find(' ');
      state_.arrival_seconds = parse_int(record.data.substr(0, space)).value_or(state_.writer.created().seconds);
      state_.writer.append(RecordType::arrival_time, record.data);
      state_.writer.append(RecordType::attribute,
                           fmt::format("{}={}", names::kCreateTime, state_.writer.created().seconds));
      return;
    }
    case RecordType::full_name:
      state_.full_name = record.data;
      state_.writer.append(record.type, record.data);
      return;
    case RecordType::sender:
      return sender(record.data);
    case RecordType::recipient:
      return recipient(record.data);
    case RecordType::original_recipient:
      notes_.original = record.data;
      return;
    case RecordType::done:
      notes_ = {};
      return;
    case RecordType::filter:
      state_.filter = record.data;
      return;
    case RecordType::redirect:
      state_.redirect = record.data;
      return;
    case RecordType::flags:
      return;
    case RecordType::attribute:
      return attribute(record);
    case RecordType::verp:
      if (!state_.sender || state_.sender->empty()) return;
      state_.writer.append(record.type, record.data);
      return;
    default:
      state_.writer.append(record.type, record.data);
  }
}

void Envelope::attribute(const queue::Record& record) {
  auto parsed = queue::parse_attribute(record.data);
  if (!parsed) {
    log::warning("{}: message rejected: {}", state_.id(), parsed.error().text);
    return state_.fail(proto::kProblemBad);
  }
  auto [name, value] = *parsed;
  if (name == names::kNotify) {
    notes_.notify = static_cast<unsigned>(parse_unsigned(value).value_or(0)) & 15;
    return;
  }
  if (name == names::kDsnOriginal) {
    notes_.dsn_original = value;
    return;
  }
  if (name == names::kCreateTime) return;
  if (name == names::kRewriteContext) {
    // Headers of outsiders are left alone, unless the administrator gave a domain to complete them with.
    state_.header_context = value == "local" || !state_.settings.remote_header_rewrite_domain.empty() ? value : "";
  }
  if (name == names::kLogMessageOrigin) state_.origin = value;
  state_.writer.append(RecordType::attribute, record.data);
}

void Envelope::sender(std::string_view address) {
  if (state_.sender) {
    log::warning("{}: message rejected: multiple envelope sender records", state_.id());
    return state_.fail(proto::kProblemBad);
  }
  auto mapped = state_.mapper.map(address, Role::envelope_sender, "local", state_.uses_maps(), service_deadline(state_));
  if (!mapped) return state_.fail(mapped.error());
  if (!is_all_ascii(*mapped)) state_.send_options |= queue::kSmtputf8Sender;
  state_.writer.append(RecordType::sender, *mapped);
  state_.sender = std::move(*mapped);
}

void Envelope::write_warn_time() {
  if (std::exchange(warn_time_written_, true) || state_.settings.delay_warning_time.count() == 0) return;
  state_.writer.append(RecordType::warn_time,
                       fmt::format("{:>15}", state_.arrival_seconds + state_.settings.delay_warning_time.count()));
}

void Envelope::recipient(std::string_view address) {
  if (!state_.sender) {
    log::warning("{}: message rejected: envelope recipient precedes envelope sender", state_.id());
    return state_.fail(proto::kProblemBad);
  }
  write_warn_time();
  RecipientNotes notes = std::exchange(notes_, {});
  if (notes.original.empty()) notes.original = address;
  if (notes.dsn_original.empty()) {
    notes.dsn_original = (is_all_ascii(notes.original) ? "rfc822;" : "utf-8;") + notes.original;
  }
  auto mapped =
      state_.mapper.map(address, Role::envelope_recipient, "local", state_.uses_maps(), service_deadline(state_));
  if (!mapped) return state_.fail(mapped.error());
  if (!state_.uses_maps()) return write_recipient(*mapped, notes);
  auto expanded = state_.mapper.expand(*mapped, service_deadline(state_));
  if (!expanded) return state_.fail(expanded.error());
  for (const std::string& result : *expanded) write_recipient(result, notes);
}

void Envelope::write_recipient(const std::string& address, const RecipientNotes& notes) {
  const Settings& settings = state_.settings;
  const std::string original = settings.enable_original_recipient ? notes.original : address;
  // With original recipients kept, each of them gets its copy: Delivered-To and notices differ.
  std::string key = fmt::format("{}\n{}\n{}\n{}", notes.dsn_original, notes.notify, settings.enable_original_recipient ? original : "",
                                casefold(address));
  if (seen_.contains(key)) return;
  if (settings.duplicate_filter_limit == 0 || seen_.size() < settings.duplicate_filter_limit) seen_.insert(key);
  queue::MessageWriter& out = state_.writer;
  if (notes.notify != 0) out.append(RecordType::attribute, fmt::format("{}={}", names::kNotify, notes.notify));
  out.append(RecordType::attribute, fmt::format("{}={}", names::kDsnOriginal, notes.dsn_original));
  out.append(RecordType::original_recipient, original);
  out.append(RecordType::recipient, address);
  if (!is_all_ascii(address)) state_.send_options |= queue::kSmtputf8Recipient;
  state_.notify_bits |= notes.notify;
  ++state_.recipients;
}

void Envelope::end_of_envelope() {
  if (!state_.failed()) write_warn_time();
}

void Envelope::extracted(const queue::Record& r) {
  if (state_.failed()) return;
  record(r);
}

void Envelope::finish() {
  if (!state_.filter.empty()) state_.writer.append(RecordType::filter, state_.filter);
  if (!state_.redirect.empty()) state_.writer.append(RecordType::redirect, state_.redirect);
}

}  // namespace postrider::cleanup
