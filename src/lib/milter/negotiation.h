// What both sides agree on when a connection begins.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "milter/protocol.h"
#include "milter/settings.h"

namespace postrider::milter {

/// What is offered: the version, all modifications, and the steps that the version has.
std::string offer_packet(const Protocol& protocol);

struct Agreement {
  uint32_t version = 6;
  uint32_t steps = 0;
  /// Lists of macros that the filter wants instead of the configured ones.
  std::array<std::optional<std::vector<std::string>>, kStages> macros;
  std::vector<std::string> remarks;  ///< Log lines without the filter's name.
};
/// Reads the answer to the offer. The errors are log lines without the filter's name, one a line.
Result<Agreement> read_agreement(const Packet& answer, const Protocol& offered);

}  // namespace postrider::milter
