// Services that parameters and transport tables name and master.cf does not have.
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "tools/lint/checks.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

constexpr std::string_view kTransports[] = {
    "address_verify_default_transport",
    "address_verify_local_transport",
    "address_verify_relay_transport",
    "address_verify_virtual_transport",
    "content_filter",
    "default_transport",
    "fallback_transport",
    "local_transport",
    "mailbox_transport",
    "relay_transport",
    "virtual_transport",
};
constexpr std::string_view kTransportMaps[] = {
    "address_verify_transport_maps",           "fallback_transport_maps", "mailbox_transport_maps",
    "sender_dependent_default_transport_maps", "transport_maps",
};

class TransportCheck {
 public:
  TransportCheck(const Model& model, Report& report) : model_(model), report_(report) {}

  /// `text` is "transport:nexthop", or "transport" alone.
  void check(std::string_view text, const Place& place, std::string_view where) {
    std::string_view name = trim(text.substr(0, text.find(':')));
    // A value may be put together from what a pattern matched.
    if (name.empty() || name.find('$') != name.npos) return;
    if (const Service* service = model_.local_service(name)) return check_limit(*service);
    if (!equals_ignore_case(name, "DUNNO")) {
      report_.add(codes::transport_missing, place,
                  fmt::format("{} sends mail to the transport {}, and master.cf has no service of this name",
                              where, name),
                  fmt::format("add a unix service {} to master.cf, or correct the name", name));
    }
  }

  void check_parameter(std::string_view parameter, const Service* service) {
    check(model_.value(parameter, service), model_.place(parameter, service), parameter);
  }

  void check_maps(std::string_view parameter) {
    for (const TableUse& use : tables_in(model_.value(parameter), TableRole::maps)) {
      for (const TableEntry& entry : entries_of(model_, use.type, use.name)) {
        Place place = entry.line > 0 ? Place{table_path(model_, use.name), entry.line}
                                     : model_.place(parameter, nullptr, use.spec());
        check(entry.value, place, fmt::format("{} ({})", use.spec(), entry.key));
      }
    }
  }

 private:
  /// A command that is told its one recipient cannot have two.
  void check_limit(const Service& service) {
    constexpr std::string_view kFlags = "flags=", kForOne = "DO";
    if (service.program != "pipe") return;
    std::string limit = service.entry.name + "_destination_recipient_limit";
    if (model_.value(model_.config().is_set(limit) ? limit : "default_destination_recipient_limit") == "1")
      return;
    for (std::string_view word : service.entry.arguments) {
      if (!word.starts_with(kFlags)) continue;
      size_t at = word.find_first_of(kForOne, kFlags.size());
      if (at == word.npos) continue;
      report_.add(
          codes::service_arguments, model_.place(service),
          fmt::format(
              "the flag {} of the service {} is for one recipient at a time: mail with several for one "
              "domain is deferred",
              word[at], service.entry.id()),
          fmt::format("set {} = 1 in main.cf", limit));
      return;
    }
  }

  const Model& model_;
  Report& report_;
};

}  // namespace

void check_transports(const Model& model, Report& report) {
  if (model.services().empty()) return;
  TransportCheck check(model, report);
  // A default matters where there are domains for it; those for probes are the same as those for mail.
  auto unused = [&](std::string_view parameter) {
    if (model.config().is_set(parameter)) return false;
    if (parameter.starts_with("address_verify_")) return true;
    if (parameter == "local_transport") return model.value("mydestination").empty();
    if (parameter == "virtual_transport") return model.value("virtual_mailbox_domains").empty();
    if (parameter == "relay_transport")
      return !model.config().is_set("relay_domains") || model.value("relay_domains").empty();
    return false;
  };
  for (std::string_view parameter : kTransports) {
    if (!unused(parameter)) check.check_parameter(parameter, nullptr);
    for (const Service& service : model.services())
      if (service.find(parameter)) check.check_parameter(parameter, &service);
  }
  for (std::string_view parameter : kTransportMaps)
    if (!unused(parameter)) check.check_maps(parameter);
}

}  // namespace postrider::lint
