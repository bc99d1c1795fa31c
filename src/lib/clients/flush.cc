#include "clients/flush.h"

#include "clients/endpoint.h"
#include "config/params/services.h"
#include "log/log.h"

namespace postrider::clients {

namespace params = config::params;

using proto::FlushResult;

FlushClient::FlushClient(const config::Config& config, std::string_view asker)
    : has_domains_(!config.get(params::fast_flush_domains).empty()),
      client_(public_endpoint(config, config.get(params::flush_service_name), asker)) {}

template <typename Request>
FlushResult FlushClient::ask(Request& request, Deadline deadline) {
  auto reply = client_.call<proto::FlushReply>(request, deadline);
  if (reply) return reply->result;
  log::warning("{}", reply.error().text);
  return FlushResult::failed;
}

FlushResult FlushClient::add(std::string_view site, std::string_view queue_id, Deadline deadline) {
  if (!has_domains_) return FlushResult::denied;
  proto::FlushAdd request;
  request.site = site;
  request.queue_id = queue_id;
  return ask(request, deadline);
}

FlushResult FlushClient::send_site(std::string_view site, Deadline deadline) {
  if (!has_domains_) return FlushResult::denied;
  proto::FlushSite request;
  request.site = site;
  return ask(request, deadline);
}

FlushResult FlushClient::send_message(std::string_view queue_id, Deadline deadline) {
  proto::FlushMessage request;
  request.queue_id = queue_id;
  return ask(request, deadline);
}

}  // namespace postrider::clients
