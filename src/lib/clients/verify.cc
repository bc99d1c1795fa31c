#include "clients/verify.h"

#include <algorithm>

#include "base/text.h"
#include "clients/endpoint.h"
#include "config/params/rewrite.h"
#include "config/params/verify.h"
#include "io/fiber.h"
#include "mail/address_parts.h"

namespace postrider::clients {

namespace params = config::params;

VerifyClient::VerifyClient(const config::Config& config, std::string_view asker)
    : client_(private_endpoint(config, config.get(params::address_verify_service_name), asker)),
      poll_count_(config.get(params::address_verify_poll_count)),
      poll_delay_(config.get(params::address_verify_poll_delay)) {}

Result<proto::VerifyAnswer> VerifyClient::query(std::string_view address, Deadline deadline) {
  proto::VerifyQuery request;
  request.address = address;
  return client_.call<proto::VerifyAnswer>(request, deadline);
}

Result<proto::VerifyAnswer> VerifyClient::verify(std::string_view address, Deadline deadline) {
  for (int count = 1;; ++count) {
    proto::VerifyAnswer answer = TRY(query(address, deadline));
    if (answer.status != proto::AddressStatus::in_progress || count >= poll_count_) return answer;
    io::sleep_until(Deadline::after(poll_delay_).or_sooner(deadline));
  }
}

Result<void> VerifyClient::update(std::string_view address, proto::AddressStatus status,
                                  std::string_view text, Deadline deadline) {
  proto::VerifyUpdate request;
  request.address = address;
  request.status = status;
  request.text = text.substr(0, request.text.kMax);
  TRY(client_.call<proto::VerifyNoted>(request, deadline));
  return {};
}

// --- the sender of probes ---

namespace {

/// Digits and consonants: no words come out. In either case, as localparts are not always kept as they are.
constexpr std::string_view kDigits = "0123456789BCDFGHJKLMNPQRSTVWXYZ";

std::string slot_text(int64_t slot) {
  std::string out;
  for (int64_t rest = slot; rest > 0 || out.empty(); rest /= static_cast<int64_t>(kDigits.size())) {
    out += kDigits[static_cast<size_t>(rest) % kDigits.size()];
  }
  std::ranges::reverse(out);
  return out;
}

}  // namespace

ProbeSender::ProbeSender(const config::Config& config)
    : address_(config.get(params::address_verify_sender)),
      ttl_(config.get(params::address_verify_sender_ttl).count()) {
  if (address_ == "<>") address_.clear();
  if (address_.empty()) return;
  if (!mail::has_domain(address_)) address_ += "@" + config.get(params::myorigin);
}

std::string ProbeSender::with_slot(int64_t slot) const {
  std::string out(mail::localpart_of(address_));
  out += slot_text(slot);
  out += '@';
  out += mail::domain_of(address_);
  return out;
}

std::string ProbeSender::at(int64_t now) const {
  return address_.empty() || ttl_ <= 0 ? address_ : with_slot(now / ttl_);
}

std::optional<std::string> ProbeSender::canonical(std::string_view address, int64_t now) const {
  if (address_.empty() || ttl_ <= 0) return std::nullopt;
  // Clocks differ, and an answer may come just after the change.
  int64_t current = now / ttl_;
  for (int64_t slot : {current, current - 1, current + 1}) {
    if (equals_ignore_case(address, with_slot(slot))) return address_;
  }
  return std::nullopt;
}

}  // namespace postrider::clients
