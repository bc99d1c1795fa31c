#include "dsn/template.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mail/header.h"
#include "sys/file.h"

namespace postrider::dsn {

std::string_view to_text(TemplateKind kind) {
  constexpr std::array<std::string_view, kTemplateKinds.size()> kNames = {"failure", "delay", "success",
                                                                          "verify"};
  return kNames[static_cast<size_t>(kind)];
}

namespace {

/// Reads one template; messages name where it comes from.
class TemplateReader {
 public:
  TemplateReader(TemplateKind kind, std::string_view origin) : result_(built_in_template(kind)) {
    result_.origin = origin;
  }

  Result<Template> read(std::string_view text) {
    std::vector<std::string_view> lines = split_each(text, '\n');
    auto line = lines.begin();
    for (size_t length; line != lines.end() && (length = mail::header_name_length(*line)) > 0; ++line) {
      TRY(header(line->substr(0, length), line->substr(length)));
    }
    while (line != lines.end() && trim(*line).empty())
      ++line;
    if (line == lines.end()) return ignored("missing message text in {} template", kind());
    result_.text.assign(line, lines.end());
    return check_charset();
  }

 private:
  std::string_view kind() const { return to_text(result_.kind); }

  template <typename... A>
  std::unexpected<Error> ignored(fmt::format_string<A...> format, A&&... arguments) const {
    return fail(ErrorKind::invalid, fmt::format("{}: {} -- ignoring this template", result_.origin,
                                                fmt::format(format, std::forward<A>(arguments)...)));
  }

  Result<void> header(std::string_view name, std::string_view rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(": \t\v\f\r"), rest.size()));
    if (rest.empty()) return ignored("empty \"{}\" header value in {} template", name, kind());
    if (!is_all_ascii(rest)) return ignored("non-ASCII \"{}\" header value in {} template", name, kind());
    if (equals_ignore_case(name, "charset")) {
      result_.charset = rest;
    } else if (equals_ignore_case(name, "from")) {
      result_.from = rest;
    } else if (equals_ignore_case(name, "subject")) {
      result_.subject = rest;
    } else if (equals_ignore_case(name, "postmaster-subject")) {
      if (!result_.postmaster_subject) {
        return ignored("inapplicable \"{}\" header label in {} template", name, kind());
      }
      result_.postmaster_subject = rest;
    } else {
      return ignored("unknown \"{}\" header label in {} template", name, kind());
    }
    return {};
  }

  Result<Template> check_charset() {
    result_.eight_bit = !std::ranges::all_of(result_.text, is_all_ascii);
    if (result_.eight_bit && equals_ignore_case(result_.charset, "us-ascii")) {
      return fail(ErrorKind::invalid, fmt::format("{}: 8-bit message text in {} template\n"
                                                  "please specify a charset value other than us-ascii\n"
                                                  "-- ignoring this template for now",
                                                  result_.origin, kind()));
    }
    return std::move(result_);
  }

  Template result_;
};

/// A file as lines with their numbers.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next() {
    if (rest_.empty()) return std::nullopt;
    size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return line;
  }
  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

struct NameValue {
  std::string_view name, value;
};

Result<NameValue> split_name_value(std::string_view line, std::string_view place) {
  auto wrong = [&](std::string_view what) {
    return fail(ErrorKind::invalid, fmt::format("{}: {}: \"{}\"", place, what, line));
  };
  std::string_view text = trim(line);
  size_t equals = text.find('=');
  if (text.empty() || equals == 0) return wrong("missing attribute name");
  if (equals == std::string_view::npos) return wrong("missing '=' after attribute name");
  std::string_view name = trim(text.substr(0, equals));
  if (name.find_first_of(" \t\v\f\r") != std::string_view::npos)
    return wrong("missing '=' after attribute name");
  return NameValue{name, trim(text.substr(equals + 1))};
}

/// The lines up to `marker`.
std::string here_document(Lines& lines, std::string_view marker, std::string_view origin) {
  std::string text;
  bool first = true;
  while (auto line = lines.next()) {
    if (*line == marker) return text;
    if (!std::exchange(first, false)) text += '\n';
    text += *line;
  }
  log::warning("{}, line {}: missing \"{}\" end marker", origin, lines.number(), marker);
  return text;
}

std::optional<TemplateKind> find_kind(std::string_view name) {
  for (TemplateKind kind : kTemplateKinds) {
    if (name == fmt::format("{}_template", to_text(kind))) return kind;
  }
  return std::nullopt;
}

}  // namespace

Result<Template> parse_template(TemplateKind kind, std::string_view origin, std::string_view text) {
  return TemplateReader(kind, origin).read(text);
}

Result<void> Templates::load(std::string_view origin, std::string_view text) {
  Lines lines(text);
  while (auto line = lines.next()) {
    std::string_view content = trim_left(*line);
    if (content.empty() || content.front() == '#') continue;
    std::string place = fmt::format("{}, line {}", origin, lines.number());
    NameValue entry = TRY(split_name_value(*line, place));
    std::string value(entry.value);
    if (value.starts_with("<<")) {
      std::string_view marker = trim_left(entry.value.substr(2));
      if (marker.empty()) return fail(ErrorKind::invalid, place + ": missing end marker after <<");
      if (!is_alnum(marker.front()))
        return fail(ErrorKind::invalid, place + ": malformed end marker after <<");
      value = here_document(lines, marker, origin);
    }
    if (auto kind = find_kind(entry.name)) {
      slots_[static_cast<size_t>(*kind)] = {
          .origin = std::string(origin), .unread = std::move(value), .own = {}};
    } else {
      log::warning("{}, line {}: unknown template name: {} -- ignoring this template", origin, lines.number(),
                   entry.name);
    }
  }
  return {};
}

const Template& Templates::get(TemplateKind kind) const {
  Slot& slot = slots_[static_cast<size_t>(kind)];
  if (slot.unread) {
    auto parsed = parse_template(kind, slot.origin, *slot.unread);
    slot.unread.reset();
    if (parsed) {
      slot.own = std::move(*parsed);
    } else {
      for (std::string_view line : split_each(parsed.error().text, '\n'))
        log::warning("{}", line);
    }
  }
  return slot.own ? *slot.own : built_in_template(kind);
}

Result<Templates> read_templates(const std::string& path) {
  std::string text = TRY(sys::read_file(path, kMaxTemplateFile));
  Templates templates;
  TRY(templates.load(path, text));
  return templates;
}

}  // namespace postrider::dsn
