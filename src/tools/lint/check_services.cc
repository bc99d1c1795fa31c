// The entries of master.cf.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "sys/file.h"
#include "tools/lint/checks.h"
#include "tools/lint/listeners.h"
#include "tools/lint/nearest.h"

namespace postrider::lint {

namespace {

/// Services without which mail is not received or delivered.
constexpr std::string_view kNeeded[] = {"pickup", "cleanup", "qmgr",  "rewrite", "bounce",
                                        "defer",  "trace",   "showq", "error",   "retry"};

constexpr std::string_view kPrograms[] = {
    "anvil",  "bounce", "cleanup",  "discard",         "dnsblog",  "error",
    "flush",  "lmtp",   "local",    "nbdb_reindexd",   "nqmgr",    "oqmgr",
    "pickup", "pipe",   "postlogd", "postscreen",      "proxymap", "qmgr",
    "qmqpd",  "relay",  "scache",   "showq",           "smtp",     "smtpd",
    "spawn",  "tlsmgr", "tlsproxy", "trivial-rewrite", "verify",   "virtual",
};
/// Programs of which there is one process.
constexpr std::string_view kAlone[] = {"anvil",  "nbdb_reindexd", "nqmgr",      "oqmgr",
                                       "pickup", "postlogd",      "postscreen", "qmgr",
                                       "scache", "tlsmgr",        "verify"};

template <size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

void check_program(const Model& model, Report& report, const Service& service) {
  Place place = model.place(service);
  if (service.entry.command.starts_with('/')) {
    if (!sys::exists(service.entry.command)) {
      report.add(codes::service_unknown_program, place,
                 fmt::format("the service {} runs {}, which does not exist", service.entry.id(),
                             service.entry.command),
                 "correct the path, or install the program");
    }
    return;
  }
  std::string path = model.value("daemon_directory") + "/" + service.entry.command;
  if (is_in(kPrograms, service.program) || sys::exists(path)) return;
  std::string_view meant = nearest(service.program, kPrograms);
  report.add(codes::service_unknown_program, place,
             fmt::format("the service {} runs {}, and there is no such program", service.entry.id(),
                         service.entry.command),
             meant.empty() ? std::string("correct the last column")
                           : fmt::format("write {} if that was meant", meant));
}

void check_left_over(const Model& model, Report& report, const Service& service) {
  std::string_view word = left_over_argument(service);
  if (word.empty()) return;
  report.add(codes::service_arguments, model.place(service),
             fmt::format("the service {} has the argument {}, and {} takes none: it does not start",
                         service.entry.id(), word, service.program),
             "write values without spaces, or with braces: -o { name = value, value }");
}

/// What pipe(8) and spawn(8) cannot do without.
void check_arguments(const Model& model, Report& report, const Service& service) {
  if (service.program != "pipe" && service.program != "spawn") return check_left_over(model, report, service);
  auto has = [&](std::string_view attribute) {
    return std::ranges::any_of(service.entry.arguments,
                               [&](const std::string& word) { return word.starts_with(attribute); });
  };
  for (std::string_view needed : {"user=", "argv="}) {
    if (has(needed)) continue;
    report.add(codes::service_arguments, model.place(service),
               fmt::format("the service {} has no {}: {} does not run without it", service.entry.id(), needed,
                           service.program),
               needed == "user=" ? "add user=name, an account that is neither root nor the mail owner"
                                 : "add argv=command with its arguments, at the end");
  }
  for (const std::string& word : service.entry.arguments) {
    if (word != "user=root" && !word.starts_with("user=root:")) continue;
    report.add(codes::service_arguments, model.place(service),
               fmt::format("the service {} would run its command as root, which {} refuses",
                           service.entry.id(), service.program),
               "give user= an account of its own");
  }
}

void check_wrapper_mode(const Model& model, Report& report, const Service& service) {
  if (!service.is_inet() || service.program != "smtpd") return;
  std::string port = port_of(service);
  bool wrapped = equals_ignore_case(model.value("smtpd_tls_wrappermode", &service), "yes");
  if (port == "465" && !wrapped) {
    report.add(codes::tls_wrapper_mode, model.place(service),
               fmt::format("clients of the service {} begin with TLS at once, and this one does not",
                           service.entry.id()),
               "add -o smtpd_tls_wrappermode=yes");
  } else if ((port == "25" || port == "587") && wrapped) {
    report.add(codes::tls_wrapper_mode, model.place("smtpd_tls_wrappermode", &service),
               fmt::format("the service {} begins with TLS at once, and clients of port {} do not",
                           service.entry.id(), port),
               "remove smtpd_tls_wrappermode=yes here; STARTTLS is what this port has");
  }
}

/// postscreen asks DNS lists by way of another service, without which no list counts.
void check_list_service(const Model& model, Report& report, const Service& postscreen) {
  if (trim(model.value("postscreen_dnsbl_sites", &postscreen)).empty()) return;
  std::string wanted = model.value("dnsblog_service_name", &postscreen);
  bool found = std::ranges::any_of(model.services(), [&](const Service& other) {
    return other.entry.name == wanted && other.entry.type == config::ServiceType::unix_;
  });
  if (found) return;
  report.add(codes::service_missing, model.place(postscreen),
             fmt::format("postscreen asks DNS lists through the service {}/unix, and there is none", wanted),
             fmt::format("add the line: {} unix - - n - 0 dnsblog", wanted));
}

/// postscreen gives clients that it lets in to another service.
void check_handover(const Model& model, Report& report) {
  for (const Service& service : model.services()) {
    if (service.program != "postscreen") continue;
    check_list_service(model, report, service);
    std::string wanted = model.value("smtpd_service_name", &service);
    bool found = std::ranges::any_of(model.services(), [&](const Service& other) {
      return other.entry.name == wanted && other.entry.type == config::ServiceType::pass;
    });
    if (found) continue;
    report.add(codes::service_missing, model.place(service),
               fmt::format("postscreen hands clients over to the service {}/pass, and there is none", wanted),
               fmt::format("add the line: {} pass - - n - - smtpd", wanted));
  }
}

/// postscreen has no keys: another service speaks TLS for it.
void check_tls_service(const Model& model, Report& report) {
  for (const Service& service : model.services()) {
    if (service.program != "postscreen") continue;
    std::string level = model.value("postscreen_tls_security_level", &service);
    auto is_set = [&](std::string_view name) {
      return equals_ignore_case(model.value(name, &service), "yes");
    };
    bool wanted = level.empty() ? is_set("postscreen_use_tls") || is_set("postscreen_enforce_tls")
                                : !equals_ignore_case(level, "none");
    std::string name = model.value("tlsproxy_service_name", &service);
    bool found = std::ranges::any_of(model.services(), [&](const Service& other) {
      return other.entry.name == name && other.program == "tlsproxy";
    });
    if (!wanted || found) continue;
    report.add(
        codes::service_missing, model.place(service),
        fmt::format("postscreen offers STARTTLS, and there is no service {} that speaks TLS for it", name),
        fmt::format("add the line: {} unix - - n - 0 tlsproxy", name));
  }
}

/// An inet name in one form: "smtp" and "25" are the same port.
std::string identity_of(const Service& service) {
  if (!service.is_inet()) return service.entry.name + "/unix";
  auto endpoint = config::parse_inet_endpoint(service.entry.name);
  std::string host = endpoint ? endpoint->host : std::string();
  if (host == "localhost") host = "127.0.0.1";
  return fmt::format("{}:{}/inet", host, port_of(service));
}

void check_repeated(const Model& model, Report& report) {
  std::map<std::string, const Service*> seen;
  for (const Service& service : model.services()) {
    auto [first, is_new] = seen.try_emplace(identity_of(service), &service);
    if (is_new) continue;
    report.add(codes::service_repeated, model.place(service),
               fmt::format("the service {} is defined a second time; the first is at line {}",
                           service.entry.id(), first->second->entry.line),
               "remove one of the two entries");
  }
}

/// Mail that comes back from the filter to a listener with the filter set goes there again.
void check_filter_loop(const Model& model, Report& report) {
  std::string filter = model.value("content_filter");
  if (filter.empty() || (filter.find("127.0.0.1") == filter.npos && filter.find("localhost") == filter.npos &&
                         filter.find("[::1]") == filter.npos)) {
    return;
  }
  std::vector<const Service*> returning;
  for (const Service& service : model.services()) {
    if (!service.is_inet() || service.program != "smtpd") continue;
    auto endpoint = config::parse_inet_endpoint(service.entry.name);
    if (!endpoint ||
        (endpoint->host != "127.0.0.1" && endpoint->host != "localhost" && endpoint->host != "::1"))
      continue;
    if (model.value("content_filter", &service) != filter) return;  // Mail can come back here.
    returning.push_back(&service);
  }
  for (const Service* service : returning) {
    report.add(codes::content_filter_loop, model.place(*service),
               fmt::format("mail that {} gives back to {} is sent to it again, without an end", filter,
                           service->entry.id()),
               "add -o content_filter= to this service");
  }
}

/// Who asks for indexes needs somebody to ask.
void check_reindexing(const Model& model, Report& report) {
  if (model.value("non_bdb_migration_level") != "enable-reindex") return;
  std::string wanted = model.value("non_bdb_migration_service_name");
  const Service* service = model.local_service(wanted);
  if (service && service->program == "nbdb_reindexd") return;
  report.add(
      codes::service_missing, model.place("non_bdb_migration_level"),
      fmt::format("indexes that are missing are asked for at the service {}, which runs no nbdb_reindexd",
                  wanted),
      "run \"postfix non-bdb enable-reindex\"");
}

}  // namespace

std::string_view left_over_argument(const Service& service) {
  if (!is_in(kPrograms, service.program)) return {};
  const auto& arguments = service.entry.arguments;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "-o")
      ++i;
    else if (!arguments[i].starts_with('-'))
      return arguments[i];
  }
  return {};
}

void check_services(const Model& model, Report& report) {
  for (const Service& service : model.services()) {
    check_program(model, report, service);
    check_arguments(model, report, service);
    check_wrapper_mode(model, report, service);
    if (is_in(kAlone, service.program) && service.entry.process_limit.value_or(0) != 1) {
      report.add(codes::service_process_limit, model.place(service),
                 fmt::format("{} must run as one process; the service {} has another limit", service.program,
                             service.entry.id()),
                 "write 1 in the column maxproc");
    }
    if (service.entry.type == config::ServiceType::fifo) {
      report.add(codes::deprecated_syntax, model.place(service),
                 fmt::format("the service {} is of the old type fifo", service.entry.name), "write unix");
    }
  }
  check_handover(model, report);
  check_tls_service(model, report);
  check_repeated(model, report);
  check_filter_loop(model, report);
  if (model.services().empty()) return;
  check_reindexing(model, report);
  for (std::string_view needed : kNeeded) {
    if (model.local_service(needed)) continue;
    report.add(codes::service_missing, {model.master_cf_path()},
               fmt::format("there is no service {}", needed), "run \"postfix upgrade-configuration\"");
  }
}

}  // namespace postrider::lint
