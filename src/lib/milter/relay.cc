#include "milter/relay.h"

#include <algorithm>
#include <set>
#include <utility>

namespace postrider::milter {

namespace {

constexpr size_t kCollect = 64 * 1024;
/// What the way to the filter's process and back may take on top of the filter's own time.
constexpr seconds kSlack{10};

uint32_t milliseconds_left(Deadline deadline) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left()).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(left, 0, INT32_MAX));
}

class RelayChannel : public Channel {
 public:
  RelayChannel(ipc::Connection& connection, size_t index, bool& lost)
      : connection_(connection), index_(static_cast<uint32_t>(index)), lost_(lost) {}

  Result<void> send(std::string_view packets, Deadline deadline) override {
    output_ += packets;
    return output_.size() >= kCollect ? flush(deadline) : Result<void>();
  }
  Result<void> flush(Deadline deadline) override {
    auto sent = connection_.send(exchange(deadline), patience(deadline));
    lost_ = lost_ || !sent;
    return sent;
  }
  Result<Packet> receive(Deadline deadline) override {
    proto::MilterExchange question = exchange(deadline);
    question.wants_answer = true;
    Deadline until = patience(deadline);
    auto answer = [&]() -> Result<proto::MilterAnswer> {
      TRY(connection_.send(question, until));
      return connection_.receive_as<proto::MilterAnswer>(until);
    }();
    if (!answer) {
      lost_ = true;
      return std::unexpected(std::move(answer).error());
    }
    if (answer->good) return Packet{static_cast<char>(answer->letter), std::move(answer->data)};
    return std::unexpected(
        Error(static_cast<ErrorKind>(answer->error_kind), answer->error_code, std::move(answer->error)));
  }
  void give_up() override {
    proto::MilterExchange last;
    last.filter = index_;
    last.gives_up = true;
    (void)connection_.put(last);
  }

 private:
  static Deadline patience(Deadline deadline) { return Deadline::after(deadline.left() + kSlack); }
  proto::MilterExchange exchange(Deadline deadline) {
    proto::MilterExchange out;
    out.filter = index_;
    out.timeout_ms = milliseconds_left(deadline);
    out.packets = std::exchange(output_, {});
    return out;
  }

  ipc::Connection& connection_;
  uint32_t index_;
  bool& lost_;
  std::string output_;
};

proto::MilterState encoded(Snapshot snapshot) {
  proto::MilterState out;
  out.endpoint = std::move(snapshot.endpoint);
  out.content_timeout = static_cast<uint32_t>(snapshot.content_timeout.count());
  out.default_action = std::move(snapshot.default_action);
  out.steps = snapshot.steps;
  out.state = static_cast<uint8_t>(snapshot.state);
  out.failure_kind = static_cast<uint8_t>(snapshot.failure.kind);
  out.failure = std::move(snapshot.failure.text);
  out.end_of_header_macros.assign(snapshot.end_of_header_macros.begin(), snapshot.end_of_header_macros.end());
  out.end_of_data_macros.assign(snapshot.end_of_data_macros.begin(), snapshot.end_of_data_macros.end());
  return out;
}

Snapshot decoded(const proto::MilterState& state) {
  Snapshot out;
  out.endpoint = state.endpoint;
  out.content_timeout = seconds(state.content_timeout);
  out.default_action = state.default_action;
  out.steps = state.steps;
  out.state = static_cast<Snapshot::State>(std::min<uint8_t>(state.state, 2));
  out.failure = {static_cast<Verdict::Kind>(std::min<uint8_t>(state.failure_kind, 3)), state.failure};
  out.end_of_header_macros.assign(state.end_of_header_macros.begin(), state.end_of_header_macros.end());
  out.end_of_data_macros.assign(state.end_of_data_macros.begin(), state.end_of_data_macros.end());
  return out;
}

}  // namespace

proto::CleanupMilters hand_over(Chain& chain, const MacroValues& macros) {
  proto::CleanupMilters out;
  std::set<std::string, std::less<>> names;
  for (size_t i = 0; i < chain.size(); ++i) {
    Snapshot snapshot = chain.filter(i).snapshot();
    for (const auto* list : {&snapshot.end_of_header_macros, &snapshot.end_of_data_macros}) {
      for (const std::string& name : *list)
        names.emplace(bare_name(name));
    }
    out.filters.push_back(encoded(std::move(snapshot)));
  }
  for (const std::string& name : names) {
    std::string value = macros(name);
    if (value.empty() || out.macros.size() >= out.macros.kMax) continue;
    out.macros.push_back({.name = name, .value = std::move(value)});
  }
  return out;
}

proto::MilterAnswer relay(Chain& chain, const proto::MilterExchange& exchange) {
  proto::MilterAnswer out;
  if (exchange.filter >= chain.size()) return out;
  Filter& filter = chain.filter(exchange.filter);
  Deadline deadline = Deadline::after(std::chrono::milliseconds(exchange.timeout_ms));
  auto answer = [&]() -> Result<Packet> {
    Channel* channel = filter.channel();
    if (exchange.gives_up || channel == nullptr) return fail(ErrorKind::closed, "");
    TRY(channel->send(exchange.packets, deadline));
    if (exchange.wants_answer) return channel->receive(deadline);
    TRY(channel->flush(deadline));
    return Packet{};
  }();
  if (answer) {
    out.good = true;
    out.letter = static_cast<uint8_t>(answer->letter);
    out.data = std::move(answer->data);
    return out;
  }
  filter.lose_connection();
  out.error_kind = static_cast<uint8_t>(answer.error().kind);
  out.error_code = answer.error().code;
  out.error = std::string_view(answer.error().text).substr(0, out.error.kMax);
  return out;
}

Chain take_over(const proto::CleanupMilters& milters, ipc::Connection& connection, const Settings& settings,
                bool& lost) {
  Chain out;
  for (size_t i = 0; i < milters.filters.size(); ++i) {
    Snapshot snapshot = decoded(milters.filters[i]);
    std::unique_ptr<Channel> channel;
    if (snapshot.state == Snapshot::State::asks)
      channel = std::make_unique<RelayChannel>(connection, i, lost);
    out.add(std::make_unique<Filter>(std::move(snapshot), std::move(channel), settings.macro_defaults));
  }
  return out;
}

std::string handed_value(const proto::CleanupMilters& milters, std::string_view name) {
  for (const proto::MilterMacro& macro : milters.macros) {
    if (macro.name == name) return macro.value;
  }
  return {};
}

}  // namespace postrider::milter
