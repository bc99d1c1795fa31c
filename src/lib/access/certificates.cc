// Clients that are known by their TLS certificates.
#include "access/judge.h"
#include "access/reply.h"
#include "log/log.h"
#include "tls/session.h"

namespace postrider::access {

/// A client is not asked for what nobody looks at; who wants to look has to ask.
bool Judge::certificates_are_asked_for(std::string_view restriction) const {
  if (!policy_.settings.asks_certificate)
    log::warning("{} is requested, but \"smtpd_tls_ask_ccert = no\"", restriction);
  return policy_.settings.asks_certificate;
}

/// Whether a table has the client's certificate or its key.
Result<bool> Judge::certificate_is_listed(const table::Maps& maps) const {
  const tls::Peer& peer = facts_.tls->peer;
  for (const std::string* fingerprint : {&peer.certificate_fingerprint, &peer.key_fingerprint}) {
    if (TRY(maps.find(*fingerprint, table::Where::all, deadline_))) return true;
  }
  return false;
}

Judge::Verdict Judge::permit_by_certificate(const Restriction& r) {
  if (!facts_.tls || !certificates_are_asked_for(r.name)) return Verdict::undecided;
  if (!facts_.tls->peer.present) return Verdict::undecided;
  if (r.name == "permit_tls_all_clientcerts") {
    if (!facts_.tls->peer.trusted) return Verdict::undecided;
    return permit(r.name, {facts_.client, about::kClient});
  }
  auto listed = certificate_is_listed(policy_.relay_certificates);
  if (!listed) return lookup_failure(facts_.client);
  return *listed ? permit(r.name, {facts_.client, about::kClient}) : Verdict::undecided;
}

Judge::Verdict Judge::check_certificate(const Restriction& r, const Target& outer) {
  if (!facts_.tls || !certificates_are_asked_for(r.name)) return Verdict::undecided;
  const tls::Peer& peer = facts_.tls->peer;
  if (!peer.present) return Verdict::undecided;
  Target target{peer.common_name, about::kCertificate, outer.default_subject};
  for (CertificateKey key : r.search_order) {
    auto hit = find_key(
        r.table, key == CertificateKey::certificate ? peer.certificate_fingerprint : peer.key_fingerprint);
    if (!hit || *hit) return found(r, std::move(hit), target);
  }
  return Verdict::undecided;
}

}  // namespace postrider::access
