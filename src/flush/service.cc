#include "flush/service.h"

#include <ctime>

#include "base/text.h"
#include "clients/queue_layout.h"
#include "clients/tables.h"
#include "clients/trigger.h"
#include "config/params/qmgr.h"
#include "config/params/services.h"
#include "io/offload.h"
#include "log/log.h"
#include "queue/id.h"

namespace postrider::flush {

namespace params = config::params;

using proto::FlushResult;
using queue::QueueName;

namespace {

/// Moves a waiting message to where the queue manager looks next. `insist`: it is tried whatever is known
/// against its destinations.
Result<void> move_to_front(const queue::Store& store, const std::string& id, bool insist) {
  auto status = TRY(store.status(QueueName::deferred, id));
  if (!queue::is_complete(status)) return {};
  if (insist) {
    TRY(store.files().set_mode(store.path(QueueName::deferred, id), status.mode | queue::kFlushMode));
  }
  TRY(store.set_next_try(QueueName::deferred, id, time(nullptr)));
  return store.move(id, QueueName::deferred, QueueName::incoming);
}

/// The same; false when the message is not waiting.
bool expedite(const queue::Store& store, const std::string& id, bool insist) {
  auto moved = move_to_front(store, id, insist);
  if (!moved && !queue::is_missing(moved.error())) log::warning("{}", moved.error().text);
  return moved.has_value();
}

FlushResult failed(const Error& error) {
  log::warning("{}", error.text);
  return FlushResult::failed;
}

}  // namespace

Service::Service(const config::Config& config)
    : config_(config),
      store_(queue::system_files(), clients::queue_layout(config)),
      ledger_(store_),
      refresh_time_(config.get(params::fast_flush_refresh_time)),
      purge_time_(config.get(params::fast_flush_purge_time)),
      queue_socket_("public/" + config.get(params::queue_service_name)),
      catalog_(clients::table_options(config)),
      domains_(clients::open_match_list(catalog_, config, params::fast_flush_domains,
                                        table::MatchList::Kind::domain, paths_)) {}

FlushResult Service::check(const std::string& site, Deadline deadline) const {
  auto decision = domains_.match(site, deadline);
  if (!decision) return FlushResult::failed;
  return decision->matched ? FlushResult::ok : FlushResult::denied;
}

FlushResult Service::add(const std::string& site, const std::string& queue_id, Deadline deadline) {
  if (site.empty() || !queue::is_valid_id(queue_id)) return FlushResult::invalid;
  std::string name = lowercase(site);
  if (FlushResult allowed = check(name, deadline); allowed != FlushResult::ok) return allowed;
  auto added = io::offload([this, name = ledger_name(name), queue_id] { return ledger_.add(name, queue_id); },
                           deadline);
  return added ? FlushResult::ok : failed(added.error());
}

FlushResult Service::send_site(const std::string& site, Deadline deadline) {
  if (site.empty()) return FlushResult::invalid;
  std::string name = lowercase(site);
  if (FlushResult allowed = check(name, deadline); allowed != FlushResult::ok) return allowed;
  return drain(ledger_name(name), DeadSites::retry, deadline);
}

FlushResult Service::send_message(const std::string& queue_id, Deadline deadline) {
  if (!queue::is_valid_id(queue_id)) return FlushResult::invalid;
  auto found = io::offload([this, queue_id] { return expedite(store_, queue_id, true); }, deadline);
  if (!found) return failed(found.error());
  if (*found) wake_queue_manager();
  return FlushResult::ok;
}

FlushResult Service::drain(const std::string& name, DeadSites dead_sites, Deadline deadline) {
  auto drained = io::offload(
      [this, name, dead_sites]() -> Result<size_t> {
        size_t found = 0;
        TRY(ledger_.drain(
            name,
            [&](const std::string& id) {
              if (expedite(store_, id, dead_sites == DeadSites::retry)) ++found;
            }));
        return found;
      },
      deadline);
  if (!drained) return failed(drained.error());
  if (*drained > 0) wake_queue_manager();
  return FlushResult::ok;
}

void Service::wake_queue_manager() const {
  // It blocks; others ask meanwhile.
  auto sent =
      io::offload([this] { return clients::trigger(config_, queue_socket_, "I"); }, Deadline::never());
  if (!sent) log::warning("{}", sent.error().text);
}

void Service::refresh(seconds max_age) {
  queue::Scan scan = store_.scan(QueueName::flush);
  int64_t now = time(nullptr);
  for (;;) {
    auto entry = scan.next();
    if (!entry) log::warning("{}", entry.error().text);
    if (!entry || !*entry) return;
    auto status = store_.files().status((*entry)->path);
    if (!status || status->type != queue::FileType::regular) continue;
    int64_t age = now - status->modified;
    if (status->size == 0) {
      if (age < purge_time_.count()) continue;
      auto removed = ledger_.remove_empty((*entry)->name);
      if (!removed && removed.error().kind != ErrorKind::temporary) log::warning("{}", removed.error().text);
    } else if (age >= max_age.count()) {
      (void)drain((*entry)->name, DeadSites::leave, Deadline::never());
    }
  }
}

}  // namespace postrider::flush
