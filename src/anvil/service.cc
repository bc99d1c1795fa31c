#include "anvil/service.h"

#include "ipc/server.h"

namespace postrider::anvil {

namespace {

/// What one process has reported.
class Reporter {
 public:
  explicit Reporter(Ledger& ledger) : ledger_(ledger) {}
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  ~Reporter() {
    for (const auto& [ident, count] : connections_) {
      for (uint32_t i = 0; i < count; ++i)
        ledger_.disconnect(ident);
    }
  }

  Result<Ledger::Answer> connect(const std::string& ident) {
    auto answer = ledger_.connect(ident);
    if (answer) ++connections_[ident];
    return answer;
  }
  void disconnect(const std::string& ident) {
    auto it = connections_.find(ident);
    if (it == connections_.end()) return;
    ledger_.disconnect(ident);
    if (--it->second == 0) connections_.erase(it);
  }

 private:
  Ledger& ledger_;
  std::unordered_map<std::string, uint32_t> connections_;
};

}  // namespace

Result<void> serve(Ledger& ledger, ipc::Connection& connection, seconds request_limit) {
  Reporter reporter(ledger);
  ipc::Dispatcher dispatcher;
  dispatcher.on<proto::AnvilConnect>([&](proto::AnvilConnect request, Deadline) -> Result<proto::AnvilReply> {
    auto answer = TRY(reporter.connect(request.ident));
    proto::AnvilReply reply;
    reply.count = answer.count;
    reply.rate = answer.rate;
    return reply;
  });
  dispatcher.on<proto::AnvilDisconnect>(
      [&](proto::AnvilDisconnect request, Deadline) -> Result<proto::AnvilReply> {
        reporter.disconnect(request.ident);
        return proto::AnvilReply{};
      });
  dispatcher.on<proto::AnvilCount>([&](proto::AnvilCount request, Deadline) -> Result<proto::AnvilReply> {
    proto::AnvilReply reply;
    reply.rate = TRY(ledger.event(request.ident, request.event, request.report_only));
    return reply;
  });
  // A process that has many clients and nothing to report for a day is no reason to forget them.
  constexpr seconds kForever = std::chrono::hours(24 * 365);
  return dispatcher.serve(connection, kForever, request_limit);
}

}  // namespace postrider::anvil
