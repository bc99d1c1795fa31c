// Macros: values that filters get beside the data of an event.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "milter/protocol.h"
#include "milter/settings.h"

namespace postrider::milter {

/// The value of a macro by its bare name; empty: it has none.
using MacroValues = std::function<std::string(std::string_view name)>;
using MacroDefaults = std::vector<std::pair<std::string, std::string>>;

/// Which list of macros goes with an event.
Stage stage_of(Event event);
/// The data of the packet in front of an event: the macros of the list that have a value, or a default.
std::string macros_data(Event event, const std::vector<std::string>& names, const MacroValues& values,
                        const MacroDefaults& defaults);

}  // namespace postrider::milter
