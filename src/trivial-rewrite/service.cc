#include "trivial-rewrite/service.h"

#include <fmt/format.h>

#include "clients/own_addresses.h"
#include "clients/tables.h"
#include "log/log.h"
#include "proto/rewrite.h"
#include "rewrite/settings.h"

namespace postrider::trivial_rewrite {

using rewrite::AddressClass;
using rewrite::Resolution;

namespace {

template <typename T>
T need(Result<T> result, const config::Config& config, const char* parameter) {
  if (!result) throw config::ConfigError(result.error().text, config.source(parameter), "");
  return std::move(*result);
}

uint32_t class_flag(AddressClass address_class) {
  switch (address_class) {
    case AddressClass::local:
      return proto::kResolveLocal;
    case AddressClass::virtual_alias:
      return proto::kResolveVirtualAlias;
    case AddressClass::virtual_mailbox:
      return proto::kResolveVirtualMailbox;
    case AddressClass::relay:
      return proto::kResolveRelay;
    case AddressClass::other:
      return proto::kResolveDefault;
  }
  return 0;
}

proto::ResolveReply to_reply(Resolution resolution) {
  proto::ResolveReply reply;
  reply.transport = std::move(resolution.transport);
  reply.nexthop = std::move(resolution.nexthop);
  reply.recipient = std::move(resolution.recipient);
  reply.flags = class_flag(resolution.address_class);
  if (resolution.routed) reply.flags |= proto::kResolveRouted;
  if (resolution.status == Resolution::Status::invalid) reply.flags |= proto::kResolveInvalid;
  if (resolution.status == Resolution::Status::try_later) reply.flags |= proto::kResolveFailed;
  for (rewrite::Reason& reason : resolution.because) {
    if (reply.because.size() == reply.because.kMax) break;
    proto::Provenance item;
    item.parameter = std::move(reason.parameter);
    item.source = std::move(reason.set_at);
    item.table = std::move(reason.table);
    item.key = std::move(reason.key);
    reply.because.push_back(std::move(item));
  }
  return reply;
}

}  // namespace

Service::Service(const config::Config& config) : catalog_(clients::table_options(config)) {
  for (config::Param<std::string> param : rewrite::table_parameters()) {
    clients::add_required_paths(config.get(param), paths_);
  }
  resolver_ = need(rewrite::Resolver::create(config, catalog_, clients::interface_addresses(config),
                                             clients::proxy_addresses(config)),
                   config, "transport_maps");
}

void Service::add_handlers(ipc::Dispatcher& dispatcher) const {
  dispatcher.on<proto::RewriteRequest>(
      [this](proto::RewriteRequest request, Deadline) -> Result<proto::RewriteReply> {
        auto context = rewrite::parse_context(request.context);
        if (!context)
          return fail(ErrorKind::invalid, fmt::format("unknown rewriting context \"{}\"", request.context));
        proto::RewriteReply reply;
        for (const std::string& address : request.addresses) {
          reply.addresses.emplace_back(resolver_->rewriter().rewrite(*context, address));
        }
        return reply;
      });
  dispatcher.on<proto::ResolveRequest>(
      [this](proto::ResolveRequest request, Deadline deadline) -> Result<proto::ResolveReply> {
        return to_reply(resolver_->resolve(
            {.sender = request.sender,
             .address = request.address,
             .purpose = request.verify ? rewrite::Purpose::verification : rewrite::Purpose::delivery,
             .explain = request.explain},
            deadline));
      });
}

}  // namespace postrider::trivial_rewrite
