// Sockets that a service cannot reach from inside the queue directory, and programs that have no use there.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/main_cf.h"
#include "sys/file.h"
#include "table/syntax.h"
#include "tools/lint/checks.h"
#include "tools/lint/tables.h"

namespace postrider::lint {

namespace {

/// These deliver to, or run, what is outside.
constexpr std::string_view kNeverChrooted[] = {"local", "virtual", "pipe", "spawn", "proxymap", "postlogd"};

/// Where programs of the system have their sockets.
constexpr std::string_view kSystemPlaces[] = {"/run/",  "/var/run/", "/tmp/", "/var/lib/", "/var/spool/",
                                              "/home/", "/usr/",     "/opt/", "/srv/"};

class ChrootCheck {
 public:
  ChrootCheck(const Model& model, Report& report, const Service& service)
      : model_(model), report_(report), service_(service), queue_(model.queue_directory()) {}

  void run() {
    if (service_.program == "smtpd") {
      milters("smtpd_milters");
      restrictions();
      if (equals_ignore_case(value("smtpd_sasl_auth_enable"), "yes") &&
          equals_ignore_case(value("smtpd_sasl_type"), "dovecot")) {
        std::string path = value("smtpd_sasl_path");
        if (!path.starts_with("inet:"))
          socket(path.starts_with("unix:") ? path.substr(5) : path, "smtpd_sasl_path", path);
      }
    }
    if (service_.program == "cleanup") milters("non_smtpd_milters");
    for (std::string_view program : {"smtpd", "smtp", "lmtp"})
      if (service_.program == program) directory(fmt::format("{}_tls_CApath", program));
    if (service_.program == "lmtp" || service_.program == "smtp") transports();
    tables();
  }

 private:
  std::string value(std::string_view name) const { return model_.value(name, &service_); }

  /// A socket that the service connects to while it runs.
  void socket(std::string_view path, std::string_view parameter, std::string_view word) {
    if (!path.starts_with('/')) return;  // Counts from the queue directory in any case.
    std::string inside = queue_ + std::string(path);
    if (sys::exists(inside)) return;
    bool in_queue = path.starts_with(queue_ + "/");
    bool elsewhere = std::ranges::any_of(kSystemPlaces, [&](auto place) { return path.starts_with(place); });
    if (!in_queue && !elsewhere && !sys::exists(std::string(path))) return;
    std::string remedy =
        in_queue ? fmt::format("write {}", path.substr(queue_.size() + 1))
                 : fmt::format(
                       "have its owner make the socket below {} and give the path from there, or write n in "
                       "the column chroot of {}",
                       queue_, service_.entry.id());
    report_.add(codes::chroot_socket, model_.place(parameter, &service_, word),
                fmt::format("{} names the socket {}; the service {} runs chrooted and looks for {}",
                            parameter, path, service_.entry.id(), inside),
                std::move(remedy));
  }

  /// A directory that is read while the service runs. Where nothing of the system has been copied into the
  /// queue directory yet, that is still to come.
  void directory(const std::string& parameter) {
    std::string path = value(parameter);
    bool looked_for = service_.find(parameter) || model_.config().is_set(parameter);
    if (!looked_for || !path.starts_with('/') || path.starts_with(queue_ + "/")) return;
    bool populated = sys::exists(queue_ + "/etc/resolv.conf") || sys::exists(queue_ + "/etc/hosts");
    if (!populated || sys::exists(queue_ + path)) return;
    report_.add(codes::chroot_directory, model_.place(parameter, &service_),
                fmt::format("{} names {}; the service {} runs chrooted and finds nothing at {}{}", parameter,
                            path, service_.entry.id(), queue_, path),
                fmt::format("copy the directory there, use {} instead, or write n in the column chroot",
                            replace_all(parameter, "CApath", "CAfile")));
  }

  void milters(std::string_view parameter) {
    std::string text = value(parameter);
    for (std::string_view word : list_words(text)) {
      std::string_view endpoint = word;
      if (endpoint.starts_with('{')) {
        endpoint.remove_prefix(1);
        auto first = next_token(endpoint, ", \t\r\n{}");
        if (!first) continue;
        endpoint = *first;
      }
      for (std::string_view kind : {"unix:", "local:"})
        if (endpoint.starts_with(kind)) socket(endpoint.substr(kind.size()), parameter, endpoint);
    }
  }

  /// check_policy_service in the lists, and in the classes.
  void restrictions() {
    std::vector<std::string> lists = {"smtpd_client_restrictions",      "smtpd_helo_restrictions",
                                      "smtpd_sender_restrictions",      "smtpd_relay_restrictions",
                                      "smtpd_recipient_restrictions",   "smtpd_data_restrictions",
                                      "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions"};
    std::string classes = value("smtpd_restriction_classes");
    for (std::string_view name : split_any(classes, kListSeparators))
      lists.emplace_back(name);
    for (const std::string& list : lists) {
      std::string text = value(list);
      std::string_view rest = text;
      while (auto word = table::next_item(rest)) {
        if (!equals_ignore_case(*word, "check_policy_service")) continue;
        auto argument = table::next_item(rest);
        if (!argument) break;
        std::string_view endpoint = *argument;
        if (endpoint.starts_with('{')) {
          endpoint.remove_prefix(1);
          endpoint = next_token(endpoint, ", \t\r\n{}").value_or("");
        }
        if (endpoint.starts_with("unix:")) socket(endpoint.substr(5), list, endpoint);
      }
    }
  }

  /// "lmtp:unix:/path" in parameters that use this service.
  void transports() {
    for (std::string_view parameter : {"local_transport", "virtual_transport", "mailbox_transport",
                                       "fallback_transport", "relay_transport", "default_transport"}) {
      std::string text = model_.value(parameter);
      std::string prefix = service_.entry.name + ":unix:";
      if (!text.starts_with(prefix)) continue;
      socket(std::string_view(text).substr(prefix.size()), parameter, text);
    }
  }

  /// Tables with a socket connect when they are asked.
  void tables() {
    for (const TableUse& use : table_uses(model_)) {
      bool mine = use.service ? use.service == &service_ : !service_.find(use.parameter);
      if (use.proxied || !mine || !program_reads(service_.program, use.parameter)) continue;
      constexpr std::string_view kUnix = "unix:";
      if (use.type == "socketmap" && use.name.starts_with(kUnix)) {
        std::string_view path = std::string_view(use.name).substr(kUnix.size());
        socket(path.substr(0, path.rfind(':')), use.parameter, use.spec());
      }
      if (use.type == "mysql" || use.type == "pgsql") database(use);
    }
  }

  /// The servers of a database table.
  void database(const TableUse& use) {
    if (!use.name.starts_with('/')) return;
    auto text = sys::read_file(use.name, config::kMaxConfigFile);
    auto file = text ? config::parse_main_cf(*text, use.name) : std::unexpected(std::move(text).error());
    if (!file) return;
    for (const config::MainCfEntry& entry : file->entries) {
      if (entry.name != "hosts") continue;
      for (std::string_view host : split_any(entry.value, kListSeparators))
        server(use, host, entry.line);
    }
  }

  /// "unix:/path"; MySQL's library takes "localhost" for the socket, too.
  void server(const TableUse& use, std::string_view host, int line) {
    constexpr std::string_view kUnix = "unix:";
    if (host.starts_with(kUnix)) return socket(host.substr(kUnix.size()), use.parameter, use.spec());
    if (use.type != "mysql" || (host != "localhost" && host != "inet:localhost")) return;
    for (const char* place : {"/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock"})
      if (sys::exists(queue_ + place)) return;
    // Said once a file, whatever services read it.
    report_.add(codes::chroot_socket, {use.name, line},
                "MySQL takes localhost for its socket, which services that run chrooted cannot reach",
                fmt::format("write hosts = 127.0.0.1, or name the table as proxy:{}", use.spec()));
  }

  const Model& model_;
  Report& report_;
  const Service& service_;
  std::string queue_;
};

}  // namespace

void check_chroot(const Model& model, Report& report) {
  for (const Service& service : model.services()) {
    if (!model.is_chrooted(service)) continue;
    if (std::ranges::find(kNeverChrooted, service.program) != std::end(kNeverChrooted)) {
      report.add(codes::chroot_program, model.place(service),
                 fmt::format(
                     "the service {} runs chrooted, and {} works with what is outside of the queue directory",
                     service.entry.id(), service.program),
                 "write n in the column chroot");
      continue;
    }
    ChrootCheck(model, report, service).run();
  }
}

}  // namespace postrider::lint
