#include "clients/proxy_table.h"

#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "clients/endpoint.h"
#include "config/params/instance.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "io/fiber.h"
#include "io/loop.h"
#include "ipc/client.h"
#include "proto/proxymap.h"
#include "sys/file.h"
#include "sys/random.h"
#include "table/open.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

/// How to reach the two services, kept for tables that are opened later.
struct Services {
  ipc::Endpoint reader, writer;
};

bool is_pattern_type(std::string_view spec) {
  std::string_view type = spec.substr(0, spec.find(':'));
  return type == "regexp" || type == "pcre" || type == "cidr";
}

/// The requests of one process to one service. Programs without an event loop get one for each request.
class Asker {
 public:
  explicit Asker(ipc::Endpoint endpoint) : endpoint_(std::move(endpoint)), client_(endpoint_) {}

  template <typename Reply, typename Request>
  Result<Reply> ask(Request& request, Deadline deadline) {
    if (io::in_fiber()) return client_.call<Reply>(request, deadline);
    if (io::Loop::exists()) return fail(ErrorKind::temporary, "no look-ups before the service has started");
    Result<Reply> reply;
    io::run_with_loop([&] {
      ipc::Client once(endpoint_);
      reply = once.call<Reply>(request, deadline);
    });
    return reply;
  }

 private:
  ipc::Endpoint endpoint_;
  ipc::Client client_;
};

class ProxyTable : public table::Table {
 public:
  ProxyTable(std::string_view name, const table::OpenOptions& options, const ipc::Endpoint& service)
      : Table("proxy", name, unchecked(options), options.log),
        asker_(service),
        patterns_(is_pattern_type(name)),
        reader_(sys::random_u64()) {
    table_.name = name;
    if (options.behaviour.fold_fixed) table_.flags |= proto::kProxyFoldFixed;
    if (options.behaviour.fold_patterns) table_.flags |= proto::kProxyFoldPatterns;
    if (options.values_are_files) table_.flags |= proto::kProxyValuesAreFiles;
    if (options.no_substitution) table_.flags |= proto::kProxyNoSubstitution;
  }

  bool matches_patterns() const override { return patterns_; }

  Result<std::optional<table::Entry>> first(Deadline deadline) override { return sequence(true, deadline); }
  Result<std::optional<table::Entry>> next(Deadline deadline) override { return sequence(false, deadline); }

 protected:
  Result<std::optional<std::string>> find(std::string_view key, Deadline deadline) override {
    proto::ProxyLookup request{.table = table_, .key = key};
    auto reply = asker_.ask<proto::ProxyFound>(request, deadline);
    if (!reply) return failed(std::move(reply).error());
    if (!reply->value) return std::nullopt;
    return std::move(*reply->value);
  }
  Result<void> do_put(std::string_view key, std::string_view value, Deadline deadline) override {
    proto::ProxyUpdate request{.table = table_, .key = key, .value = value};
    auto reply = asker_.ask<proto::ProxyChanged>(request, deadline);
    if (!reply) return failed(std::move(reply).error());
    return {};
  }
  Result<bool> do_remove(std::string_view key, Deadline deadline) override {
    proto::ProxyDelete request{.table = table_, .key = key};
    auto reply = asker_.ask<proto::ProxyChanged>(request, deadline);
    if (!reply) return failed(std::move(reply).error());
    return reply->existed;
  }

 private:
  /// Keys are folded and checked where the table is.
  static table::Behaviour unchecked(const table::OpenOptions& options) {
    return {.fold_fixed = false, .fold_patterns = false, .utf8 = options.behaviour.utf8};
  }

  Result<std::optional<table::Entry>> sequence(bool first, Deadline deadline) {
    proto::ProxySequence request{.table = table_, .reader = reader_, .first = first};
    auto reply = asker_.ask<proto::ProxyEntry>(request, deadline);
    if (!reply) return failed(std::move(reply).error());
    if (!reply->present) return std::nullopt;
    return table::Entry{std::move(reply->key), std::move(reply->value)};
  }

  std::unexpected<Error> failed(Error error) const {
    if (error.kind == ErrorKind::denied) return fail(ErrorKind::temporary, std::move(error.text));
    return fail(ErrorKind::temporary, fmt::format("table {}: {}", log_name(), error.text));
  }

  Asker asker_;
  proto::ProxyTable table_;
  bool patterns_;
  uint64_t reader_;
};

Result<std::shared_ptr<table::Table>> open_proxy(std::string_view name, const table::OpenOptions& options,
                                                 const Services& services) {
  if (name.find(':') == name.npos) {
    return fail(ErrorKind::invalid, fmt::format("invalid table name: proxy:{}", name));
  }
  // Whoever can write to the table behind the service is not known here.
  if (options.paranoid) {
    return fail(ErrorKind::denied,
                fmt::format("proxy:{}: proxy map is not allowed for security sensitive data", name));
  }
  const ipc::Endpoint& service = options.access == table::Access::read ? services.reader : services.writer;
  return std::make_shared<ProxyTable>(name, options, service);
}

/// Daemons work in the queue directory; commands need not.
ipc::Endpoint find(ipc::Endpoint endpoint, const config::Config& config) {
  if (!sys::exists(endpoint.path)) endpoint.path = config.get(params::queue_directory) + "/" + endpoint.path;
  return endpoint;
}

}  // namespace

void register_proxy_type(const config::Config& config) {
  std::string asker = config.process_name();
  Services services{
      find(private_endpoint(config, config.get(params::proxymap_service_name), asker), config),
      find(private_endpoint(config, config.get(params::proxywrite_service_name), asker), config),
  };
  table::register_type(
      {.type = "proxy", .open = [services](std::string_view name, const table::OpenOptions& options) {
         return open_proxy(name, options, services);
       }});
}

}  // namespace postrider::clients
