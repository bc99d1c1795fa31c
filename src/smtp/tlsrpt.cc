#include "smtp/tlsrpt.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/idna.h"
#include "base/text.h"
#include "config/params/lmtp_tls.h"
#include "config/params/smtp_tls.h"
#include "log/log.h"
#include "mail/hostname.h"
#include "smtp/twin_parameters.h"
#include "sys/local_socket.h"

namespace postrider::smtp_client {

namespace params = config::params;
using Json = nlohmann::json;

namespace {

constexpr std::string_view kProtocolVersion = "1";
/// A record longer than that is not one.
constexpr size_t kMaxRecord = 2000;

/// The kinds of policies, with the numbers of the service's protocol.
enum class PolicyType : int { tlsa = 1, sts = 2, none = 9 };

struct NamedFailure {
  TlsFailure failure;
  std::string_view name;
};
constexpr NamedFailure kFailures[] = {
    {TlsFailure::starttls_not_supported, "starttls_not_supported"},
    {TlsFailure::certificate_host_mismatch, "certificate_host_mismatch"},
    {TlsFailure::certificate_not_trusted, "certificate_not_trusted"},
    {TlsFailure::certificate_expired, "certificate_expired"},
    {TlsFailure::validation_failure, "validation_failure"},
    {TlsFailure::sts_policy_fetch_error, "sts_policy_fetch_error"},
    {TlsFailure::sts_policy_invalid, "sts_policy_invalid"},
    {TlsFailure::sts_webpki_invalid, "sts_webpki_invalid"},
    {TlsFailure::tlsa_invalid, "tlsa_invalid"},
};

void put(Json& to, const char* key, const std::string& value) {
  if (!value.empty()) to[key] = value;
}

void put(Json& to, const char* key, const std::vector<std::string>& values) {
  if (!values.empty()) to[key] = values;
}

Json policy_object(const TlsReport& report) {
  const TlsPolicy& policy = *report.policy;
  PolicyType type = PolicyType::none;
  std::string domain = report.order.domain;
  Json out;
  if (!policy.dane.records.empty()) {
    type = PolicyType::tlsa;
    domain = policy.dane.base_domain;
    put(out, "policy-string", policy.dane.records);
  } else if (policy.sts.type == "sts") {
    type = PolicyType::sts;
    if (!policy.sts.domain.empty()) domain = policy.sts.domain;
    put(out, "policy-string", policy.sts.lines);
    put(out, "mx-host", policy.sts.mx_patterns);
  }
  out["policy-type"] = static_cast<int>(type);
  out["policy-domain"] = domain;
  return out;
}

Json failure_object(const TlsReport& report) {
  Json out{{"c", static_cast<int>(*report.failure)}};
  put(out, "s", report.sending_address);
  put(out, "n", report.host);
  put(out, "h", report.helo);
  put(out, "r", report.address);
  put(out, "f", report.reason);
  return out;
}

}  // namespace

std::string_view name_of(TlsFailure failure) {
  for (const NamedFailure& known : kFailures) {
    if (known.failure == failure) return known.name;
  }
  return "validation_failure";
}

std::optional<TlsFailure> parse_sts_failure(std::string_view word) {
  const std::string name = replace_all(word, "-", "_");
  for (const NamedFailure& known : kFailures) {
    if (known.name == name) return known.failure;
  }
  return std::nullopt;
}

std::string report_datagram(const TlsReport& report) {
  Json policy = policy_object(report);
  if (report.failure) policy["failure-details"] = Json::array({failure_object(report)});
  policy["t"] = report.failure ? 1 : 0;
  policy["f"] = report.failure ? 1 : 0;
  Json out{{"dpv", kProtocolVersion},
           {"d", report.order.domain},
           {"pr", report.order.record},
           {"policies", Json::array({std::move(policy)})}};
  // What is no UTF-8 came from elsewhere: it is not worth an exception.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TlsReporter::TlsReporter(const config::Config& config, bool lmtp, dns::Resolver& resolver)
    : resolver_(resolver) {
  TwinParameters r(config, lmtp);
  if (!r.get(params::smtp_tlsrpt_enable, params::lmtp_tlsrpt_enable)) return;
  socket_ = r.get(params::smtp_tlsrpt_socket_name, params::lmtp_tlsrpt_socket_name);
  skips_resumed_ =
      r.get(params::smtp_tlsrpt_skip_reused_handshakes, params::lmtp_tlsrpt_skip_reused_handshakes);
  if (!socket_.empty()) return;
  std::string prefix = lmtp ? "lmtp" : "smtp";
  throw config::ConfigError(
      fmt::format("{0}_tlsrpt_enable is set, and {0}_tlsrpt_socket_name is empty", prefix),
      config.source(prefix + "_tlsrpt_enable"),
      fmt::format("set {}_tlsrpt_socket_name to the socket of tlsrpt-collectd", prefix));
}

std::optional<TlsReportOrder> TlsReporter::find_order(std::string_view domain, Deadline deadline) const {
  auto ascii = domain_to_ascii(domain);
  if (!ascii || !mail::valid_hostname(*ascii)) return std::nullopt;
  dns::Answer answer = resolver_.lookup("_smtp._tls." + *ascii, dns::Type::txt, {}, deadline);
  TlsReportOrder out{.domain = *ascii, .record = {}};
  for (const dns::Record& record : answer.records) {
    if (record.type != dns::Type::txt || !record.data.starts_with("v=TLSRPTv1;")) continue;
    // RFC 8460 section 3: with more than one, there is none.
    if (!out.record.empty() || record.data.size() > kMaxRecord) return std::nullopt;
    out.record = record.data;
  }
  return out.record.empty() ? std::nullopt : std::optional(std::move(out));
}

void TlsReporter::send(const TlsReport& report) const {
  std::string text =
      fmt::format("TLSRPT: status={}, domain={}, receiving_mx={}[{}]", report.failure ? "failure" : "success",
                  report.order.domain, report.host, report.address);
  if (report.failure) text += fmt::format(", failure_type={}", name_of(*report.failure));
  if (report.failure && !report.reason.empty()) text += fmt::format(", failure_reason={}", report.reason);
  log::info("{}", printable(text));
  if (auto sent = sys::send_local_datagram(socket_, report_datagram(report)); !sent)
    log::warning("TLSRPT: {}", sent.error().text);
}

}  // namespace postrider::smtp_client
