#include "milter/chain.h"

#include <algorithm>

namespace postrider::milter {

Chain::Chain(const std::vector<FilterSettings>& filters, const Settings& settings) {
  for (const FilterSettings& filter : filters)
    filters_.push_back(std::make_unique<Filter>(filter, settings.macros, settings.macro_defaults));
}

Verdict Chain::connect(const ClientAddress& client, const MacroValues& macros) {
  const std::string data = connect_data(client);
  Verdict out;
  for (size_t i = 0; i < filters_.size() && out.is_none(); ++i)
    out = filters_[i]->connect(data, macros);
  return out;
}

Verdict Chain::command(Event event, std::string_view data, const MacroValues& macros,
                       std::string_view rejection) {
  Verdict out;
  for (size_t i = 0; i < filters_.size() && out.is_none(); ++i)
    out = filters_[i]->command(event, data, macros, rejection);
  return out;
}

bool Chain::wants_rejected_recipients() const {
  return std::ranges::any_of(filters_,
                             [](const auto& filter) { return filter->wants_rejected_recipients(); });
}

void Chain::rejected_recipient(std::string_view data, const MacroValues& macros) {
  for (const auto& filter : filters_) {
    if (filter->wants_rejected_recipients()) (void)filter->command(Event::rcpt, data, macros);
  }
}

Verdict Chain::message(Content& content, Editor& editor, const MacroValues& macros) {
  Verdict out;
  for (size_t i = 0; i < filters_.size() && out.is_none(); ++i)
    out = filters_[i]->message(content, editor, macros);
  return out;
}

void Chain::abort() {
  for (const auto& filter : filters_)
    filter->abort();
}

void Chain::quit() {
  for (const auto& filter : filters_)
    filter->quit();
}

}  // namespace postrider::milter
