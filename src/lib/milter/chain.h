// All filters of a session.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "milter/content.h"
#include "milter/filter.h"

namespace postrider::milter {

/// Asks one filter after the other, until one has something to say.
class Chain {
 public:
  Chain() = default;
  /// `settings` must outlive the object.
  Chain(const std::vector<FilterSettings>& filters, const Settings& settings);

  bool empty() const { return filters_.empty(); }
  size_t size() const { return filters_.size(); }
  Filter& filter(size_t index) { return *filters_[index]; }
  void add(std::unique_ptr<Filter> filter) { filters_.push_back(std::move(filter)); }

  Verdict connect(const ClientAddress& client, const MacroValues& macros);
  Verdict command(Event event, std::string_view data, const MacroValues& macros,
                  std::string_view rejection = Filter::kRejected);
  bool wants_rejected_recipients() const;
  /// Tells of a recipient that was refused, those who want to hear of it. What they say does not matter.
  void rejected_recipient(std::string_view data, const MacroValues& macros);
  Verdict message(Content& content, Editor& editor, const MacroValues& macros);
  void abort();
  /// Ends the connections.
  void quit();

 private:
  std::vector<std::unique_ptr<Filter>> filters_;
};

}  // namespace postrider::milter
