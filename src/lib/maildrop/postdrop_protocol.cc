#include "maildrop/postdrop_protocol.h"

#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::maildrop {

namespace {

constexpr std::string_view kProtocol = "protocol", kProtocolName = "postdrop_protocol", kQueueId = "queue_id",
                           kStatus = "status", kReason = "reason";

void add(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += '\0';
  out += value;
  out += '\0';
}

std::optional<std::string_view> take_text(std::string_view& rest) {
  size_t end = rest.find('\0');
  if (end == rest.npos) return std::nullopt;
  std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

}  // namespace

Outcome Outcome::of(const Error& error) {
  bool too_large = error.kind == ErrorKind::limit || error.code == EFBIG;
  return {.problems = too_large ? proto::kProblemSize : proto::kProblemWrite};
}

std::string Outcome::text() const {
  return reason.empty() ? std::string(proto::describe_problem(problems)) : reason;
}

std::string greeting(std::string_view queue_id) {
  std::string out;
  add(out, kProtocol, kProtocolName);
  add(out, kQueueId, queue_id);
  out += '\0';
  return out;
}

std::string reply(const Outcome& outcome) {
  std::string out;
  add(out, kStatus, fmt::format("{}", outcome.problems));
  add(out, kReason, outcome.reason);
  out += '\0';
  return out;
}

std::optional<std::string> parse_greeting(std::string_view text) {
  std::optional<std::string> id;
  while (auto name = take_text(text)) {
    if (name->empty()) return id;
    auto value = take_text(text);
    if (!value) break;
    if (*name == kQueueId) id = *value;
  }
  return std::nullopt;
}

Outcome parse_reply(std::string_view text) {
  Outcome outcome{.problems = proto::kProblemWrite};
  std::optional<uint32_t> status;
  std::string_view rest = text;
  while (auto name = take_text(rest)) {
    if (name->empty()) {
      if (status) {
        outcome.problems = *status;
        return outcome;
      }
      continue;
    }
    auto value = take_text(rest);
    if (!value) break;
    if (*name == kStatus) {
      auto number = parse_unsigned(*value);
      status =
          number && *number <= UINT32_MAX ? static_cast<uint32_t>(*number) : uint32_t{proto::kProblemWrite};
    } else if (*name == kReason) {
      outcome.reason = *value;
    }
  }
  return {.problems = proto::kProblemWrite};
}

}  // namespace postrider::maildrop
