// The conversation with a content filter in front of the queue.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "smtp/client.h"
#include "smtpd/before_queue_filter.h"

namespace postrider::smtpd {

class FilterDialogue {
 public:
  /// Connects, introduces itself and forwards `client`. What goes wrong is logged.
  static std::expected<FilterDialogue, FilterRefusal> open(const FilterSettings& settings,
                                                           const smtp::ClientFacts& client);
  /// QUIT, unless content is under way: its end would then be taken for the message's.
  ~FilterDialogue();
  FilterDialogue(FilterDialogue&&) noexcept = default;
  FilterDialogue& operator=(FilterDialogue&&) = delete;

  /// A command that has to be answered with a code of class `wanted` (2 or 3).
  std::optional<FilterRefusal> command(std::string_view text, int wanted);
  /// Bytes of content, encoded. That they could not be sent is told by end().
  void content(std::string_view bytes);
  /// The last dot. The reply is the filter's, whatever it says, or what stands for it.
  FilterRefusal end();

 private:
  FilterDialogue(const FilterSettings& settings, smtp::ClientSession session)
      : settings_(&settings), session_(std::make_unique<smtp::ClientSession>(std::move(session))) {}
  FilterRefusal lost(smtp::SessionFailure::Kind kind) const;
  FilterRefusal refused(std::string_view command, const smtp::Reply& reply) const;
  std::optional<FilterRefusal> introduce(const smtp::ClientFacts& client);

  const FilterSettings* settings_;
  std::unique_ptr<smtp::ClientSession> session_;  // Null: moved from.
  bool in_content_ = false;
  bool broken_ = false;
};

/// The XFORWARD commands for a filter: as few as the length of commands allows, with words for what is not
/// known.
std::vector<std::string> filter_xforward(const smtp::ClientFacts& client, const smtp::Capabilities& filter);

/// What a client hears when the fault is on this side.
FilterRefusal filter_failed(access::ErrorClass error);

/// The lines of a reply in one, as the log has them.
std::string filter_reply_text(std::string_view reply);

}  // namespace postrider::smtpd
