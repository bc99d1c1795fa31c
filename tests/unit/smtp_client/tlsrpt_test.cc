#include "smtp/tlsrpt.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace postrider::smtp_client {
namespace {

using nlohmann::json;

TlsReport report_of(const TlsPolicy& policy) {
  return {.order = {"dest.test", "v=TLSRPTv1; rua=mailto:tls@dest.test"},
          .policy = &policy,
          .sending_address = "192.0.2.1",
          .host = "mx.dest.test",
          .address = "192.0.2.2",
          .helo = "mx",
          .failure = {},
          .reason = {}};
}

TEST(TlsReport, ASuccessIsCounted) {
  TlsPolicy policy;
  EXPECT_EQ(json::parse(report_datagram(report_of(policy))), json::parse(R"({
    "dpv": "1", "d": "dest.test", "pr": "v=TLSRPTv1; rua=mailto:tls@dest.test",
    "policies": [{"policy-type": 9, "policy-domain": "dest.test", "t": 0, "f": 0}]})"));
}

TEST(TlsReport, AFailureHasItsDetails) {
  TlsPolicy policy;
  TlsReport report = report_of(policy);
  report.failure = TlsFailure::certificate_expired;
  report.reason = "certificate has expired";
  EXPECT_EQ(json::parse(report_datagram(report))["policies"], json::parse(R"([{
    "policy-type": 9, "policy-domain": "dest.test", "t": 1, "f": 1,
    "failure-details": [{"c": 204, "s": "192.0.2.1", "n": "mx.dest.test", "h": "mx", "r": "192.0.2.2",
                         "f": "certificate has expired"}]}])"));
}

TEST(TlsReport, TheRecordsOfTheDnsAreThePolicy) {
  TlsPolicy policy;
  policy.dane = {.base_domain = "mx.dest.test", .records = {"3 1 1 00FF"}};
  EXPECT_EQ(json::parse(report_datagram(report_of(policy)))["policies"], json::parse(R"([{
    "policy-type": 1, "policy-domain": "mx.dest.test", "policy-string": ["3 1 1 00FF"], "t": 0, "f": 0}])"));
}

TEST(TlsReport, SoIsWhatATableSaysOfMtaSts) {
  TlsPolicy policy;
  policy.sts.type = "sts";
  policy.sts.domain = "policy.test";
  policy.sts.lines = {"version: STSv1", "mode: testing"};
  policy.sts.mx_patterns = {"*.dest.test"};
  EXPECT_EQ(json::parse(report_datagram(report_of(policy)))["policies"], json::parse(R"([{
    "policy-type": 2, "policy-domain": "policy.test", "policy-string": ["version: STSv1", "mode: testing"],
    "mx-host": ["*.dest.test"], "t": 0, "f": 0}])"));
  policy.sts.type = "no-policy-found";
  EXPECT_EQ(json::parse(report_datagram(report_of(policy)))["policies"][0]["policy-type"], 9);
}

TEST(TlsReport, BytesOfOthersDoNoHarm) {
  TlsPolicy policy;
  TlsReport report = report_of(policy);
  report.failure = TlsFailure::starttls_not_supported;
  report.reason = "454 \xff\"";
  EXPECT_NO_THROW(json::parse(report_datagram(report)));
}

TEST(TlsFailure, HasNames) {
  EXPECT_EQ(name_of(TlsFailure::tlsa_invalid), "tlsa_invalid");
  EXPECT_EQ(parse_sts_failure("sts-policy-invalid"), TlsFailure::sts_policy_invalid);
  EXPECT_EQ(parse_sts_failure("validation-failure"), TlsFailure::validation_failure);
  EXPECT_EQ(parse_sts_failure("x"), std::nullopt);
}

}  // namespace
}  // namespace postrider::smtp_client
