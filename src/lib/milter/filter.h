// One filter in one session: what it is told, and what its answers come to.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "milter/channel.h"
#include "milter/macros.h"
#include "milter/protocol.h"
#include "milter/settings.h"

namespace postrider::milter {

/// What shall become of a command or a message.
struct Verdict {
  enum class Kind : unsigned char {
    none,     ///< The filter has nothing against it.
    reject,   ///< `text` is the SMTP reply; with 421 the session ends.
    discard,  ///< It is accepted and dropped.
    hold,     ///< It is accepted and kept; `text` is the reason.
  } kind = Kind::none;
  std::string text;

  bool is_none() const { return kind == Kind::none; }
};

/// What a filter is told when its session goes on in another process.
struct Snapshot {
  std::string endpoint;
  seconds content_timeout{0};
  std::string default_action;
  uint32_t steps = 0;
  enum class State : unsigned char { asks, passes, failed } state = State::asks;
  Verdict failure;  ///< With State::failed.
  std::vector<std::string> end_of_header_macros, end_of_data_macros;
};

class Content;
class Editor;

class Filter {
 public:
  /// `defaults` and `lists` must outlive the object.
  Filter(FilterSettings settings, const MacroLists& lists, const MacroDefaults& defaults);
  /// One that another process has begun to talk to.
  Filter(Snapshot snapshot, std::unique_ptr<Channel> channel, const MacroDefaults& defaults);

  const std::string& endpoint() const { return settings_.endpoint; }

  /// Connects, agrees, and tells of the client.
  Verdict connect(std::string_view data, const MacroValues& macros);
  /// Tells of a command. `rejection` is the reply where the filter just says no.
  Verdict command(Event event, std::string_view data, const MacroValues& macros,
                  std::string_view rejection = kRejected);
  /// Whether it wants to hear of recipients that were refused.
  bool wants_rejected_recipients() const;
  /// The message, from its headers to its end; modifications go to `editor`.
  Verdict message(Content& content, Editor& editor, const MacroValues& macros);
  /// The message is over, or was abandoned.
  void abort();
  /// The session is over.
  void quit();

  Snapshot snapshot() const;
  /// Another process has found that nothing more is to be had from it.
  void lose_connection();
  /// Null when there is no connection.
  Channel* channel() const { return channel_.get(); }

  static constexpr std::string_view kRejected = "550 5.7.1 Command rejected";

 private:
  enum class State : unsigned char {
    asks,            ///< Events go to the filter.
    passes_message,  ///< It has no more interest in this message.
    passes_session,  ///< Nor in the session.
    settled,         ///< `standing_` is the answer to everything.
  };
  struct Answer;

  std::optional<Verdict> standing() const;
  bool has(Event event) const { return version_ >= info(event).since; }
  bool wants(Event event) const { return (steps_ & info(event).not_wanted) == 0; }
  bool answers(Event event) const { return (steps_ & info(event).no_reply) == 0; }
  const std::vector<std::string>& macro_names(Event event) const;
  void put_macros(Event event, const MacroValues& macros);
  void put(Event event, std::string_view data);
  Result<void> send(Event event);
  Verdict ask(Event event, std::string_view rejection, Editor* editor);
  std::optional<Verdict> judge(Event event, const Packet& packet, std::string_view rejection, Editor* editor,
                               Verdict& hold);
  std::optional<Verdict> refuse(Event event, std::string_view reply);
  std::optional<Verdict> edit(const Packet& packet, Editor& editor);
  Verdict tell(Event event, std::string_view data, const MacroValues& macros);
  Verdict negotiate(const Protocol& protocol);
  /// Gives up on the filter: its default action is the answer from now on.
  Verdict give_up();
  Verdict misconfigured();
  Verdict default_verdict(bool configuration);
  Verdict receive_failed(Event event, const Error& error);
  void settle(Verdict verdict);
  void warn(std::string_view text) const;
  Deadline deadline(Event event) const;

  FilterSettings settings_;
  const MacroLists* lists_ = nullptr;
  const MacroDefaults& defaults_;
  std::array<std::optional<std::vector<std::string>>, kStages> own_lists_;
  std::unique_ptr<Channel> channel_;
  uint32_t version_ = 6, steps_ = 0;
  State state_ = State::asks;
  Verdict standing_;
  std::optional<Event> skipped_;  // No more events of this kind for this message.
  bool edits_fail_ = false;       // A modification could not be carried out.
  std::string output_;
};

}  // namespace postrider::milter
