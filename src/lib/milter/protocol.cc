#include "milter/protocol.h"

#include <array>

#include <fmt/format.h>

namespace postrider::milter {

namespace {

/// What Postfix calls unreasonable.
constexpr uint32_t kUnreasonable = 0x3fffffff;

constexpr std::array<EventInfo, kEvents> kEventInfos{{
    {'C', "SMFIC_CONNECT", kNoConnect, kNoReplyConnect, 2},
    {'H', "SMFIC_HELO", kNoHelo, kNoReplyHelo, 2},
    {'M', "SMFIC_MAIL", kNoMail, kNoReplyMail, 2},
    {'R', "SMFIC_RCPT", kNoRcpt, kNoReplyRcpt, 2},
    {'T', "SMFIC_DATA", kNoData, kNoReplyData, 4},
    {'U', "SMFIC_UNKNOWN", kNoUnknown, kNoReplyUnknown, 3},
    {'L', "SMFIC_HEADER", kNoHeaders, kNoReplyHeader, 2},
    {'N', "SMFIC_EOH", kNoEndOfHeader, kNoReplyEndOfHeader, 2},
    {'B', "SMFIC_BODY", kNoBody, kNoReplyBody, 2},
    {'E', "SMFIC_BODYEOB", 0, 0, 2},
}};

struct ResponseName {
  Response response;
  std::string_view name;
};
constexpr ResponseName kResponseNames[] = {
    {Response::accept, "SMFIR_ACCEPT"},
    {Response::continue_, "SMFIR_CONTINUE"},
    {Response::discard, "SMFIR_DISCARD"},
    {Response::reject, "SMFIR_REJECT"},
    {Response::tempfail, "SMFIR_TEMPFAIL"},
    {Response::skip, "SMFIR_SKIP"},
    {Response::progress, "SMFIR_PROGRESS"},
    {Response::reply_code, "SMFIR_REPLYCODE"},
    {Response::shutdown, "SMFIR_SHUTDOWN"},
    {Response::connection_fail, "SMFIR_CONN_FAIL"},
    {Response::add_recipient, "SMFIR_ADDRCPT"},
    {Response::add_recipient_with_parameters, "SMFIR_ADDRCPT_PAR"},
    {Response::delete_recipient, "SMFIR_DELRCPT"},
    {Response::change_sender, "SMFIR_CHGFROM"},
    {Response::add_header, "SMFIR_ADDHEADER"},
    {Response::insert_header, "SMFIR_INSHEADER"},
    {Response::change_header, "SMFIR_CHGHEADER"},
    {Response::replace_body, "SMFIR_REPLBODY"},
    {Response::quarantine, "SMFIR_QUARANTINE"},
};

uint32_t read_u32(std::string_view bytes) {
  uint32_t out = 0;
  for (size_t i = 0; i < kPacketHeader; ++i)
    out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

}  // namespace

const EventInfo& info(Event event) {
  return kEventInfos[static_cast<size_t>(event)];
}

std::string_view response_name(char letter) {
  for (const ResponseName& known : kResponseNames) {
    if (static_cast<char>(known.response) == letter) return known.name;
  }
  return "(unknown filter reply)";
}

void append_u32(std::string& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(number >> shift & 0xff);
}

void append_packet(std::string& out, char letter, std::string_view data) {
  append_u32(out, static_cast<uint32_t>(data.size() + 1));
  out += letter;
  out += data;
}

void append_text(std::string& out, std::string_view text) {
  out += text.substr(0, text.find('\0'));
  out += '\0';
}

Result<uint32_t> packet_length(std::string_view header) {
  uint32_t length = read_u32(header);
  if (length == 0) return fail(ErrorKind::invalid, "bad packet length: 0");
  if (length > kMaxPacket) {
    return fail(ErrorKind::invalid,
                fmt::format("unreasonable packet length: {} > {}", length,
                            length > kUnreasonable ? kUnreasonable : static_cast<uint32_t>(kMaxPacket)));
  }
  return length;
}

Result<uint32_t> DataReader::u32() {
  if (rest_.size() < kPacketHeader)
    return fail(ErrorKind::invalid, "input packet too short for network long");
  uint32_t out = read_u32(rest_);
  rest_.remove_prefix(kPacketHeader);
  return out;
}

Result<std::string_view> DataReader::text() {
  if (rest_.empty()) return fail(ErrorKind::invalid, "packet too short for string");
  size_t end = rest_.find('\0');
  if (end == std::string_view::npos) return fail(ErrorKind::invalid, "missing string null terminator");
  std::string_view out = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return out;
}

std::string connect_data(const ClientAddress& client) {
  std::string out;
  append_text(out, client.host);
  if (client.address.empty()) return out += 'U';
  out += client.ipv6 ? '6' : '4';
  out += static_cast<char>(client.port >> 8);
  out += static_cast<char>(client.port & 0xff);
  append_text(out, client.address);
  return out;
}

std::string words_data(std::span<const std::string_view> words) {
  std::string out;
  for (std::string_view word : words)
    append_text(out, word);
  return out;
}

std::string header_data(std::string_view header, bool leading_space) {
  size_t colon = header.find(':');
  std::string out;
  append_text(out, header.substr(0, colon));
  std::string_view value = colon == std::string_view::npos ? std::string_view() : header.substr(colon + 1);
  if (!leading_space && !value.empty() && (value.front() == ' ' || value.front() == '\t'))
    value.remove_prefix(1);
  append_text(out, value);
  return out;
}

}  // namespace postrider::milter
