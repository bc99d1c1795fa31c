#include "clients/reindex.h"

#include <cerrno>
#include <thread>

#include <fmt/format.h>

#include "clients/endpoint.h"
#include "clients/migration.h"
#include "config/params/instance.h"
#include "config/params/system.h"
#include "config/params/tools.h"
#include "io/fiber.h"
#include "io/offload.h"
#include "ipc/blocking.h"
#include "proto/reindex.h"
#include "sys/file.h"

namespace postrider::clients {

namespace params = config::params;

namespace {

// A large table takes its time. Twice, as the service may just be replaced.
constexpr seconds kLimit{30};
constexpr int kAttempts = 2;
constexpr seconds kPause{1};
/// As each look-up in a table that fails tries to open it again: the log of nbdb_reindexd should stay
/// legible.
constexpr seconds kAskAgain{60};

/// Blocks. The error is what stands behind "migration error: ".
Result<void> ask(const ipc::Endpoint& endpoint, proto::Reindex request) {
  for (int attempt = 1;; ++attempt) {
    auto reply = ipc::ask_blocking<proto::Reindexed>(endpoint, request, kLimit);
    if (reply) return {};
    // What the service has refused it refuses again.
    if (reply.error().kind == ErrorKind::denied) return std::unexpected(std::move(reply).error());
    if (attempt == kAttempts) {
      return fail(ErrorKind::temporary,
                  fmt::format("connection to {} service: {}", endpoint.path, reply.error().text));
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::unexpected<Error> failed(std::string_view problem) {
  return fail(ErrorKind::temporary, fmt::format("Non-Berkeley-DB migration error: {}", problem));
}

bool is_missing(const std::string& path) {
  auto status = sys::stat_file(path);
  return !status && status.error().code == ENOENT;
}

}  // namespace

Reindexer::Reindexer(const config::Config& config)
    : queue_directory_(config.get(params::queue_directory)),
      service_(config.get(params::non_bdb_migration_service_name)),
      endpoint_(private_endpoint(config, service_, config.get(params::process_name))) {}

Result<void> Reindexer::provide(std::string_view spec, std::string_view target) {
  size_t colon = target.find(':');
  std::string_view type = target.substr(0, colon);
  std::string path(target.substr(colon + 1));
  std::string_view suffix = replacement_suffix(type);
  if (suffix.empty())
    return fail(ErrorKind::invalid,
                fmt::format("non-Berkeley-DB mapped type '{}' has no known pathname suffix", type));
  if (!is_missing(fmt::format("{}{}", path, suffix))) return {};
  Asked& asked = (*asked_)[std::string(spec)];
  if (Clock::now() < asked.again)
    return failed(asked.problem.empty() ? "the index is being made" : asked.problem);
  asked = {.problem = "", .again = Clock::now() + kAskAgain};
  proto::Reindex request;
  request.type = spec.substr(0, spec.find(':'));
  request.path = path;
  ipc::Endpoint endpoint = endpoint_;
  // Commands run anywhere; a daemon may be in a chroot, where only the short name exists.
  if (std::string whole = fmt::format("{}/{}", queue_directory_, endpoint_.path); sys::exists(whole))
    endpoint.path = whole;
  if (!io::in_fiber()) {
    auto done = ask(endpoint, request);
    if (done) {
      asked_->erase(std::string(spec));
      return {};
    }
    asked.problem = done.error().text;
    return failed(asked.problem);
  }
  io::spawn([requests = asked_, name = std::string(spec), endpoint, request] {
    auto done = io::offload([endpoint, request] { return ask(endpoint, request); }, Deadline::never());
    if (done) {
      requests->erase(name);
    } else {
      (*requests)[name].problem = done.error().text;
    }
  });
  return failed("the index is being made");
}

}  // namespace postrider::clients
