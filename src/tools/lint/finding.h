// What `postfix lint` has to say.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::lint {

enum class Severity : unsigned char {
  note,     ///< Works, but is old, or not acted on yet.
  warning,  ///< Does not do what it seems to.
  error,    ///< Mail is lost, refused, relayed for anybody, or a service does not start.
};
std::string_view to_text(Severity severity);

/// A kind of finding. docs/lint.md explains each.
struct Code {
  std::string_view name;
  Severity severity;
};

namespace codes {
// clang-format off
inline constexpr Code
    main_cf_syntax{"main-cf-syntax", Severity::error},
    main_cf_comment{"main-cf-comment", Severity::warning},
    main_cf_repeated{"main-cf-repeated", Severity::warning},
    master_cf_syntax{"master-cf-syntax", Severity::error},
    master_cf_option{"master-cf-option", Severity::error},
    bad_value{"bad-value", Severity::error},
    misspelled_parameter{"misspelled-parameter", Severity::error},
    unused_parameter{"unused-parameter", Severity::warning},
    undefined_name{"undefined-name", Severity::warning},
    read_only_parameter{"read-only-parameter", Severity::warning},
    deprecated_parameter{"deprecated-parameter", Severity::note},
    deprecated_syntax{"deprecated-syntax", Severity::note},
    not_in_force{"not-in-force", Severity::note},
    wrong_service{"wrong-service", Severity::warning},
    service_missing{"service-missing", Severity::error},
    service_repeated{"service-repeated", Severity::warning},
    service_unknown_program{"service-unknown-program", Severity::error},
    service_arguments{"service-arguments", Severity::error},
    service_process_limit{"service-process-limit", Severity::error},
    transport_missing{"transport-missing", Severity::error},
    content_filter_loop{"content-filter-loop", Severity::error},
    content_action{"content-action", Severity::error},
    sasl_setting{"sasl-setting", Severity::error},
    sasl_plain_text{"sasl-plain-text", Severity::warning},
    sasl_no_permission{"sasl-no-permission", Severity::warning},
    sasl_no_mechanism{"sasl-no-mechanism", Severity::warning},
    sasl_socket{"sasl-socket", Severity::warning},
    password_readable{"password-readable", Severity::warning},
    mailbox_owner{"mailbox-owner", Severity::error},
    tls_wrapper_mode{"tls-wrapper-mode", Severity::error},
    tls_no_certificate{"tls-no-certificate", Severity::error},
    tls_not_offered{"tls-not-offered", Severity::warning},
    tls_client_certificate{"tls-client-certificate", Severity::warning},
    tls_no_authorities{"tls-no-authorities", Severity::error},
    tls_policy{"tls-policy", Severity::error},
    tls_sni_map{"tls-sni-map", Severity::error},
    chroot_socket{"chroot-socket", Severity::error},
    chroot_directory{"chroot-directory", Severity::warning},
    chroot_program{"chroot-program", Severity::error},
    table_missing{"table-missing", Severity::error},
    table_not_built{"table-not-built", Severity::error},
    table_stale{"table-stale", Severity::warning},
    table_type{"table-type", Severity::error},
    table_syntax{"table-syntax", Severity::warning},
    table_unreachable{"table-unreachable", Severity::error},
    table_settings{"table-settings", Severity::error},
    table_unused_setting{"table-unused-setting", Severity::warning},
    table_not_proxied{"table-not-proxied", Severity::error},
    restriction_unknown{"restriction-unknown", Severity::error},
    restriction_removed{"restriction-removed", Severity::error},
    restriction_argument{"restriction-argument", Severity::error},
    restriction_unreachable{"restriction-unreachable", Severity::warning},
    access_action{"access-action", Severity::error},
    access_table_elsewhere{"access-table-elsewhere", Severity::note},
    open_relay{"open-relay", Severity::error},
    mynetworks_wide{"mynetworks-wide", Severity::warning},
    mx_backup_open{"mx-backup-open", Severity::warning},
    domain_in_two_classes{"domain-in-two-classes", Severity::error},
    tls_file_missing{"tls-file-missing", Severity::error},
    tls_file_invalid{"tls-file-invalid", Severity::error},
    tls_key_mismatch{"tls-key-mismatch", Severity::error},
    tls_certificate_expired{"tls-certificate-expired", Severity::error},
    tls_certificate_expires{"tls-certificate-expires", Severity::warning},
    tls_certificate_name{"tls-certificate-name", Severity::note},
    tls_key_readable{"tls-key-readable", Severity::warning};
// clang-format on
}  // namespace codes

/// All of them, sorted by name.
std::span<const Code> all_codes();

struct Place {
  std::string file;
  int line = 0;  ///< 0: the file as a whole.
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Finding {
  Code code;
  Place place;
  std::string text;                  ///< What is wrong, one sentence without a full stop.
  std::string remedy;                ///< What to do, the same.
  std::vector<std::string> session;  ///< An SMTP session that shows it.
};

/// Collects findings; the same one twice counts once.
class Report {
 public:
  void add(const Code& code, Place place, std::string text, std::string remedy,
           std::vector<std::string> session = {});
  /// Whether something was said about a line already.
  bool has(const Place& place) const;
  /// In the order of files and lines.
  std::vector<Finding> sorted() const;
  /// 0: nothing worse than a note; 1: a warning; 2: an error.
  int exit_status() const;

 private:
  std::vector<Finding> findings_;
};

/// "FILE:LINE: error: text [code]", the session and "    remedy".
std::string to_text(const Finding& finding);
/// One JSON object on a line.
std::string to_json(const Finding& finding);

}  // namespace postrider::lint
