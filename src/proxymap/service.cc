#include "proxymap/service.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "clients/tables.h"
#include "config/params/services.h"
#include "log/log.h"

namespace postrider::proxymap {

namespace params = config::params;

namespace {

constexpr mode_t kTableMode = 0600;

/// Askers that go through a table at the same time; more is no normal operation.
constexpr size_t kMaxReaders = 16;

table::OpenOptions open_options(const config::Config& config, Role role) {
  table::OpenOptions options = clients::table_options(config);
  if (role == Role::writer) {
    options.access = table::Access::write;
    options.create_mode = kTableMode;
    options.duplicates = table::Duplicates::replace;
  }
  return options;
}

std::string approved_list(const config::Config& config, Role role) {
  return role == Role::writer ? config.get(params::proxy_write_maps) : config.get(params::proxy_read_maps);
}

table::Use use_of(const proto::ProxyTable& table) {
  return {.fold_fixed = (table.flags & proto::kProxyFoldFixed) != 0,
          .fold_patterns = (table.flags & proto::kProxyFoldPatterns) != 0,
          .paranoid = (table.flags & proto::kProxyParanoid) != 0,
          .no_substitution = (table.flags & proto::kProxyNoSubstitution) != 0,
          .values_are_files = (table.flags & proto::kProxyValuesAreFiles) != 0};
}

}  // namespace

Service::Service(const config::Config& config, Role role)
    : role_(role),
      service_(config.service_name()),
      options_(open_options(config, role)),
      approved_(config, approved_list(config, role)),
      catalog_(options_) {
  for (const std::string& table : approved_.tables())
    clients::add_required_paths(table, paths_);
}

Result<void> Service::check(const proto::ProxyTable& table) const {
  if (approved_.contains(table.name)) return {};
  std::string name = printable(table.name);
  log::warning("request for unapproved table: \"{}\"", name);
  log::warning("to approve this table for {} access, list proxy:{} in main.cf:{}",
               role_ == Role::writer ? "read-write" : "read-only", name,
               role_ == Role::writer ? "proxy_write_maps" : "proxy_read_maps");
  return fail(ErrorKind::denied,
              fmt::format("{} service is not configured for table \"{}\"", service_, name));
}

Result<void> Service::check_writer(const proto::ProxyTable& table) const {
  TRY(check(table));
  if (role_ == Role::writer) return {};
  log::warning("refusing update request on read-only service for table: \"{}\"", printable(table.name));
  return fail(ErrorKind::denied,
              fmt::format("{} service does not change table \"{}\"", service_, printable(table.name)));
}

Result<std::shared_ptr<table::Table>> Service::open(const proto::ProxyTable& table,
                                                    table::Catalog& catalog) const {
  return catalog.open(table.name, use_of(table));
}

void Service::add_handlers(ipc::Dispatcher& dispatcher) {
  dispatcher.on<proto::ProxyLookup>(
      [this](proto::ProxyLookup request, Deadline deadline) -> Result<proto::ProxyFound> {
        TRY(check(request.table));
        auto table = TRY(open(request.table, catalog_));
        auto value = TRY(table->lookup(request.key, deadline));
        proto::ProxyFound reply;
        if (value) reply.value = std::move(*value);
        return reply;
      });
  dispatcher.on<proto::ProxyUpdate>(
      [this](proto::ProxyUpdate request, Deadline deadline) -> Result<proto::ProxyChanged> {
        TRY(check_writer(request.table));
        auto table = TRY(open(request.table, catalog_));
        TRY(table->put(request.key, request.value, deadline));
        return proto::ProxyChanged{};
      });
  dispatcher.on<proto::ProxyDelete>(
      [this](proto::ProxyDelete request, Deadline deadline) -> Result<proto::ProxyChanged> {
        TRY(check_writer(request.table));
        auto table = TRY(open(request.table, catalog_));
        proto::ProxyChanged reply;
        reply.existed = TRY(table->remove(request.key, deadline));
        return reply;
      });
  dispatcher.on<proto::ProxySequence>(
      [this](proto::ProxySequence request, Deadline deadline) { return sequence(request, deadline); });
}

Result<Service::Reader*> Service::reader(const proto::ProxySequence& request) {
  auto found = std::find_if(readers_.begin(), readers_.end(), [&](const Reader& known) {
    return known.number == request.reader && known.table == request.table.name;
  });
  if (found == readers_.end()) {
    if (!request.first) return fail(ErrorKind::temporary, "the sequence was forgotten: start again");
    if (readers_.size() == kMaxReaders) readers_.erase(readers_.begin());
    auto catalog = std::make_unique<table::Catalog>(options_);
    auto table = TRY(open(request.table, *catalog));
    readers_.push_back({request.reader, request.table.name, std::move(catalog), std::move(table)});
  } else {
    std::rotate(found, found + 1, readers_.end());
  }
  return &readers_.back();
}

Result<proto::ProxyEntry> Service::sequence(const proto::ProxySequence& request, Deadline deadline) {
  TRY(check(request.table));
  // Other requests may come in between: the table stays, whatever happens to the list.
  std::shared_ptr<table::Table> table = TRY(reader(request))->opened;
  auto entry = TRY(request.first ? table->first(deadline) : table->next(deadline));
  proto::ProxyEntry reply;
  if (!entry) {
    std::erase_if(readers_, [&](const Reader& known) { return known.opened == table; });
    return reply;
  }
  reply.present = true;
  reply.key = std::move(entry->key);
  reply.value = std::move(entry->value);
  return reply;
}

}  // namespace postrider::proxymap
