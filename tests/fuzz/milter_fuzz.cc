// What a mail filter says: the answer to an offer, and packets at the end of a message.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "log/log.h"
#include "milter/content.h"
#include "milter/filter.h"
#include "milter/negotiation.h"
#include "milter/reply_text.h"

using namespace postrider;
using namespace postrider::milter;

namespace {

/// Packets from bytes, as a connection would bring them.
class Bytes : public Channel {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}
  Result<void> send(std::string_view, Deadline) override { return {}; }
  Result<void> flush(Deadline) override { return {}; }
  Result<Packet> receive(Deadline) override {
    if (rest_.size() < kPacketHeader) return fail(ErrorKind::closed, "");
    uint32_t length = TRY(packet_length(rest_.substr(0, kPacketHeader)));
    rest_.remove_prefix(kPacketHeader);
    if (rest_.size() < length) return fail(ErrorKind::closed, "");
    Packet out{rest_.front(), std::string(rest_.substr(1, length - 1))};
    rest_.remove_prefix(length);
    return out;
  }

 private:
  std::string_view rest_;
};

class Nothing : public Content, public Editor {
 public:
  const std::vector<std::string_view> headers() override { return {"Subject: a"}; }
  void rewind_body() override { left_ = 1; }
  Result<std::string_view> body_piece() override { return left_-- > 0 ? "a\r\n" : ""; }
  Goes add_header(std::string_view header) override {
    return header.find(':') != std::string_view::npos || (abort(), false);
  }
  Goes insert_header(uint32_t, std::string_view header) override { return add_header(header); }
  Goes change_header(uint32_t, std::string_view, std::string_view) override { return true; }
  Goes add_recipient(std::string_view address, std::string_view) override {
    return address.find('\0') == std::string_view::npos || (abort(), false);
  }
  Goes delete_recipient(std::string_view address) override { return add_recipient(address, {}); }
  Goes change_sender(std::string_view address, std::string_view) override {
    return add_recipient(address, {});
  }
  Goes replace_body(std::string_view piece) override { return piece.size() < kMaxPacket || (abort(), false); }
  void end_of_edits() override {}

 private:
  int left_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = (log::set_test_sink([](log::Severity, std::string_view) {}), true);
  (void)quiet;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (auto agreement = read_agreement({'O', std::string(input)}, {}); agreement && agreement->version > 6)
    abort();
  if (auto reply = parse_reply(input); reply && reply_lines(*reply).empty()) abort();
  Snapshot snapshot;
  snapshot.endpoint = "inet:fuzz";
  snapshot.default_action = "reject";
  snapshot.content_timeout = seconds(1);
  snapshot.steps = size > 0 ? data[0] : 0U;
  MacroDefaults defaults;
  Filter filter(std::move(snapshot), std::make_unique<Bytes>(input), defaults);
  Nothing nothing;
  MacroValues none = [](std::string_view) { return std::string(); };
  (void)filter.command(Event::mail, {}, none);
  (void)filter.message(nothing, nothing, none);
  filter.abort();
  (void)filter.command(Event::mail, {}, none);
  return 0;
}
