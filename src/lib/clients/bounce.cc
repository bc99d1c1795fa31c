#include "clients/bounce.h"

#include "clients/endpoint.h"
#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

template <typename Request>
Result<void> tell(ipc::Client& client, Request& request, Deadline deadline) {
  TRY(client.call<proto::Done>(request, deadline));
  return {};
}

Result<void> tell(ipc::Client& client, proto::SendNotice& notice, proto::NoticeKind kind, Deadline deadline) {
  notice.kind = kind;
  return tell(client, notice, deadline);
}

}  // namespace

BounceClient::BounceClient(const config::Config& config, std::string_view asker)
    : bounce_(private_endpoint(config, config.get(params::bounce_service_name), asker)),
      defer_(private_endpoint(config, config.get(params::defer_service_name), asker)),
      trace_(private_endpoint(config, config.get(params::trace_service_name), asker)) {}

Result<void> BounceClient::append_bounce(proto::AppendStatus& status, Deadline deadline) {
  return tell(bounce_, status, deadline);
}
Result<void> BounceClient::append_defer(proto::AppendStatus& status, Deadline deadline) {
  return tell(defer_, status, deadline);
}
Result<void> BounceClient::append_trace(proto::AppendStatus& status, Deadline deadline) {
  return tell(trace_, status, deadline);
}
Result<void> BounceClient::flush_bounce(proto::SendNotice& notice, Deadline deadline) {
  return tell(bounce_, notice, proto::NoticeKind::failure, deadline);
}
Result<void> BounceClient::flush_defer(proto::SendNotice& notice, Deadline deadline) {
  return tell(defer_, notice, proto::NoticeKind::failure, deadline);
}
Result<void> BounceClient::warn_defer(proto::SendNotice& notice, Deadline deadline) {
  return tell(defer_, notice, proto::NoticeKind::delay, deadline);
}
Result<void> BounceClient::flush_trace(proto::SendNotice& notice, Deadline deadline) {
  return tell(trace_, notice, proto::NoticeKind::trace, deadline);
}
Result<void> BounceClient::bounce_one(proto::BounceOne& one, Deadline deadline) {
  return tell(bounce_, one, deadline);
}

}  // namespace postrider::clients
