#include "tls/verification.h"

#include <fmt/format.h>

#include "log/log.h"
#include "tls/session.h"

namespace postrider::tls {

namespace {

int on_verify(int good, X509_STORE_CTX* store) {
  auto* connection =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Session& session = Session::of(connection);
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  int depth = X509_STORE_CTX_get_error_depth(store);
  if (depth > SSL_get_verify_depth(connection) && good == 1) {
    good = 0;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
  }
  if (good == 0) session.problems.note(X509_STORE_CTX_get_error(store), depth, certificate);
  if (session.labels().topics.has(LogTopics::detail)) {
    log::info("{}: depth={} verify={} subject={}", session.labels().peer, depth, good,
              certificate ? one_line(X509_get_subject_name(certificate)) : std::string());
  }
  return 1;
}

}  // namespace

void VerifyProblems::note(long problem, int at, const X509* certificate) {
  if (problem == X509_V_ERR_HOSTNAME_MISMATCH || problem == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    wrong_name = true;
    return;
  }
  if (error != X509_V_OK && depth <= at) return;
  error = problem;
  depth = at;
  issuer = certificate ? one_line(X509_get_issuer_name(certificate)) : std::string();
}

VerifyFault fault_of(const VerifyProblems& problems) {
  if (problems.error == X509_V_OK) return problems.wrong_name ? VerifyFault::wrong_name : VerifyFault::none;
  return problems.error == X509_V_ERR_CERT_HAS_EXPIRED ? VerifyFault::expired : VerifyFault::untrusted;
}

std::string fault_text(const VerifyProblems& problems) {
  if (problems.none()) return {};
  long error = problems.error == X509_V_OK ? X509_V_ERR_HOSTNAME_MISMATCH : problems.error;
  return X509_verify_cert_error_string(error);
}

std::string failure_line(const VerifyProblems& problems, std::string_view peer, std::string_view role) {
  if (problems.depth > 0) role = "CA";
  auto line = [&](std::string_view why) {
    return fmt::format("certificate verification failed for {}: {}", peer, why);
  };
  auto line_with_role = [&](std::string_view why) { return fmt::format("{} {}", role, line(why)); };
  long error = problems.error;
  switch (error) {
    case X509_V_ERR_CERT_UNTRUSTED:
      return line("not trusted by local or TLSA policy");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return line("self-signed certificate");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return line(fmt::format("untrusted issuer {}", problems.issuer));
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
      return line_with_role("certificate not yet valid");
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
      return line_with_role("certificate has expired");
    case X509_V_ERR_INVALID_PURPOSE:
      return line(fmt::format("not designated for use as a {} certificate", role));
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return line(fmt::format("certificate chain longer than limit({})", problems.depth - 1));
    default:
      if (error == X509_V_OK && problems.wrong_name) error = X509_V_ERR_HOSTNAME_MISMATCH;
      return line_with_role(fmt::format("num={}:{}", error, X509_verify_cert_error_string(error)));
  }
}

void look_at_peers(SSL_CTX* context, int mode) {
  SSL_CTX_set_verify(context, mode, on_verify);
}

}  // namespace postrider::tls
