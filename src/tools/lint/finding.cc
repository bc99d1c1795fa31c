#include "tools/lint/finding.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"

namespace postrider::lint {

std::string_view to_text(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "";
}

std::span<const Code> all_codes() {
  using namespace codes;
  static constexpr Code kAll[] = {
      access_action,
      access_table_elsewhere,
      bad_value,
      chroot_directory,
      chroot_program,
      chroot_socket,
      content_action,
      content_filter_loop,
      deprecated_parameter,
      deprecated_syntax,
      domain_in_two_classes,
      mailbox_owner,
      main_cf_comment,
      main_cf_repeated,
      main_cf_syntax,
      master_cf_option,
      master_cf_syntax,
      misspelled_parameter,
      mx_backup_open,
      mynetworks_wide,
      not_in_force,
      open_relay,
      password_readable,
      read_only_parameter,
      restriction_argument,
      restriction_removed,
      restriction_unknown,
      restriction_unreachable,
      sasl_no_mechanism,
      sasl_no_permission,
      sasl_plain_text,
      sasl_setting,
      sasl_socket,
      service_arguments,
      service_missing,
      service_process_limit,
      service_repeated,
      service_unknown_program,
      table_missing,
      table_not_built,
      table_not_proxied,
      table_settings,
      table_stale,
      table_syntax,
      table_type,
      table_unreachable,
      table_unused_setting,
      tls_certificate_expired,
      tls_certificate_expires,
      tls_certificate_name,
      tls_client_certificate,
      tls_file_invalid,
      tls_file_missing,
      tls_key_mismatch,
      tls_key_readable,
      tls_no_authorities,
      tls_no_certificate,
      tls_not_offered,
      tls_policy,
      tls_sni_map,
      tls_wrapper_mode,
      transport_missing,
      undefined_name,
      unused_parameter,
      wrong_service,
  };
  return kAll;
}

void Report::add(const Code& code, Place place, std::string text, std::string remedy,
                 std::vector<std::string> session) {
  auto same = [&](const Finding& other) {
    return other.code.name == code.name && other.place == place && other.text == text;
  };
  if (std::ranges::any_of(findings_, same)) return;
  findings_.push_back({code, std::move(place), std::move(text), std::move(remedy), std::move(session)});
}

bool Report::has(const Place& place) const {
  return std::ranges::any_of(findings_, [&](const Finding& finding) { return finding.place == place; });
}

std::vector<Finding> Report::sorted() const {
  std::vector<Finding> out = findings_;
  std::ranges::stable_sort(out, {}, [](const Finding& f) { return std::tie(f.place, f.code.name); });
  return out;
}

int Report::exit_status() const {
  int worst = 0;
  for (const Finding& finding : findings_) {
    worst = std::max(worst, static_cast<int>(finding.code.severity));
  }
  return worst;
}

namespace {

std::string place_text(const Place& place) {
  return place.line > 0 ? fmt::format("{}:{}", place.file, place.line) : place.file;
}

}  // namespace

std::string to_text(const Finding& finding) {
  std::string out = fmt::format("{}: {}: {} [{}]\n", place_text(finding.place),
                                to_text(finding.code.severity), printable(finding.text), finding.code.name);
  for (const std::string& line : finding.session)
    out += fmt::format("    | {}\n", printable(line));
  if (!finding.remedy.empty()) out += fmt::format("    remedy: {}\n", printable(finding.remedy));
  return out;
}

std::string to_json(const Finding& finding) {
  auto quoted = [](std::string_view text) { return json_quoted(printable(text)); };
  std::string out =
      fmt::format(R"({{"severity": "{}", "code": "{}", "file": {}, "line": {}, "text": {}, "remedy": {})",
                  to_text(finding.code.severity), finding.code.name, quoted(finding.place.file),
                  finding.place.line, quoted(finding.text), quoted(finding.remedy));
  if (!finding.session.empty()) {
    out += ", \"session\": [";
    for (size_t i = 0; i < finding.session.size(); ++i)
      out += (i == 0 ? "" : ", ") + quoted(finding.session[i]);
    out += ']';
  }
  return out + "}\n";
}

}  // namespace postrider::lint
