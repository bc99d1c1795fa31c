#include "mailbox/command.h"

#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "mailbox/failure.h"

namespace postrider::mailbox {

namespace {

constexpr std::string_view kPlainCharacters =
    "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \t";
constexpr std::string_view kBlanks = " \t";

/// The exit statuses of <sysexits.h>, as far as they mean something for mail.
struct ExitMeaning {
  int number;
  mail::StatusCode status;
  std::string_view text;
};
constexpr ExitMeaning kExitMeanings[] = {
    {64, "5.3.0", "command line usage error"},  {65, "5.6.0", "data format error"},
    {66, "5.3.0", "cannot open input"},         {67, "5.1.1", "user unknown"},
    {68, "5.1.2", "host name unknown"},         {69, "5.3.0", "service unavailable"},
    {70, "5.3.0", "internal software error"},   {71, "4.3.0", "system resource problem"},
    {72, "5.3.0", "critical OS file missing"},  {73, "5.2.0", "can't create user output file"},
    {74, "5.3.0", "input/output error"},        {75, "4.3.0", "temporary failure"},
    {76, "5.5.0", "remote error in protocol"},  {77, "5.7.0", "permission denied"},
    {78, "5.3.5", "local configuration error"},
};
constexpr int kTemporaryFailure = 75;

const ExitMeaning* meaning_of(int number) {
  for (const ExitMeaning& meaning : kExitMeanings) {
    if (meaning.number == number) return &meaning;
  }
  return nullptr;
}

/// Output of a command as part of a line. A null byte ends it.
std::string one_line(std::string_view output) {
  std::string out(output.substr(0, output.find('\0')));
  for (char& c : out) {
    if (c == '\t' || c == '\n') c = ' ';
  }
  return printable(out, '_');
}

mail::DeliveryStatus explained(mail::StatusCode status, std::string reason, std::string diagnostic) {
  mail::DeliveryStatus out = failed(status, std::move(reason));
  out.diagnostic_type = "x-unix";
  out.diagnostic_text = std::move(diagnostic);
  return out;
}

std::string with_output(std::string text, const std::string& output) {
  if (!output.empty()) text += ". Command output: " + output;
  return text;
}

mail::DeliveryStatus exit_status(int number, const std::string& output, std::string_view command) {
  if (auto code = mail::StatusCode::parse_prefix(output)) {
    mail::StatusText said = mail::split_status_text("5.3.0", output);
    // "2.x.x" together with a failure contradicts itself; the failure counts.
    if (code->is_success()) {
      log::warning("bounce_append: ignoring dsn code \"{}\"", code->text());
      code = mail::StatusCode("5.0.0");
    }
    return explained(*code, std::string(said.text), std::string(said.text));
  }
  if (const ExitMeaning* meaning = meaning_of(number)) {
    return explained(meaning->status, with_output(std::string(meaning->text), output),
                     output.empty() ? std::string(meaning->text) : output);
  }
  return explained("5.3.0",
                   with_output(fmt::format("Command died with status {}: \"{}\"", number, command), output),
                   output.empty() ? fmt::format("unknown mail system error {}", number) : output);
}

void log_time_limit(const RunResult& result) {
  if (result.input_timed_out) {
    log::warning("pipe_command_write: write time limit exceeded");
  } else if (!result.reply.output_closed) {
    log::warning("pipe_command_read: read time limit exceeded");
  } else {
    log::warning("pipe_command_wait_or_kill: child wait time limit exceeded");
  }
}

}  // namespace

void set_command(RunRequest& request, std::string_view command, std::string_view shell) {
  request.argv.clear();
  request.shell_command.clear();
  if (!shell.empty()) {
    for (std::string_view word : split_any(shell, " \t\r\n"))
      request.argv.emplace_back(word);
    request.argv.emplace_back(command);
    return;
  }
  request.shell_command = command;
  if (command.find_first_not_of(kPlainCharacters) != std::string_view::npos) return;
  for (std::string_view word : split_any(command, kBlanks))
    request.argv.emplace_back(word);
}

std::string censored(std::string_view value, std::string_view allowed) {
  std::string out(value);
  for (size_t at = 0; (at = out.find_first_not_of(allowed, at)) != std::string::npos; ++at)
    out[at] = '_';
  return out;
}

std::vector<std::string> exported_environment(std::string_view export_environment) {
  std::vector<std::string> out;
  for (std::string_view word : split_braced(export_environment, kListSeparators)) {
    if (word.starts_with('{') && word.ends_with('}')) word = trim(word.substr(1, word.size() - 2));
    if (size_t equals = word.find('='); equals != std::string_view::npos) {
      out.push_back(std::string(trim(word.substr(0, equals))) + "=" +
                    std::string(trim(word.substr(equals + 1))));
    } else if (const char* value = std::getenv(std::string(word).c_str())) {
      out.push_back(std::string(word) + "=" + value);
    }
  }
  return out;
}

mail::DeliveryStatus command_status(const RunResult& result, std::string_view command,
                                    std::string_view program) {
  const RunReply& reply = result.reply;
  std::string output = one_line(reply.output);
  const ExitMeaning& software = *meaning_of(70);
  switch (reply.end) {
    case RunEnd::not_started:
      return exit_status(kTemporaryFailure, fmt::format("{}: fatal: {} ", program, one_line(reply.error)),
                         command);
    case RunEnd::not_prepared:
      // This is not for the sender of the mail to know.
      log::write(log::Severity::fatal, reply.error);
      return exit_status(kTemporaryFailure, "", command);
    case RunEnd::timed_out:
      log_time_limit(result);
      return explained("5.3.0",
                       with_output(fmt::format("Command time limit exceeded: \"{}\"", command), output),
                       output.empty() ? std::string(software.text) : output);
    case RunEnd::killed:
      return explained(
          "4.3.0",
          with_output(fmt::format("Command died with signal {}: \"{}\"", reply.number, command), output),
          output.empty() ? std::string(software.text) : output);
    case RunEnd::exited:
      if (reply.number != 0) return exit_status(reply.number, output, command);
      break;
  }
  // A command may have seen enough without reading everything.
  if (result.input && (result.input->step == CopyStep::read || result.input->error.code != EPIPE)) {
    mail::DeliveryStatus out = failed(*result.input);
    if (result.input->step == CopyStep::write)
      out.reason = fmt::format("Command failed: {}: \"{}\"", out.reason, command);
    return out;
  }
  return delivered(std::move(output));
}

}  // namespace postrider::mailbox
