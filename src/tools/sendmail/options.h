// The command line of sendmail: what two generations of mail programs call it with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::sendmail {

enum class Mode : unsigned char {
  enqueue,      ///< Submit a message.
  list_queue,   ///< -bp, mailq
  flush_queue,  ///< -q
  aliases,      ///< -bi, -I, newaliases
  daemon,       ///< -bd, -bl
  smtp,         ///< -bs
  nothing,      ///< Requests that have no meaning here.
};

/// What main.cf says about the command line.
struct Rules {
  std::string default_verp_delimiters;
  std::string verp_delimiter_filter;
};

struct CommandLine {
  Mode mode = Mode::enqueue;
  std::optional<std::string> sender;      ///< -f, -r: as given.
  std::optional<std::string> full_name;   ///< -F
  std::string encoding;                   ///< -B: "7bit", "8bit" or empty.
  std::string rewrite_context = "local";  ///< "remote" with -G.
  std::string envelope_id;                ///< -V
  unsigned notify = 0;                    ///< -N, as in queue files.
  int ret = 0;                            ///< -R, likewise.
  std::string verp_delimiters;            ///< -XV
  int trace_flags = 0;                    ///< -v, -bv: maildrop::kTraceRecord and its kin.
  int64_t send_options = 0;             ///< -O smtputf8=, requiretls=: queue::kSmtputf8Requested and its kin.
  bool dot_ends_input = true;           ///< Not with -i, -oi.
  bool recipients_from_header = false;  ///< -t
  std::string site_to_flush;            ///< -qR
  std::string id_to_flush;              ///< -qI
  std::optional<std::string> alias_database;  ///< -oA
  int verbose = 0;
  std::vector<std::string> recipients;
};

/// The mode that a program name stands for.
Mode mode_of_name(std::string_view program);

/// The directory of -C, looked for before the configuration is known.
std::string find_config_directory(int argc, char** argv);

/// Reads all options. Options end at the first argument that is none. `warn` is called about those that count
/// for nothing. The error is Postfix's text.
Result<CommandLine> parse_command_line(int argc, char** argv, Mode mode, const Rules& rules,
                                       const std::function<void(const std::string&)>& warn);

}  // namespace postrider::sendmail
