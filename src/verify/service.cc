#include "verify/service.h"

#include <algorithm>

#include "base/text.h"
#include "config/params/system.h"
#include "config/params/verify.h"
#include "log/log.h"

namespace postrider::verify {

namespace params = config::params;
using proto::AddressStatus;

namespace {

/// A probe without an answer is not repeated for so long.
constexpr int64_t kProbeLifetime = 1000;

/// Address literals have colons, which some tables' own formats give a meaning.
std::string cache_key(std::string_view address) {
  std::string out(address);
  std::ranges::replace(out, ':', '_');
  return out;
}

}  // namespace

Settings::Settings(const config::Config& config)
    : map(config.get(params::address_verify_map)),
      positive_expire(config.get(params::address_verify_positive_expire_time)),
      positive_refresh(config.get(params::address_verify_positive_refresh_time)),
      negative_expire(config.get(params::address_verify_negative_expire_time)),
      negative_refresh(config.get(params::address_verify_negative_refresh_time)),
      negative_cache(config.get(params::address_verify_negative_cache)),
      cleanup_interval(config.get(params::address_verify_cache_cleanup_interval)),
      ipc_timeout(config.get(params::ipc_timeout)),
      ipc_idle(config.get(params::ipc_ttl)) {}

void Service::add_handlers(ipc::Dispatcher& dispatcher) {
  dispatcher.on<proto::VerifyQuery>(
      [this](proto::VerifyQuery request, Deadline deadline) { return query(request, deadline); });
  dispatcher.on<proto::VerifyUpdate>(
      [this](proto::VerifyUpdate request, Deadline deadline) { return update(request, deadline); });
}

bool Service::is_expired(const Knowledge& knowledge) const {
  seconds lifetime =
      knowledge.status == AddressStatus::deliverable ? settings_.positive_expire : settings_.negative_expire;
  // Of an address that nothing was learned of yet, the probe is what grows old.
  int64_t since = knowledge.updated != 0 ? knowledge.updated : knowledge.probed;
  return since + lifetime.count() < now_();
}

bool Service::is_expired(std::string_view entry) const {
  auto knowledge = Knowledge::parse(entry);
  return !knowledge || is_expired(*knowledge);
}

Result<std::optional<Knowledge>> Service::find(std::string_view key, Deadline deadline) {
  auto entry = TRY(cache_.find(key, deadline));
  return entry ? Knowledge::parse(*entry) : std::nullopt;
}

bool Service::needs_probe(const Knowledge& knowledge) const {
  seconds refresh = knowledge.status == AddressStatus::deliverable ? settings_.positive_refresh
                                                                   : settings_.negative_refresh;
  return now_() - knowledge.probed > kProbeLifetime && knowledge.updated + refresh.count() < now_();
}

Result<proto::VerifyAnswer> Service::query(const proto::VerifyQuery& request, Deadline deadline) {
  const std::string key = cache_key(request.address);
  auto found = find(key, deadline);
  proto::VerifyAnswer answer;
  if (!found) {
    // A probe could not be remembered, and would be sent again with each question.
    log::warning("{}", found.error().text);
    answer.status = AddressStatus::deferred;
    answer.text = std::string_view("address verification status unavailable");
    return answer;
  }
  Knowledge known;
  known.text = "Address verification in progress";
  if (*found && !is_expired(**found)) known = std::move(**found);
  answer.status = known.status;
  answer.text = known.text;
  if (needs_probe(known)) {
    send_probe_(request.address);
    if (known.updated != 0 || settings_.negative_cache) {
      known.probed = now_();
      if (auto stored = cache_.store(key, known.entry(), deadline); !stored)
        log::warning("{}", stored.error().text);
    }
  }
  return answer;
}

Result<proto::VerifyNoted> Service::update(const proto::VerifyUpdate& request, Deadline deadline) {
  const std::string key = cache_key(request.address);
  if (request.status > AddressStatus::undeliverable) return fail(ErrorKind::invalid, "bad address status");
  if (request.status != AddressStatus::deliverable) {
    // One probe that fails does not undo what others found: the address is asked for again.
    auto found = TRY(find(key, deadline));
    if (found && found->status == AddressStatus::deliverable) return proto::VerifyNoted{};
  }
  Knowledge known;
  known.status = request.status;
  known.updated = now_();
  known.text = printable(request.text);
  if (known.text.empty()) known.text = "no reason given";
  TRY(cache_.store(key, known.entry(), deadline));
  return proto::VerifyNoted{};
}

}  // namespace postrider::verify
