#include "smtp/cache_reports.h"

#include "clients/endpoint.h"
#include "config/params/services.h"
#include "io/fiber.h"
#include "log/log.h"
#include "proto/scache.h"

namespace postrider::smtp_client {

namespace params = config::params;

namespace {

constexpr seconds kInterval{5};

}  // namespace

CacheReports::CacheReports(const config::Config& config, SessionCache& cache)
    : cache_(cache),
      endpoint_(
          clients::private_endpoint(config, config.get(params::connection_cache_service_name), "smtp")) {
  endpoint_.timeout = config.get(params::connection_cache_protocol_timeout);
}

void CacheReports::touch() {
  if (std::exchange(running_, true)) return;
  io::spawn([this] {
    run();
    running_ = false;
  });
}

void CacheReports::run() {
  do {
    io::sleep_for(kInterval);
    // Without an answer there is no such service: deliveries do not need it.
  } while (send() && cache_.size() > 0);
  connection_.reset();
}

bool CacheReports::send() {
  Deadline deadline = Deadline::after(endpoint_.timeout);
  CacheCounts counts = cache_.take_counts();
  if (connection_ && connection_->is_stale()) connection_.reset();
  if (!connection_) {
    auto made = ipc::connect(endpoint_, deadline);
    if (!made) {
      log::debug("connection cache service: {}", made.error().text);
      return false;
    }
    connection_ = std::move(*made);
  }
  proto::CacheReport report{.destination_hits = counts.destination_hits,
                            .destination_misses = counts.destination_misses,
                            .address_hits = counts.address_hits,
                            .address_misses = counts.address_misses,
                            .destinations = counts.destinations,
                            .addresses = counts.addresses,
                            .connections = counts.connections};
  return connection_->send(report, deadline).has_value();
}

}  // namespace postrider::smtp_client
