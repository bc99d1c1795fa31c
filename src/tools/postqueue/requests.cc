#include "tools/postqueue/requests.h"

#include <cerrno>
#include <utility>

#include "clients/flush.h"
#include "clients/trigger.h"
#include "config/params/qmgr.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "io/loop.h"
#include "log/log.h"
#include "mail/hostname.h"
#include "tool/tool.h"

namespace postrider::postqueue {

namespace params = config::params;

using proto::FlushResult;

namespace {

constexpr std::string_view kDown = "Cannot flush mail queue - mail system is down";

[[noreturn]] void refuse(FlushResult result, const std::string& what) {
  if (result == FlushResult::invalid) tool::fatal(tool::kUsage, "Invalid request: \"{}\"", what);
  if (result == FlushResult::denied) {
    tool::fail("Flush service is not configured for destination \"{}\"", what);
  }
  tool::fail_text(kDown);
}

/// Asks the flush service with `ask`; ends the process unless the answer is yes.
template <typename Ask>
void ask_flush(const config::Config& config, const std::string& what, Ask ask) {
  FlushResult result = FlushResult::failed;
  io::run_with_loop([&] {
    clients::FlushClient client(config, "postqueue");
    result = ask(client, Deadline::after(config.get(params::ipc_timeout)));
  });
  if (result != FlushResult::ok) refuse(result, what);
}

}  // namespace

void flush_queue(const config::Config& config) {
  const std::pair<std::string, std::string_view> requests[] = {
      {config.get(params::queue_service_name), clients::kQmgrFlushAll},
      {config.get(params::pickup_service_name), clients::kWakeUp},
  };
  for (const auto& [service, letters] : requests) {
    auto sent = clients::trigger(config, "public/" + service, letters);
    if (sent) continue;
    // A service that does not answer is said once; one that is not there could be a mistake in the
    // configuration.
    if (sent.error().code == ENOENT) {
      log::warning("{}", sent.error().text);
    } else {
      log::debug("{}", sent.error().text);
    }
    tool::fail_text(kDown);
  }
}

bool is_site(const std::string& text) {
  return text.starts_with('[') ? mail::valid_mailhost_literal(text) : mail::valid_hostname(text);
}

void flush_site(const config::Config& config, const std::string& site) {
  ask_flush(config, site, [&](clients::FlushClient& client, Deadline deadline) {
    return client.send_site(site, deadline);
  });
}

void flush_message(const config::Config& config, const std::string& queue_id) {
  ask_flush(config, queue_id, [&](clients::FlushClient& client, Deadline deadline) {
    return client.send_message(queue_id, deadline);
  });
}

}  // namespace postrider::postqueue
