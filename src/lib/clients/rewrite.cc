#include "clients/rewrite.h"

#include "clients/endpoint.h"
#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"

namespace postrider::clients {

RewriteClient::RewriteClient(const config::Config& config, std::string_view asker)
    : client_(private_endpoint(config, config.get(config::params::rewrite_service_name), asker)) {
  client_.on_disconnect([this] {
    rewritten_.clear();
    resolved_.clear();
  });
}

Result<std::string> RewriteClient::rewrite(std::string_view context, std::string_view address,
                                           Deadline deadline) {
  std::vector<std::string> out =
      TRY(rewrite(context, std::vector<std::string>{std::string(address)}, deadline));
  return std::move(out.front());
}

Result<std::vector<std::string>> RewriteClient::rewrite(std::string_view context,
                                                        const std::vector<std::string>& addresses,
                                                        Deadline deadline) {
  std::vector<std::string> out(addresses.size());
  std::vector<size_t> unknown;
  if (auto known = rewritten_.find(context); known != rewritten_.end()) {
    for (size_t i = 0; i < addresses.size(); ++i) {
      if (auto it = known->second.find(addresses[i]); it != known->second.end()) {
        out[i] = it->second;
      } else {
        unknown.push_back(i);
      }
    }
  } else {
    for (size_t i = 0; i < addresses.size(); ++i)
      unknown.push_back(i);
  }
  for (size_t begin = 0; begin < unknown.size();) {
    proto::RewriteRequest request;
    request.context = context;
    size_t end = begin;
    while (end < unknown.size() && request.addresses.size() < request.addresses.kMax) {
      request.addresses.emplace_back(addresses[unknown[end++]]);
    }
    auto reply = TRY(client_.call<proto::RewriteReply>(request, deadline));
    if (reply.addresses.size() != end - begin)
      return fail(ErrorKind::temporary, "rewrite service: wrong reply");
    // Looked up again: the caches may have been emptied meanwhile.
    Cache<std::string>& cache = rewritten_[std::string(context)];
    if (cache.size() >= kMaxEntries) cache.clear();
    for (; begin < end; ++begin) {
      size_t i = unknown[begin];
      out[i] = std::move(reply.addresses[request.addresses.size() - (end - begin)]);
      cache.insert_or_assign(addresses[i], out[i]);
    }
  }
  return out;
}

Result<proto::ResolveReply> RewriteClient::resolve(std::string_view sender, std::string_view address,
                                                   Deadline deadline) {
  proto::ResolveRequest request;
  request.sender = sender;
  request.address = address;
  return resolve(std::move(request), deadline);
}

Result<proto::ResolveReply> RewriteClient::resolve_verify(std::string_view sender, std::string_view address,
                                                          Deadline deadline) {
  proto::ResolveRequest request;
  request.sender = sender;
  request.address = address;
  request.verify = true;
  return resolve(std::move(request), deadline);
}

Result<proto::ResolveReply> RewriteClient::resolve(proto::ResolveRequest request, Deadline deadline) {
  std::string key = request.sender + '\0' + request.address + (request.verify ? "v" : "r");
  if (auto known = resolved_.find(key); known != resolved_.end() && Clock::now() < known->second.until) {
    return known->second.reply;
  }
  proto::ResolveReply reply = TRY(client_.call<proto::ResolveReply>(request, deadline));
  if ((reply.flags & proto::kResolveFailed) == 0) {
    // Entries live a second: dropping all of them costs less than keeping an order of use.
    if (resolved_.size() >= kMaxEntries) resolved_.clear();
    resolved_.insert_or_assign(std::move(key), Route{reply, Clock::now() + kRouteLifetime});
  }
  return reply;
}

}  // namespace postrider::clients
