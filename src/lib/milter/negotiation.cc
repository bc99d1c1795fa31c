#include "milter/negotiation.h"

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::milter {

namespace {

constexpr uint32_t kOldest = 2;

/// The steps of a version.
uint32_t steps_of(uint32_t version) {
  constexpr uint32_t kVersion2 =
      kNoConnect | kNoHelo | kNoMail | kNoRcpt | kNoBody | kNoHeaders | kNoEndOfHeader;
  constexpr uint32_t kVersion3 = kVersion2 | kNoUnknown;
  constexpr uint32_t kVersion4 = kVersion3 | kNoData;
  constexpr uint32_t kVersion6 = kVersion4 | kNoReplyHeader | kSkip | kRejectedRecipients | kNoReplyConnect |
                                 kNoReplyHelo | kNoReplyMail | kNoReplyRcpt | kNoReplyData | kNoReplyUnknown |
                                 kNoReplyEndOfHeader | kNoReplyBody | kLeadingSpace;
  if (version < 3) return kVersion2;
  if (version == 3) return kVersion3;
  return version < 6 ? kVersion4 : kVersion6;
}

uint32_t offered_steps(const Protocol& protocol) {
  return steps_of(protocol.version) | (protocol.no_header_reply ? uint32_t{kNoReplyHeader} : 0U);
}

/// Lists of macros by stage, to the end of the packet.
Result<void> read_macros(DataReader& data, Agreement& out) {
  while (!data.empty()) {
    uint32_t stage = TRY(data.u32());
    std::string_view names = TRY(data.text());
    if (stage >= static_cast<uint32_t>(Stage::unknown)) {
      out.remarks.push_back(fmt::format("ignoring unknown macro type {}", stage));
      continue;
    }
    std::vector<std::string> list;
    for (std::string_view name : split_any(names, kListSeparators))
      list.emplace_back(name);
    // A filter that asks for nothing gets what is configured.
    if (!list.empty()) out.macros[stage] = std::move(list);
  }
  return {};
}

}  // namespace

std::string offer_packet(const Protocol& protocol) {
  std::string data;
  append_u32(data, protocol.version);
  append_u32(data, kAllActions);
  append_u32(data, offered_steps(protocol));
  std::string out;
  append_packet(out, kNegotiate, data);
  return out;
}

Result<Agreement> read_agreement(const Packet& answer, const Protocol& offered) {
  if (answer.letter != static_cast<char>(Response::negotiate)) {
    return fail(ErrorKind::invalid,
                fmt::format("unexpected reply \"{}\" in initial handshake", printable({&answer.letter, 1})));
  }
  DataReader data(answer.data);
  auto numbers = [&]() -> Result<std::array<uint32_t, 3>> {
    uint32_t version = TRY(data.u32());
    uint32_t actions = TRY(data.u32());
    return std::array{version, actions, TRY(data.u32())};
  }();
  if (!numbers) {
    return fail(ErrorKind::invalid, numbers.error().text + "\nread error in initial handshake");
  }
  auto [version, actions, steps] = *numbers;
  if (version > offered.version) {
    return fail(ErrorKind::invalid, fmt::format("protocol version {} conflict with MTA protocol version {}",
                                                version, offered.version));
  }
  if ((actions & ~kAllActions) != 0) {
    return fail(ErrorKind::invalid,
                fmt::format("request mask {:#x} conflict with MTA request mask {:#x}", actions, kAllActions));
  }
  Agreement out;
  out.version = version;
  out.steps = steps & offered_steps(offered);
  if (version < kOldest) {
    out.remarks.push_back(fmt::format("unexpected protocol version {}", version));
    out.version = kOldest;
  }
  if (version >= 6) TRY(read_macros(data, out));
  return out;
}

}  // namespace postrider::milter
