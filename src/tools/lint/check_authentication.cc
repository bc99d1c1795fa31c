// Settings that need others: passwords, authentication, owners of mailboxes.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "tools/lint/access_lists.h"
#include "tools/lint/checks.h"
#include "tools/lint/listeners.h"

namespace postrider::lint {

namespace {

/// smtp and lmtp do not start without passwords when they have to log in.
void check_client(const Model& model, Report& report, std::string_view side, const Service* service) {
  std::string enable = fmt::format("{}_sasl_auth_enable", side),
              maps = fmt::format("{}_sasl_password_maps", side);
  if (!is_yes(model, enable, service) || !model.value(maps, service).empty()) return;
  report.add(codes::sasl_setting, model.place(enable, service),
             fmt::format("{} = yes needs {}: {} does not start without it", enable, maps, side),
             fmt::format("set {} to a table with servers and passwords", maps));
}

/// A service that lets in only who has logged in, and lets nobody log in.
void check_server(const Model& model, Report& report, const Service& service) {
  if (service.program != "smtpd" || is_yes(model, "smtpd_sasl_auth_enable", &service)) return;
  for (const std::string& parameter : list_parameters(model, &service)) {
    if (!service.find(parameter)) continue;
    std::string value = model.value(parameter, &service);
    auto words = list_words(value);
    auto at = std::ranges::find_if(
        words, [](auto word) { return equals_ignore_case(word, "permit_sasl_authenticated"); });
    if (at == words.end() || at + 1 == words.end() || !equals_ignore_case(at[1], "reject")) continue;
    bool others =
        std::any_of(words.begin(), at, [](auto word) { return starts_with_ignore_case(word, "permit"); });
    if (others) continue;
    report.add(
        codes::sasl_setting, model.place(parameter, &service),
        fmt::format(
            "the service {} takes mail only from clients that have logged in, and does not let them log in",
            service.entry.id()),
        "add -o smtpd_sasl_auth_enable=yes");
    return;
  }
}

/// virtual(8) delivers as the owner of a mailbox, whom two tables tell.
void check_owners(const Model& model, Report& report) {
  if (!model.config().is_set("virtual_mailbox_domains") || model.value("virtual_mailbox_domains").empty())
    return;
  std::string transport = model.value("virtual_transport");
  const Service* service = model.local_service(transport.substr(0, transport.find(':')));
  if (!service || service->program != "virtual") return;
  for (std::string_view maps : {"virtual_uid_maps", "virtual_gid_maps", "virtual_mailbox_maps"}) {
    if (!model.value(maps, service).empty()) continue;
    report.add(
        codes::mailbox_owner, model.place("virtual_mailbox_domains"),
        fmt::format("virtual_mailbox_domains is set and {} is not: mail for these domains is not delivered",
                    maps),
        maps == "virtual_mailbox_maps" ? "set it to a table of addresses and mailboxes"
                                       : fmt::format("set it, for example to static:5000"));
  }
}

}  // namespace

void check_authentication(const Model& model, Report& report) {
  for (const char* side : {"smtp", "lmtp"}) {
    check_client(model, report, side, nullptr);
    for (const Service& service : model.services()) {
      bool own = service.find(fmt::format("{}_sasl_auth_enable", side)) ||
                 service.find(fmt::format("{}_sasl_password_maps", side));
      if (service.program == side && own) check_client(model, report, side, &service);
    }
  }
  for (const Service& service : model.services())
    check_server(model, report, service);
  check_owners(model, report);
}

}  // namespace postrider::lint
