#include "tools/postfix/logrotate.h"

#include <unistd.h>

#include <ctime>
#include <iomanip>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "config/params/services.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"

namespace postrider::postfix {

namespace params = config::params;

namespace {

constexpr size_t kMaxOutput = 10'000;

/// Lines that were under way when the file was moved still go to it.
constexpr unsigned kSettleSeconds = 1;

std::string time_suffix(const std::string& format) {
  time_t now = time(nullptr);
  tm parts{};
  localtime_r(&now, &parts);
  std::ostringstream text;
  text << std::put_time(&parts, format.c_str());
  return std::move(text).str();
}

/// What the program says goes into the error.
Result<void> compress(const std::string& program, const std::string& file) {
  std::string path = TRY(sys::find_program(program));
  sys::Pipe output = TRY(sys::make_pipe());
  int pipe = output.write.get();
  pid_t pid = TRY(sys::spawn(
      {.argv = {path, file}, .environment = sys::environment(), .descriptors = {{pipe, 1}, {pipe, 2}}}));
  output.write.reset();
  auto said = sys::read_all(output.read.get(), kMaxOutput);
  int status = TRY(sys::wait_for(pid));
  if (status == 0) return {};
  std::string text = said ? *said : "";
  while (text.ends_with('\n'))
    text.pop_back();
  return fail(ErrorKind::invalid,
              text.empty() ? fmt::format("{} ended with status {}", program, status) : text);
}

Result<void> move_and_compress(const config::Config& config, const std::string& file) {
  std::string suffix = time_suffix(config.get(params::maillog_file_rotate_suffix));
  if (suffix.empty()) return fail(ErrorKind::invalid, "maillog_file_rotate_suffix: no suffix");
  std::string moved = file + "." + suffix;
  TRY(sys::rename_file(file, moved));
  sleep(kSettleSeconds);
  auto compressed = compress(config.get(params::maillog_file_compressor), moved);
  if (!compressed && compressed.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found,
                fmt::format("{}: {}", config.get(params::maillog_file_compressor), compressed.error().text));
  }
  return compressed;
}

}  // namespace

Result<void> rotate_log(const config::Config& config) {
  std::string file = config.get(params::maillog_file);
  if (file.empty())
    return fail(ErrorKind::invalid, "empty 'maillog_file' parameter value - logfile rotation failed");
  if (file.starts_with("/dev/")) return fail(ErrorKind::invalid, fmt::format("not rotating '{}'", file));
  auto rotated = move_and_compress(config, file);
  if (rotated) return rotated;
  return fail(ErrorKind::invalid,
              fmt::format("logfile '{}' rotation failed: {}", file, rotated.error().text));
}

}  // namespace postrider::postfix
