// One message through the cleanup service.
#pragma once

#include "cleanup/address_mapper.h"
#include "cleanup/in_flow.h"
#include "cleanup/message_state.h"
#include "cleanup/milters.h"
#include "cleanup/notifier.h"
#include "cleanup/settings.h"
#include "cleanup/tables.h"
#include "delivery/report.h"
#include "ipc/connection.h"
#include "queue/committer.h"
#include "queue/store.h"

namespace postrider::cleanup {

/// What all messages of a process share.
struct Workshop {
  explicit Workshop(const config::Config& config)
      : settings(config),
        tables(settings),
        filters(config),
        store(queue::system_files(), settings.layout),
        committer(queue::system_files()),
        mapper(settings, tables),
        reporter(config, "cleanup"),
        notifier(config),
        in_flow(settings.in_flow_delay, settings.in_flow_limit, [this](const std::string& id) {
          return store.status(queue::QueueName::incoming, id).has_value();
        }) {}
  Settings settings;
  Tables tables;
  Filters filters;
  queue::Store store;
  queue::Committer committer;
  AddressMapper mapper;
  delivery::Reporter reporter;
  Notifier notifier;
  InFlow in_flow;
};

/// Serves one connection: message after message until the client ends it. The error is for the log.
Result<void> serve(Workshop& workshop, ipc::Connection& connection);

}  // namespace postrider::cleanup
