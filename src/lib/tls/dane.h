// Keys and certificates that are known beforehand: from the DNS (RFC 6698, RFC 7672), by fingerprint, or as
// trust anchors in files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tls/chain.h"
#include "tls/openssl.h"

namespace postrider::tls {

/// A TLSA record: RFC 6698 section 2.1.
struct Tlsa {
  uint8_t usage = 3;     ///< 2: an authority; 3: the server itself. Others have no meaning in SMTP.
  uint8_t selector = 1;  ///< 0: the certificate; 1: its key.
  uint8_t matching = 1;  ///< 0: `data` is it; others: a digest of it.
  std::string data;

  friend bool operator==(const Tlsa&, const Tlsa&) = default;
};

/// "3 1 1 0A0B", for people: the middle of whole certificates is left out.
std::string tlsa_text(const Tlsa& record);
/// The same with all of it, for programs.
std::string whole_tlsa_text(const Tlsa& record);
/// The same for records that are the same, and no others.
std::string tlsa_key(const Tlsa& record);
/// Of the data of a DNS record; too short to be one: nothing.
std::optional<Tlsa> parse_tlsa(std::string_view data);

/// Matching types with their digests, the preferred first: tls_dane_digests.
class DaneDigests {
 public:
  /// Words that are no digest are warned of and left out.
  explicit DaneDigests(std::string_view text);
  /// The digest; null for a type that is not used.
  const EVP_MD* find(uint8_t matching) const;
  /// Has the context use them, and `fingerprint` for records made by fingerprint_records().
  bool apply(SSL_CTX* context, const EVP_MD* fingerprint) const;

 private:
  struct Entry {
    uint8_t matching;
    const EVP_MD* digest;
  };
  std::vector<Entry> entries_;
};

/// Whether a server can be compared with it.
bool is_usable(const Tlsa& record, const DaneDigests& digests);

/// Certificates and keys by their fingerprints: "35:1E:..." in a list separated by any of `separators`. What
/// is no fingerprint is warned of and left out.
std::vector<Tlsa> fingerprint_records(std::string_view list, std::string_view separators);
/// The certificates and public keys of a file as authorities (smtp_tls_trust_anchor_file).
Result<std::vector<Tlsa>> anchor_records(const PemFile& file);
/// The same for a file that is not read yet.
Result<std::vector<Tlsa>> read_anchors(const std::string& path);

}  // namespace postrider::tls
