#include "tls/dane.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "log/log.h"
#include "sys/file.h"
#include "tls/peer.h"

namespace postrider::tls {

namespace {

constexpr uint8_t kAuthority = 2, kServer = 3;
constexpr uint8_t kWholeCertificate = 0, kPublicKey = 1;
constexpr uint8_t kFull = 0, kSha256 = 1, kSha512 = 2;
/// The type that is left to private use.
constexpr uint8_t kPrivate = 255;
constexpr std::string_view kParameter = "tls_dane_digests";
/// More anchors in a file are a mistake.
constexpr size_t kMaxAnchors = 1000;
/// Of both ends of what is longer.
constexpr size_t kShown = 32;
constexpr size_t kMaxFile = size_t{4} << 20;

int value_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// "0a:0b" or "0a0b"; nothing when it is neither.
std::optional<std::string> parse_fingerprint(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (at + 1 >= text.size()) return std::nullopt;
    int high = value_of(text[at]), low = value_of(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    at += 2;
    if (at < text.size() && text[at] == ':') ++at;
  }
  if (out.empty() || text.ends_with(':')) return std::nullopt;
  return out;
}

/// The number of "name=number"; that of the standard where the name has one.
std::optional<uint8_t> matching_type(std::string_view name, std::string_view number, std::string_view word) {
  if (number.empty()) {
    if (equals_ignore_case(name, "sha256")) return kSha256;
    if (equals_ignore_case(name, "sha512")) return kSha512;
    log::warning("{}: digest algorithm {} needs an explicit number", kParameter, name);
    return std::nullopt;
  }
  auto value = parse_int(number);
  if (!value || *value < 0 || *value > kPrivate) {
    log::warning("Invalid matching type number in {}: {}", kParameter, word);
    return std::nullopt;
  }
  if (*value == kFull || *value == kPrivate) {
    log::warning("Reserved matching type number in {}: {}", kParameter, word);
    return std::nullopt;
  }
  auto type = static_cast<uint8_t>(*value);
  for (auto [standard, only] : {std::pair(kSha256, "sha256"), std::pair(kSha512, "sha512")}) {
    if (type != standard || equals_ignore_case(name, only)) continue;
    log::warning("{}: matching type {} can only be {}", kParameter, type, only);
    return std::nullopt;
  }
  return type;
}

bool can_be_read(const Tlsa& record) {
  const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
  const auto* end = data + record.data.size();
  auto size = static_cast<long>(record.data.size());
  bool good = false;
  if (record.selector == kWholeCertificate) {
    Certificate certificate(d2i_X509(nullptr, &data, size));
    good = certificate && X509_get0_pubkey(certificate.get()) != nullptr;
  } else {
    good = Key(d2i_PUBKEY(nullptr, &data, size)) != nullptr;
  }
  ERR_clear_error();
  return good && data == end;
}

std::string start_of_text(const Tlsa& record) {
  return fmt::format("{} {} {} ", record.usage, record.selector, record.matching);
}

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (char c : bytes)
    out += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

std::string tlsa_text(const Tlsa& record) {
  std::string_view data = record.data;
  if (data.size() <= 2 * kShown) return whole_tlsa_text(record);
  return fmt::format("{}{}...{}", start_of_text(record), hexadecimal(data.substr(0, kShown)),
                     hexadecimal(data.substr(data.size() - kShown)));
}

std::string whole_tlsa_text(const Tlsa& record) {
  return start_of_text(record) + hexadecimal(record.data);
}

std::string tlsa_key(const Tlsa& record) {
  return fmt::format("{} {} {} {}", record.usage, record.selector, record.matching,
                     fingerprint(record.data, EVP_sha256()));
}

std::optional<Tlsa> parse_tlsa(std::string_view data) {
  if (data.size() < 4) return std::nullopt;
  auto byte = [&](size_t at) { return static_cast<uint8_t>(data[at]); };
  return Tlsa{byte(0), byte(1), byte(2), std::string(data.substr(3))};
}

DaneDigests::DaneDigests(std::string_view text) {
  for (std::string_view word : split_any(text, " \t\r\n,:")) {
    size_t equals = word.find('=');
    std::string name(word.substr(0, equals));
    std::string_view number = equals == word.npos ? std::string_view() : word.substr(equals + 1);
    auto type = matching_type(name, number, word);
    if (!type) continue;
    const EVP_MD* digest = EVP_get_digestbyname(name.c_str());
    if (digest == nullptr) {
      log::warning("{}: digest algorithm \"{}\"({}) unknown", kParameter, name, *type);
    } else if (find(*type) != nullptr) {
      log::warning("{}: matching type {} specified more than once", kParameter, *type);
    } else {
      entries_.push_back({*type, digest});
    }
  }
}

const EVP_MD* DaneDigests::find(uint8_t matching) const {
  auto found = std::ranges::find(entries_, matching, &Entry::matching);
  return found == entries_.end() ? nullptr : found->digest;
}

bool DaneDigests::apply(SSL_CTX* context, const EVP_MD* fingerprint) const {
  if (SSL_CTX_dane_enable(context) != 1) return false;
  for (uint8_t standard : {kSha256, kSha512}) {
    if (find(standard) == nullptr) SSL_CTX_dane_mtype_set(context, nullptr, standard, 0);
  }
  // Of the digests for one key, only the strongest counts (RFC 7671 section 9).
  auto rank = static_cast<uint8_t>(entries_.size());
  for (const Entry& entry : entries_) {
    if (SSL_CTX_dane_mtype_set(context, entry.digest, entry.matching, rank--) != 1) return false;
  }
  return SSL_CTX_dane_mtype_set(context, fingerprint, kPrivate, 1) == 1;
}

bool is_usable(const Tlsa& record, const DaneDigests& digests) {
  if (record.usage != kAuthority && record.usage != kServer) return false;
  if (record.selector > kPublicKey) return false;
  if (record.matching == kFull) return can_be_read(record);
  const EVP_MD* digest = digests.find(record.matching);
  return digest != nullptr && record.data.size() == static_cast<size_t>(EVP_MD_get_size(digest));
}

std::vector<Tlsa> fingerprint_records(std::string_view list, std::string_view separators) {
  std::vector<Tlsa> out;
  for (std::string_view word : split_any(list, separators)) {
    auto bytes = parse_fingerprint(word);
    if (!bytes) {
      log::warning("malformed fingerprint value: {}", printable(word.substr(0, 384)));
      continue;
    }
    out.push_back({kServer, kPublicKey, kPrivate, *bytes});
    out.push_back({kServer, kWholeCertificate, kPrivate, *bytes});
  }
  return out;
}

Result<std::vector<Tlsa>> read_anchors(const std::string& path) {
  auto text = sys::read_file(path, kMaxFile);
  if (!text) {
    return fail(ErrorKind::not_found, fmt::format("error opening trust anchor file: {}: {}", path,
                                                  text.error().code != 0 ? strerror(text.error().code)
                                                                         : text.error().text.c_str()));
  }
  return anchor_records({path, std::move(*text)});
}

Result<std::vector<Tlsa>> anchor_records(const PemFile& file) {
  Bio bio(BIO_new_mem_buf(file.text.data(), static_cast<int>(file.text.size())));
  std::vector<Tlsa> out;
  for (;;) {
    char *name = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) break;
    std::string kind = name;
    Tlsa record{kAuthority, kind == "PUBLIC KEY" ? kPublicKey : kWholeCertificate, kFull,
                std::string(reinterpret_cast<char*>(data), static_cast<size_t>(size))};
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    // Other things may stand in the file, too.
    if (kind != "PUBLIC KEY" && kind != "CERTIFICATE" && kind != "X509 CERTIFICATE") continue;
    if (!can_be_read(record)) {
      return fail(ErrorKind::invalid,
                  fmt::format("error reading: {}: malformed trust-anchor {}", file.name, kind));
    }
    if (out.size() == kMaxAnchors)
      return fail(ErrorKind::limit, fmt::format("too many trust anchors in {}", file.name));
    out.push_back(std::move(record));
  }
  unsigned long error = ERR_peek_last_error();
  bool broken = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) != PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (broken) return fail(ErrorKind::invalid, fmt::format("malformed PEM data in {}", file.name));
  if (out.empty())
    return fail(ErrorKind::not_found, fmt::format("No trust anchors were found in file: {}", file.name));
  return out;
}

}  // namespace postrider::tls
