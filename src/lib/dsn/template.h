// Templates of notices: bounce_template_file (bounce(5)) and what is built in.
//
//   failure_template = <<EOF
//   Charset: us-ascii
//   Subject: Undelivered mail
//
//   Text with $name expansions.
//   EOF
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::dsn {

enum class TemplateKind : unsigned char {
  failure,  ///< Mail could not be delivered.
  delay,    ///< It waits.
  success,  ///< It was delivered, and the sender wanted to know.
  verify,   ///< A report of what happened or would happen (sendmail -v, -bv).
};
inline constexpr std::array kTemplateKinds = {TemplateKind::failure, TemplateKind::delay,
                                              TemplateKind::success, TemplateKind::verify};

std::string_view to_text(TemplateKind kind);  ///< "failure"

struct Template {
  TemplateKind kind = TemplateKind::failure;
  std::string origin;  ///< The file, for messages.
  std::string charset, from, subject;
  std::optional<std::string> postmaster_subject;  ///< Of copies to the postmaster, where there are such.
  bool eight_bit = false;                         ///< The text has bytes outside US-ASCII.
  std::vector<std::string> text;                  ///< Lines, not expanded.
};

const Template& built_in_template(TemplateKind kind);

/// The template in `text` (header, empty line, text); what its header does not say stays as built in. The
/// error's text has the warnings, a line each, and ends with what becomes of the template: it is ignored.
Result<Template> parse_template(TemplateKind kind, std::string_view origin, std::string_view text);

/// The four templates. Texts of a file are parsed when they are first used; a template that cannot be used is
/// told of in the log, and the one built in serves instead.
class Templates {
 public:
  /// Takes the templates out of the text of a file. The error is a line as Postfix's fatal one; warnings are
  /// logged.
  Result<void> load(std::string_view origin, std::string_view text);
  const Template& get(TemplateKind kind) const;

 private:
  struct Slot {
    std::string origin;
    std::optional<std::string> unread;
    std::optional<Template> own;
  };
  mutable std::array<Slot, kTemplateKinds.size()> slots_;
};

/// Largest template file, in bytes.
inline constexpr size_t kMaxTemplateFile = 1024 * 1024;

/// Reads bounce_template_file.
Result<Templates> read_templates(const std::string& path);

}  // namespace postrider::dsn
