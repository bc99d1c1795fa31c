#include "tools/postqueue/listing.h"

#include <ctime>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "base/time_text.h"

namespace postrider::postqueue {

namespace {

/// Where a reason, in parentheses, ends at the latest, so that short ones stand at the right.
constexpr int kReasonColumn = 76;

class TextListing : public Listing {
 public:
  explicit TextListing(bool long_ids) : long_ids_(long_ids) {}

  void add(const proto::QueueEntry& entry, std::string& out) override {
    if (!continues(entry)) head(entry, out);
    for (const proto::QueueRecipient& recipient : entry.recipients) {
      add_recipient(recipient, out);
    }
  }

  void end(std::string& out) override {
    if (messages_ == 0) {
      out += "Mail queue is empty\n";
      return;
    }
    out +=
        fmt::format("\n-- {} Kbytes in {} Request{}.\n", bytes_ / 1024, messages_, messages_ == 1 ? "" : "s");
  }

 private:
  void head(const proto::QueueEntry& entry, std::string& out) {
    if (messages_++ == 0) {
      out += long_ids_ ? "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
                       : "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n";
    } else {
      out += '\n';
    }
    reason_.clear();
    bytes_ += static_cast<uint64_t>(entry.size);
    std::string id = entry.queue_id;
    if (entry.forced_expire) id += '#';
    if (entry.queue_name == "active") id += '*';
    if (entry.queue_name == "hold") id += '!';
    std::string date = asctime_date(static_cast<time_t>(entry.arrival_time));
    if (long_ids_) {
      out += fmt::format("{:<17} {:>8} {:>19.19} {}\n", id, entry.size, date, std::string_view(entry.sender));
    } else {
      // The year would follow behind a space.
      out += fmt::format("{:<11} {:>7} {:>20.20} {}\n", id, entry.size, date, std::string_view(entry.sender));
    }
  }

  void add_recipient(const proto::QueueRecipient& recipient, std::string& out) {
    // A reason stands once above all recipients that share it.
    const std::string& reason =
        recipient.delay_reason.empty() ? recipient.bounce_reason : recipient.delay_reason;
    if (!reason.empty() && reason != reason_) {
      reason_ = reason;
      out.append(static_cast<size_t>(std::max(0, kReasonColumn - static_cast<int>(reason.size()))), ' ');
      out += fmt::format("({})\n", reason);
    }
    out += long_ids_ ? fmt::format("{:46} {}\n", "", std::string_view(recipient.address))
                     : fmt::format("{:40} {}\n", "", std::string_view(recipient.address));
  }

  bool long_ids_;
  uint64_t messages_ = 0, bytes_ = 0;
  std::string reason_;
};

/// `text` between quotes. It is UTF-8 already.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    constexpr std::string_view kPlain = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
    size_t known = kPlain.find(c);
    auto byte = static_cast<unsigned char>(c);
    if (known != kPlain.npos) {
      out += '\\';
      out += kLetters[known];
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

class JsonListing : public Listing {
 public:
  void add(const proto::QueueEntry& entry, std::string& out) override {
    if (!continues(entry)) head(entry, out);
    for (const proto::QueueRecipient& recipient : entry.recipients) {
      if (!std::exchange(first_, false)) out += ", ";
      out += fmt::format(R"({{"orig_address": {}, "address": {})", quoted(recipient.original),
                         quoted(recipient.address));
      if (!recipient.delay_reason.empty()) out += ", \"delay_reason\": " + quoted(recipient.delay_reason);
      if (!recipient.bounce_reason.empty()) out += ", \"bounce_reason\": " + quoted(recipient.bounce_reason);
      out += '}';
    }
    if (!entry.more) out += "]}\n";
  }

  void end(std::string&) override {}

 private:
  void head(const proto::QueueEntry& entry, std::string& out) {
    first_ = true;
    out += fmt::format(
        R"({{"queue_name": {}, "queue_id": {}, "arrival_time": {}, "message_size": {}, "forced_expire": {}, )"
        R"("sender": {}, "recipients": [)",
        quoted(entry.queue_name), quoted(entry.queue_id), entry.arrival_time, entry.size, entry.forced_expire,
        quoted(entry.sender));
  }

  bool first_ = true;
};

}  // namespace

std::unique_ptr<Listing> text_listing(bool long_ids) {
  return std::make_unique<TextListing>(long_ids);
}
std::unique_ptr<Listing> json_listing() {
  return std::make_unique<JsonListing>();
}

}  // namespace postrider::postqueue
