// "postfix collate": the log of each message in one piece.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text.h"

namespace postrider::postfix {

/// Groups lines of the mail log. A group has the lines with one queue id, in their order, and before them
/// those of the SMTP session that the message came in. It is complete when the message is removed from the
/// queue; sessions without a message are groups of their own.
class Collator {
 public:
  /// Gets groups as they are completed, lines with their ends.
  using Sink = std::function<void(std::string_view group)>;
  /// `max_bytes` of lines are kept; beyond that the oldest groups are given away as they are.
  explicit Collator(Sink sink, size_t max_bytes = size_t{256} << 20)
      : sink_(std::move(sink)), max_bytes_(max_bytes) {}

  /// A line without its end.
  void add(std::string_view line);
  /// Gives away what is not complete, the oldest first.
  void finish();

 private:
  struct Group {
    std::string text;
    bool has_message = false;           ///< A session that has become part of a message's group.
    std::vector<std::string> messages;  ///< Of a session: their ids.
    std::list<std::string>::iterator age;
  };
  using Groups = std::unordered_map<std::string, Group, TextHash, std::equal_to<>>;

  Group& group(const std::string& key);
  void append(Group& group, std::string_view line);
  void give_away(Groups::iterator found, bool print);
  void add_to_message(std::string_view id, std::string_view session, std::string_view text,
                      std::string_view line);
  void add_to_session(const std::string& session, std::string_view text, std::string_view line);

  Sink sink_;
  size_t max_bytes_, bytes_ = 0;
  Groups groups_;                // By queue id, and by "smtpd[pid] client".
  std::list<std::string> ages_;  // Keys, the oldest first.
};

/// "postfix collate [-g text] [file...]"; the exit status.
int collate_command(const std::vector<std::string>& arguments);

}  // namespace postrider::postfix
