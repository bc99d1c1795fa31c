#include "cleanup/edits.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn_parameters.h"
#include "mail/header.h"
#include "mail/smtp_path.h"
#include "queue/envelope.h"

namespace postrider::cleanup {

using queue::RecordType;
namespace names = queue::attribute;

namespace {

constexpr std::string_view kBy = "Milter or header/body_checks";

bool is_named(std::string_view header, std::string_view name) {
  return equals_ignore_case(trim_right(header.substr(0, header.find(':'))), name);
}

/// "NAME=value" with this name.
std::optional<std::string_view> value_of(std::string_view parameter, std::string_view name) {
  if (!starts_with_ignore_case(parameter, name) || parameter.size() <= name.size() ||
      parameter[name.size()] != '=')
    return std::nullopt;
  return parameter.substr(name.size() + 1);
}

}  // namespace

Edits::Edits(MessageState& state, Recipients& recipients, AddressMapper& mapper, uint64_t content)
    : state_(state),
      recipients_(recipients),
      mapper_(mapper),
      judge_(state, mapper.tables().milter_checks, "milter-header-"),
      content_(content),
      filter_(state.filter),
      redirect_(state.redirect),
      bcc_(state.bcc.size()),
      tail_(state.marks.tail) {}

// --- reading ---

Result<void> Edits::open() {
  TRY(state_.writer.flush());
  queue::RecordReader reader(state_.writer.file(), content_, {.follow_pointers = false});
  body_ = state_.marks.body;
  return read_header(reader);
}

/// Physical lines up to the empty one become logical headers.
Result<void> Edits::read_header(queue::RecordReader& reader) {
  constexpr size_t kMaxHeaders = 32 * 1024 * 1024;
  std::string line;
  for (size_t total = 0;;) {
    auto record = TRY(reader.next());
    if (record) total += record->data.size();
    if (total > kMaxHeaders)
      return fail(ErrorKind::limit, "the headers are too large to be shown to mail filters");
    if (!record || record->offset >= state_.marks.separator || record->is(RecordType::extracted)) return {};
    if (record->is(RecordType::pointer)) continue;
    line += record->data;
    if (record->is(RecordType::text_part)) continue;
    if (!headers_.empty() && !line.empty() && (line.front() == ' ' || line.front() == '\t')) {
      headers_.back() += "\n" + line;
    } else {
      headers_.push_back(line);
    }
    line.clear();
  }
}

size_t Edits::own_received() const {
  auto own = std::ranges::find_if(headers_, [](const auto& header) { return is_named(header, "Received"); });
  return static_cast<size_t>(own - headers_.begin());
}

const std::vector<std::string_view> Edits::headers() {
  std::vector<std::string_view> out(headers_.begin(), headers_.end());
  if (size_t own = own_received(); own < out.size()) out.erase(out.begin() + static_cast<ptrdiff_t>(own));
  return out;
}

void Edits::rewind_body() {
  piece_.clear();
  rest_.clear();
  body_ended_ = false;
  if (!state_.writer.flush()) return state_.fail(proto::kProblemWrite);
  reader_.emplace(state_.writer.file(), body_, queue::RecordReader::Options{.follow_pointers = false});
  // The pointer in front of the first body.
  if (body_ == state_.marks.body && !reader_->next()) state_.fail(proto::kProblemWrite);
}

Result<std::string_view> Edits::body_piece() {
  piece_ = std::exchange(rest_, {});
  while (!body_ended_ && piece_.size() < milter::kBodyPiece) {
    auto record = TRY(reader_->next());
    body_ended_ = !record || record->is(RecordType::extracted) || record->is(RecordType::pointer);
    if (body_ended_) break;
    piece_ += record->data;
    if (record->is(RecordType::text)) piece_ += "\r\n";
  }
  if (piece_.size() > milter::kBodyPiece) {
    rest_ = piece_.substr(milter::kBodyPiece);
    piece_.resize(milter::kBodyPiece);
  }
  return piece_;
}

// --- headers ---

/// What header checks make of a header; nothing: it is not wanted.
std::optional<std::string> Edits::judged(std::string_view header) {
  if (!judge_.has_checks()) return std::string(header);
  Judge::Verdict verdict = judge_.header(mail::HeaderClass::primary, mail::find_header(header), header);
  if (verdict.drop) return std::nullopt;
  return verdict.instead ? std::move(*verdict.instead) : std::string(header);
}

/// No header is longer than header_size_limit.
std::string Edits::cut(std::string header) const {
  const size_t limit = state_.settings.header_size_limit;
  if (header.size() > limit) mail::truncate_header(header, limit);
  return header;
}

void Edits::insert(size_t place, std::string_view header) {
  auto text = judged(header);
  if (!text || !goes_on()) return;
  headers_.insert(headers_.begin() + static_cast<ptrdiff_t>(std::min(place, headers_.size())),
                  cut(std::move(*text)));
  headers_changed_ = true;
}

Edits::Goes Edits::add_header(std::string_view header) {
  insert(headers_.size(), header);
  return goes_on();
}

Edits::Goes Edits::insert_header(uint32_t index, std::string_view header) {
  insert(index, header);
  return goes_on();
}

/// Our own Received: does not count.
std::optional<size_t> Edits::find(uint32_t index, std::string_view name) const {
  const size_t own = own_received();
  for (size_t i = 0; i < headers_.size(); ++i) {
    if (i != own && is_named(headers_[i], name) && index-- == 1) return i;
  }
  return std::nullopt;
}

Edits::Goes Edits::change_header(uint32_t index, std::string_view name, std::string_view header) {
  auto place = find(index, name);
  if (header.empty()) {
    if (place) headers_.erase(headers_.begin() + static_cast<ptrdiff_t>(*place));
    headers_changed_ = headers_changed_ || place;
    return goes_on();
  }
  if (!place) return add_header(header);
  if (auto text = judged(header); text && goes_on()) {
    headers_[*place] = cut(std::move(*text));
    headers_changed_ = true;
  }
  return goes_on();
}

/// As cleanup's own headers: lines that continue begin with white space.
void Edits::put_header(std::string_view header) {
  if (!is_all_ascii(header)) {
    state_.send_options |= queue::kSmtputf8Header;
    if (state_.has(proto::kCleanupAutoUtf8)) state_.send_options |= queue::kSmtputf8Requested;
  }
  bool first = true;
  for (std::string_view line : split_each(header, '\n')) {
    std::string text(line);
    if (!std::exchange(first, false) && (text.empty() || (text[0] != ' ' && text[0] != '\t')))
      text.insert(0, "\t");
    std::string_view rest = text;
    for (size_t limit = state_.settings.line_length_limit; rest.size() > limit; rest.remove_prefix(limit))
      state_.put(RecordType::text_part, rest.substr(0, limit));
    state_.put(RecordType::text, rest);
  }
}

void Edits::write_headers() {
  const uint64_t place = state_.writer.position();
  for (const std::string& header : headers_)
    put_header(header);
  state_.writer.append_pointer(state_.marks.separator);
  state_.writer.patch_pointer(state_.marks.headers, place);
}

// --- the body ---

Edits::Goes Edits::replace_body(std::string_view piece) {
  if (!std::exchange(replacing_, true)) {
    body_ = state_.writer.position();
    new_body_size_ = 0;
    line_.clear();
  }
  const size_t limit = state_.settings.line_length_limit;
  for (;;) {
    size_t end = piece.find('\n');
    line_ += piece.substr(0, end);
    // A CR may belong to the line end that the next piece brings.
    while (line_.size() > limit + 1)
      put_body_line(false);
    if (end == std::string_view::npos) return goes_on();
    if (line_.ends_with('\r')) line_.pop_back();
    put_body_line(true);
    piece.remove_prefix(end + 1);
  }
}

void Edits::put_body_line(bool whole) {
  const size_t limit = state_.settings.line_length_limit;
  do {
    std::string_view part = std::string_view(line_).substr(0, limit);
    bool last = whole && part.size() == line_.size();
    state_.put(last ? RecordType::text : RecordType::text_part, part);
    line_.erase(0, part.size());
    if (last) return;
  } while (whole);
}

void Edits::end_of_edits() {
  if (std::exchange(replacing_, false)) {
    if (!line_.empty()) put_body_line(true);
    new_body_size_ = state_.writer.position() - body_;
    state_.writer.append_pointer(state_.marks.after_body);
  }
  for (Change& change : std::exchange(changes_, {}))
    carry_out(std::move(change));
}

// --- the envelope ---

/// The internal form of an address as filters write them. Of several the first counts, as with Postfix.
std::string Edits::address_of(std::string_view text) const {
  auto address = mail::parse_smtp_path(text, {.allow_empty = true});
  if (address) return std::move(*address);
  const mail::TokenList list = mail::parse_address_list(text, state_.settings.address_token_limit);
  const auto addresses = mail::addresses_of(list);
  return addresses.empty() ? std::string(text) : mail::internal_address(*addresses.front());
}

void Edits::begin_tail() {
  const uint64_t place = state_.writer.position();
  state_.writer.patch_pointer(tail_, place);
}

void Edits::end_tail() {
  tail_ = state_.writer.append_pointer(state_.marks.end);
}

Edits::Goes Edits::add_recipient(std::string_view text, std::string_view parameters) {
  std::string address = address_of(text);
  if (trim(text).empty() || address.empty()) {
    log::warning("{}: ignoring attempt from Milter to add null recipient", state_.id());
    return goes_on();
  }
  if (!mail::parse_smtp_path(text)) {
    log::warning("{}: {} request to add multi-recipient: \"{}\"", state_.id(), kBy, printable(text));
  }
  RecipientNotes notes;
  for (std::string_view parameter : split_any(parameters, " \t")) {
    std::string shown = printable(parameter);
    if (auto value = value_of(parameter, "NOTIFY")) {
      auto notify = mail::parse_notify(*value);
      if (notify) notes.notify = notify->bits();
      if (!notify) log::warning("{}: Bad NOTIFY parameter from {}: \"{}\"", state_.id(), kBy, shown);
    } else if (auto original = value_of(parameter, "ORCPT")) {
      auto parsed = mail::parse_orcpt(*original);
      if (parsed) notes.dsn_original = parsed->text();
      if (!parsed) log::warning("{}: Bad ORCPT parameter from {}: \"{}\"", state_.id(), kBy, shown);
    } else {
      log::warning("{}: ignoring ESMTP argument from {}: \"{}\"", state_.id(), kBy, shown);
    }
  }
  changes_.push_back({true, std::move(address), std::move(notes)});
  return goes_on();
}

void Edits::carry_out(Change change) {
  if (change.adds) {
    begin_tail();
    recipients_.add_for_filter(change.address, std::move(change.notes));
    return end_tail();
  }
  if (auto done = cancel(change.address); !done) {
    log::warning("{}: {}", state_.id(), done.error().text);
    state_.fail(proto::kProblemWrite);
  }
}

Edits::Goes Edits::delete_recipient(std::string_view text) {
  changes_.push_back({false, address_of(text), {}});
  return goes_on();
}

/// Takes back all recipients that the client, or a filter, has named so.
Result<void> Edits::cancel(std::string_view address) {
  TRY(state_.writer.flush());
  queue::RecordReader reader(state_.writer.file(), 0, {.follow_pointers = false});
  std::string original;
  bool has_original = false;
  for (;;) {
    auto record = TRY(reader.next());
    if (!record) return {};
    if (record->is(RecordType::message)) reader.seek(state_.marks.after_body);
    if (record->is(RecordType::original_recipient)) {
      original = record->data;
      has_original = true;
    }
    if (!record->is(RecordType::recipient)) continue;
    if (address == (std::exchange(has_original, false) ? std::string_view(original) : record->data)) {
      const char canceled = static_cast<char>(RecordType::canceled);
      recipients_.forget(record->data);
      state_.writer.patch(record->offset, {&canceled, 1});
    }
  }
}

Edits::Goes Edits::change_sender(std::string_view text, std::string_view parameters) {
  std::string address = mapper_.standard_form(state_, address_of(text));
  if (state_.has(proto::kCleanupMap))
    address = mapper_.map(state_, std::move(address), Role::envelope_sender);
  new_sender_ = std::move(address);
  for (std::string_view parameter : split_any(parameters, " \t")) {
    auto ret = value_of(parameter, "RET");
    auto id = value_of(parameter, "ENVID");
    auto returned = ret ? mail::parse_ret(*ret) : std::nullopt;
    auto decoded = id ? mail::parse_envid(*id) : std::nullopt;
    if (returned) new_return_ = fmt::format("{}", static_cast<int>(*returned));
    if (decoded) new_envelope_id_ = std::move(*decoded);
    if (!returned && !decoded) {
      log::warning("Ignoring bad ESMTP parameter \"{}\" in SMFI_CHGFROM request", printable(parameter));
    }
  }
  return goes_on();
}

void Edits::write_sender() {
  const uint64_t place = state_.writer.position();
  if (!is_all_ascii(*new_sender_)) {
    state_.send_options |= queue::kSmtputf8Sender;
    if (state_.has(proto::kCleanupAutoUtf8)) state_.send_options |= queue::kSmtputf8Requested;
  }
  state_.put(RecordType::sender, *new_sender_);
  if (new_return_) state_.put_attribute(names::kReturn, *new_return_);
  if (new_envelope_id_) state_.put_attribute(names::kEnvelopeId, *new_envelope_id_);
  state_.writer.append_pointer(state_.marks.after_sender);
  state_.writer.patch_pointer(state_.marks.sender, place);
  state_.sender = std::move(*new_sender_);
  begin_tail();
  recipients_.add_bcc_of_sender();
  end_tail();
}

/// What header checks have said about headers that filters wanted.
void Edits::write_judgement() {
  bool filter = state_.filter != filter_, redirect = state_.redirect != redirect_;
  if (!filter && !redirect && state_.bcc.size() == bcc_) return;
  begin_tail();
  // Behind recipients: all records have to be read to know the message.
  if (filter || redirect) state_.size_flags |= queue::kMixedRecipients;
  if (filter) state_.put(RecordType::filter, state_.filter);
  if (redirect) state_.put(RecordType::redirect, state_.redirect);
  for (size_t i = bcc_; i < state_.bcc.size(); ++i)
    recipients_.add_bcc(state_.bcc[i]);
  end_tail();
}

void Edits::finish() {
  write_judgement();
  if (new_sender_) write_sender();
  if (headers_changed_) write_headers();
  // The body last: of several new ones the last counts.
  if (new_body_size_) state_.writer.patch_pointer(state_.marks.body, body_);
}

}  // namespace postrider::cleanup
