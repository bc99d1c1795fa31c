// Entries of TLS policy tables, fingerprints, TLSA records and files with trust anchors.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "log/log.h"
#include "smtp/tls_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace postrider;
  static const bool quiet = (log::set_test_sink([](log::Severity, std::string_view) {}), true);
  static const tls::DaneDigests digests("sha512 sha256");
  std::string_view text(reinterpret_cast<const char*>(data), size);
  smtp_client::TlsSettings settings;
  // No files are read here.
  if (text.find("tafile") == text.npos && quiet) {
    auto policy = smtp_client::parse_tls_policy(text, "fuzz", settings);
    if (policy && policy->level == tls::Level::half_dane) abort();
    if (policy && complete_tls_policy(*policy, settings, "dest.test")) {
      tls::Demands demands = demands_of(*policy, {"mx.dest.test", "dest.test"});
      if (demands.level != policy->level) abort();
    }
  }
  for (const tls::Tlsa& record : tls::fingerprint_records(text, "|"))
    if (record.data.empty() || record.data.size() * 2 > size) abort();
  if (auto record = tls::parse_tlsa(text)) (void)is_usable(*record, digests);
  (void)tls::anchor_records({"fuzz", std::string(text)});
  return 0;
}
