#include "tools/postqueue/selection.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include <fmt/format.h>

#include "base/encoding.h"

namespace postrider::postqueue {

namespace {

constexpr std::string_view kKeys[] = {"all",    "sender", "sender-domain", "recipient",
                                      "domain", "reason", "queue"};

/// More different values than this are counted as one.
constexpr size_t kMaxValues = 1'000'000;
constexpr std::string_view kRest = "(others)";

std::string_view domain_of(std::string_view address) {
  size_t at = address.rfind('@');
  return at == address.npos ? std::string_view() : address.substr(at + 1);
}

class Listed : public Selection {
 public:
  Listed(const Query& query, int64_t now, std::unique_ptr<Listing> listing)
      : Selection(query, now), listing_(std::move(listing)) {}

  void end(std::string& out) override {
    if (any_) listing_->end(out);
  }

 protected:
  void take(const proto::QueueEntry& entry, const MessageMatch&, std::string& out) override {
    any_ = true;
    listing_->add(entry, out);
  }

 private:
  std::unique_ptr<Listing> listing_;
  bool any_ = false;
};

class Named : public Selection {
 public:
  using Selection::Selection;
  void end(std::string&) override {}

 protected:
  void take(const proto::QueueEntry& entry, const MessageMatch&, std::string& out) override {
    if (!entry.more) out += fmt::format("{}\n", std::string_view(entry.queue_id));
  }
};

class Counted : public Selection {
 public:
  Counted(const Query& query, int64_t now, Key key, bool json)
      : Selection(query, now), key_(key), json_(json) {}

  void end(std::string& out) override {
    std::vector<std::pair<std::string_view, Numbers>> rows(numbers_.begin(), numbers_.end());
    std::ranges::sort(rows, [](const auto& a, const auto& b) {
      return a.second.messages != b.second.messages ? a.second.messages > b.second.messages
                                                    : a.first < b.first;
    });
    std::string_view name = kKeys[static_cast<size_t>(key_)];
    if (!json_ && !rows.empty() && key_ != Key::all)
      out += fmt::format("{:>10} {:>10} {:>12} {}\n", "messages", "recipients", "Kbytes", name);
    for (const auto& [value, numbers] : rows)
      out += json_ ? json_row(name, value, numbers) : text_row(value, numbers);
    if (rows.empty() && key_ == Key::all) out += json_ ? json_row(name, "", {}) : text_row("", {});
  }

 protected:
  void take(const proto::QueueEntry& entry, const MessageMatch& match, std::string&) override {
    bool first = !std::exchange(in_message_, entry.more);
    if (first) ++message_;
    for (const proto::QueueRecipient& recipient : entry.recipients)
      if (match.covers(recipient)) count(value_for(entry, recipient), entry.size, 1);
    // A message whose recipients are not known yet is one all the same.
    if (first && entry.recipients.empty() && !entry.more) {
      bool of_recipients = key_ == Key::recipient || key_ == Key::domain || key_ == Key::reason;
      count(of_recipients ? std::string_view() : value_for(entry, {}), entry.size, 0);
    }
  }

 private:
  struct Numbers {
    uint64_t messages = 0, recipients = 0, bytes = 0;
    uint64_t last_message = 0;  ///< So that a message counts once.
  };

  std::string_view value_for(const proto::QueueEntry& entry, const proto::QueueRecipient& recipient) const {
    switch (key_) {
      case Key::all:
        return "";
      case Key::sender:
        return std::string_view(entry.sender);
      case Key::sender_domain:
        return domain_of(std::string_view(entry.sender));
      case Key::recipient:
        return std::string_view(recipient.address);
      case Key::domain:
        return domain_of(std::string_view(recipient.address));
      case Key::reason: {
        std::string_view delay = recipient.delay_reason;
        return delay.empty() ? std::string_view(recipient.bounce_reason) : delay;
      }
      case Key::queue:
        return std::string_view(entry.queue_name);
    }
    return "";
  }

  void count(std::string_view value, int64_t size, uint64_t recipients) {
    std::string name =
        key_ == Key::sender_domain || key_ == Key::domain ? lowercase(value) : std::string(value);
    auto found = numbers_.find(name);
    if (found == numbers_.end()) {
      if (numbers_.size() >= kMaxValues) name = kRest;
      found = numbers_.try_emplace(std::move(name)).first;
    }
    Numbers& numbers = found->second;
    numbers.recipients += recipients;
    if (numbers.last_message == message_) return;
    numbers.last_message = message_;
    ++numbers.messages;
    numbers.bytes += static_cast<uint64_t>(std::max<int64_t>(size, 0));
  }

  std::string text_row(std::string_view value, const Numbers& numbers) const {
    constexpr uint64_t kKilobyte = 1024;
    if (key_ == Key::all) {
      return fmt::format("{} message{}, {} recipient{}, {} Kbytes\n", numbers.messages,
                         numbers.messages == 1 ? "" : "s", numbers.recipients,
                         numbers.recipients == 1 ? "" : "s", numbers.bytes / kKilobyte);
    }
    std::string_view empty = key_ == Key::sender ? "<>" : "-";
    return fmt::format("{:>10} {:>10} {:>12} {}\n", numbers.messages, numbers.recipients,
                       numbers.bytes / kKilobyte, value.empty() ? std::string(empty) : printable(value));
  }

  std::string json_row(std::string_view name, std::string_view value, const Numbers& numbers) const {
    std::string what =
        key_ == Key::all ? "" : fmt::format("{}: {}, ", json_quoted(name), json_quoted(printable(value)));
    return fmt::format("{{{}\"messages\": {}, \"recipients\": {}, \"bytes\": {}}}\n", what, numbers.messages,
                       numbers.recipients, numbers.bytes);
  }

  Key key_;
  bool json_;
  bool in_message_ = false;
  uint64_t message_ = 0;
  std::unordered_map<std::string, Numbers, TextHash, std::equal_to<>> numbers_;
};

}  // namespace

void Selection::add(const proto::QueueEntry& entry, std::string& out) {
  if (!match_) {
    match_.emplace(query_, now_);
    state_ = MessageMatch::State::open;
  }
  if (state_ == MessageMatch::State::open) {
    state_ = match_->add(entry);
    if (state_ == MessageMatch::State::open) {
      waiting_.push_back(entry);
    } else if (state_ == MessageMatch::State::matches) {
      for (const proto::QueueEntry& earlier : waiting_)
        take(earlier, *match_, out);
    }
  }
  if (state_ == MessageMatch::State::matches) take(entry, *match_, out);
  if (state_ != MessageMatch::State::open) waiting_.clear();
  if (!entry.more) match_.reset();
}

std::optional<Key> parse_key(std::string_view name) {
  auto found = std::ranges::find(kKeys, name);
  if (found == std::end(kKeys)) return std::nullopt;
  return static_cast<Key>(found - std::begin(kKeys));
}

std::unique_ptr<Selection> listed(const Query& query, int64_t now, std::unique_ptr<Listing> listing) {
  return std::make_unique<Listed>(query, now, std::move(listing));
}
std::unique_ptr<Selection> named(const Query& query, int64_t now) {
  return std::make_unique<Named>(query, now);
}
std::unique_ptr<Selection> counted(const Query& query, int64_t now, Key key, bool json) {
  return std::make_unique<Counted>(query, now, key, json);
}

}  // namespace postrider::postqueue
