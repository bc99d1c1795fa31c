// The mail filter protocol as bytes: what this side, the mail system, and a filter say to each other.
//
// A packet is a 32-bit length in network order, a letter, and data; the length counts the letter. Texts end
// with a null byte. The protocol belongs to Sendmail 8; versions 2, 3, 4 and 6 differ in which events there
// are, and in what is agreed on at the beginning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace postrider::milter {

/// Longest packet that is read. Filters send bodies in pieces of 64 kB.
inline constexpr size_t kMaxPacket = 512 * 1024;
/// Of this many bytes is a piece of a body that a filter gets.
inline constexpr size_t kBodyPiece = 65535;

/// What filters are told, in the order of a session.
enum class Event : unsigned char {
  connect,
  helo,
  mail,
  rcpt,
  data,
  unknown,
  header,
  end_of_header,
  body,
  end_of_message,
};
inline constexpr size_t kEvents = 10;

/// Letters of other packets that are sent.
inline constexpr char kNegotiate = 'O', kMacros = 'D', kAbort = 'A', kQuit = 'Q';

/// What a filter says; an enumerator's value is its letter.
enum class Response : unsigned char {
  accept = 'a',
  continue_ = 'c',
  discard = 'd',
  reject = 'r',
  tempfail = 't',
  skip = 's',
  progress = 'p',
  reply_code = 'y',
  shutdown = '4',
  connection_fail = 'f',
  negotiate = 'O',
  add_recipient = '+',
  add_recipient_with_parameters = '2',
  delete_recipient = '-',
  change_sender = 'e',
  add_header = 'h',
  insert_header = 'i',
  change_header = 'm',
  replace_body = 'b',
  quarantine = 'q',
};

/// Agreed steps: what a filter does not want to be told, what it does not answer, and so on.
enum Step : uint32_t {
  kNoConnect = 1 << 0,
  kNoHelo = 1 << 1,
  kNoMail = 1 << 2,
  kNoRcpt = 1 << 3,
  kNoBody = 1 << 4,
  kNoHeaders = 1 << 5,
  kNoEndOfHeader = 1 << 6,
  kNoReplyHeader = 1 << 7,
  kNoUnknown = 1 << 8,
  kNoData = 1 << 9,
  kSkip = 1 << 10,                ///< The filter may say "skip".
  kRejectedRecipients = 1 << 11,  ///< It hears of recipients that were refused.
  kNoReplyConnect = 1 << 12,
  kNoReplyHelo = 1 << 13,
  kNoReplyMail = 1 << 14,
  kNoReplyRcpt = 1 << 15,
  kNoReplyData = 1 << 16,
  kNoReplyUnknown = 1 << 17,
  kNoReplyEndOfHeader = 1 << 18,
  kNoReplyBody = 1 << 19,
  kLeadingSpace = 1 << 20,  ///< Header values keep the space behind the colon.
};
/// All modifications that a filter may ask for.
inline constexpr uint32_t kAllActions = 0x1ff;

/// What is known about an event.
struct EventInfo {
  char letter;
  std::string_view name;  ///< As log lines have it.
  uint32_t not_wanted;    ///< The step that switches it off; 0: there is none.
  uint32_t no_reply;      ///< The step that makes it one without an answer; 0: there is none.
  uint32_t since;         ///< The first version that has it.
};
const EventInfo& info(Event event);
/// "SMFIR_CONTINUE"; "(unknown filter reply)" for a letter that is none.
std::string_view response_name(char letter);

/// A packet that was received.
struct Packet {
  char letter = 0;
  std::string data;
};

/// Appends a packet.
void append_packet(std::string& out, char letter, std::string_view data);
void append_u32(std::string& out, uint32_t number);
/// Appends a text and the null byte behind it; the text ends where it has one itself.
void append_text(std::string& out, std::string_view text);

/// How long the packets' headers are, and what one says about the length of the rest. The error's text is a
/// log line without the filter's name.
inline constexpr size_t kPacketHeader = 4;
Result<uint32_t> packet_length(std::string_view header);

/// Reads the data of a packet; an error's text is a log line without the filter's name.
class DataReader {
 public:
  explicit DataReader(std::string_view data) : rest_(data) {}
  bool empty() const { return rest_.empty(); }
  Result<uint32_t> u32();
  /// Up to a null byte, which has to be there.
  Result<std::string_view> text();

 private:
  std::string_view rest_;
};

/// Where a client is, for Event::connect.
struct ClientAddress {
  std::string_view host;     ///< Its name, or "[address]".
  std::string_view address;  ///< Empty: not known.
  uint16_t port = 0;
  bool ipv6 = false;
};
std::string connect_data(const ClientAddress& client);
/// A command's address and its parameters, or the command itself.
std::string words_data(std::span<const std::string_view> words);
/// A logical header, "name: value". Without `leading_space` the one behind the colon goes.
std::string header_data(std::string_view header, bool leading_space);

}  // namespace postrider::milter
