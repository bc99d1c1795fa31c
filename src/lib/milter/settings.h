// What the configuration says about mail filters (MILTER_README).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "config/config.h"

namespace postrider::milter {

/// What becomes of mail when a filter fails.
enum class DefaultAction : unsigned char { accept, reject, tempfail, quarantine, shutdown };

/// Macros are given names and values; which ones go out depends on the stage.
enum class Stage : unsigned char { connect, helo, mail, rcpt, data, end_of_data, end_of_header, unknown };
inline constexpr size_t kStages = 8;
using MacroLists = std::array<std::vector<std::string>, kStages>;

struct FilterSettings {
  std::string endpoint;  ///< "inet:host:port", "unix:path"
  seconds connect_timeout{0}, command_timeout{0}, content_timeout{0};
  std::string default_action;  ///< A word; see parse_default_action().
  std::string protocol;        ///< Version and extensions; see parse_protocol().
};

/// Nothing for a word that is none.
std::optional<DefaultAction> parse_default_action(std::string_view word);

struct Protocol {
  uint32_t version = 6;
  bool no_header_reply = false;
};
/// The error's text is the word that is none.
Result<Protocol> parse_protocol(std::string_view text);

/// The milter_* parameters.
struct Settings {
  explicit Settings(const config::Config& config);

  FilterSettings defaults;  ///< Without an endpoint.
  MacroLists macros;
  std::vector<std::pair<std::string, std::string>> macro_defaults;  ///< milter_macro_defaults
  std::string hostname, daemon_name, version;                       ///< Macros j, {daemon_name} and v.
};

/// A list of filters: endpoints, and lists in braces with an endpoint and settings that differ from
/// `defaults`. The error is what Postfix ends with.
Result<std::vector<FilterSettings>> parse_filters(std::string_view list, const FilterSettings& defaults);

/// Whether one of them is reached over the network.
bool needs_network(const std::vector<FilterSettings>& filters);

/// "{name}" or a single letter becomes "name": the names of macros in configuration and packets are spelt
/// either way.
std::string_view bare_name(std::string_view macro);

}  // namespace postrider::milter
