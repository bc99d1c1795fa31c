#include "smtp/server_parameters.h"

#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "mail/verp.h"

namespace postrider::smtp {

namespace {

constexpr std::string_view kXverp = "XVERP";
constexpr std::string_view kDsnDisabled = "501 5.7.1 DSN support is disabled";

std::unexpected<ParameterProblem> refuse(std::string_view reply, std::string warning = {}) {
  return std::unexpected(ParameterProblem{std::string(reply), std::move(warning)});
}

std::unexpected<ParameterProblem> unsupported(std::string_view word) {
  return refuse(fmt::format("555 5.5.4 Unsupported option: {}", printable(word)));
}

/// The value of NAME=value, in any case; nothing when the word is another parameter.
std::optional<std::string_view> value_of(std::string_view word, std::string_view name) {
  if (word.size() <= name.size() || word[name.size()] != '=' || !starts_with_ignore_case(word, name)) {
    return std::nullopt;
  }
  return word.substr(name.size() + 1);
}

/// The decimal number in a text of digits, or the largest there is.
std::optional<int64_t> parse_digits(std::string_view digits) {
  if (!is_all_digits(digits)) return std::nullopt;
  return parse_int(digits).value_or(std::numeric_limits<int64_t>::max());
}

class MailReader {
 public:
  explicit MailReader(const ParameterRules& rules) : rules_(rules) {}

  Parsed<void> read(std::string_view word) {
    if (equals_ignore_case(word, "BODY=8BITMIME")) {
      out_.body = BodyType::eight_bit;
      return {};
    }
    if (equals_ignore_case(word, "BODY=7BIT")) {
      out_.body = BodyType::seven_bit;
      return {};
    }
    if (rules_.smtputf8 && equals_ignore_case(word, "SMTPUTF8")) {
      out_.smtputf8 = true;
      return {};
    }
    if (rules_.requiretls && equals_ignore_case(word, "REQUIRETLS")) {
      out_.requiretls = true;
      return {};
    }
    if (auto value = value_of(word, "SIZE")) return read_size(*value);
    if (auto value = value_of(word, "AUTH")) {
      out_.auth = *value;
      return {};
    }
    if (rules_.xverp && equals_ignore_case(word, kXverp)) {
      out_.verp_delimiters = rules_.default_verp_delimiters;
      return {};
    }
    if (auto value = value_of(word, kXverp); value && rules_.xverp) return read_verp(*value);
    if (auto value = value_of(word, "RET")) return read_ret(*value);
    if (auto value = value_of(word, "ENVID")) return read_envid(*value);
    return unsupported(word);
  }
  MailParameters take() { return std::move(out_); }

 private:
  Parsed<void> read_size(std::string_view value) {
    out_.size = parse_digits(value);
    if (!out_.size) return refuse("501 5.5.4 Bad message size syntax");
    if (*out_.size == std::numeric_limits<int64_t>::max()) {
      return refuse("552 5.3.4 Message size exceeds file system imposed limit");
    }
    return {};
  }
  Parsed<void> read_verp(std::string_view value) {
    if (!mail::are_verp_delimiters(value, rules_.verp_delimiter_filter)) {
      return refuse(fmt::format("501 5.5.4 Error: {} needs two characters from {}", kXverp,
                                rules_.verp_delimiter_filter));
    }
    out_.verp_delimiters = value;
    return {};
  }
  Parsed<void> read_ret(std::string_view value) {
    if (!rules_.dsn) return refuse(kDsnDisabled);
    auto ret = mail::parse_ret(value);
    if (!ret || out_.ret != mail::Ret::none) return refuse("501 5.5.4 Bad RET parameter syntax");
    out_.ret = *ret;
    return {};
  }
  Parsed<void> read_envid(std::string_view value) {
    if (!rules_.dsn) return refuse(kDsnDisabled);
    auto id = mail::parse_envid(value);
    if (!id || !out_.envelope_id.empty()) return refuse("501 5.5.4 Bad ENVID parameter syntax");
    out_.envelope_id = std::move(*id);
    return {};
  }

  const ParameterRules& rules_;
  MailParameters out_;
};

/// What the log says of a NOTIFY value that has an unknown word.
std::string notify_warning(std::string_view value) {
  for (std::string_view word : split_any(value, ", \t")) {
    if (equals_ignore_case(word, "NEVER") || mail::parse_notify(word)) continue;
    return fmt::format("unknown DSN NOTIFY command value \"{}\" in \"{}\"", printable(word),
                       printable(value));
  }
  return {};
}

Parsed<void> read_notify(std::string_view value, RcptParameters& out) {
  auto notify = mail::parse_notify(value);
  if (notify && out.notify == mail::Notify::none) {
    out.notify = *notify;
    return {};
  }
  return refuse("501 5.5.4 Error: Bad NOTIFY parameter syntax",
                notify ? std::string() : notify_warning(value));
}

Parsed<void> read_orcpt(std::string_view value, RcptParameters& out) {
  auto original = mail::parse_orcpt(value);
  if (!original || out.original) return refuse("501 5.5.4 Error: Bad ORCPT parameter syntax");
  out.original = std::move(*original);
  return {};
}

}  // namespace

Parsed<MailParameters> parse_mail_parameters(std::span<const mail::SmtpWord> words,
                                             const ParameterRules& rules) {
  MailReader reader(rules);
  for (const mail::SmtpWord& word : words) {
    if (auto read = reader.read(word.text); !read) return std::unexpected(std::move(read).error());
  }
  MailParameters out = reader.take();
  return out;
}

Parsed<RcptParameters> parse_rcpt_parameters(std::span<const mail::SmtpWord> words,
                                             const ParameterRules& rules) {
  RcptParameters out;
  for (const mail::SmtpWord& word : words) {
    auto notify = value_of(word.text, "NOTIFY");
    auto orcpt = value_of(word.text, "ORCPT");
    if (!notify && !orcpt) return unsupported(word.text);
    if (!rules.dsn) return refuse(kDsnDisabled);
    auto read = notify ? read_notify(*notify, out) : read_orcpt(*orcpt, out);
    if (!read) return std::unexpected(std::move(read).error());
  }
  return out;
}

std::optional<ChunkParameters> parse_chunk_parameters(std::span<const mail::SmtpWord> words) {
  if (words.empty() || words.size() > 2) return std::nullopt;
  ChunkParameters out{.size = 0, .last = words.size() == 2};
  if (out.last && !equals_ignore_case(words[1].text, "LAST")) return std::nullopt;
  auto size = parse_digits(words[0].text);
  if (!size || *size == std::numeric_limits<int64_t>::max()) return std::nullopt;
  out.size = *size;
  return out;
}

}  // namespace postrider::smtp
