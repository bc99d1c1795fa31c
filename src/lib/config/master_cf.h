// The syntax of master.cf, and its services as typed values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace postrider::config {

enum class ServiceType : unsigned char { inet, unix_, fifo, pass, unix_dgram };
std::optional<ServiceType> parse_service_type(std::string_view text);
std::string_view service_type_name(ServiceType type);

/// The columns before the command, in their order.
inline constexpr std::string_view kMasterFields[] = {"service", "type",   "private",       "unprivileged",
                                                     "chroot",  "wakeup", "process_limit", "command"};
inline constexpr size_t kMasterCommand = 7;

/// An entry as it is written. It has no words when a null byte hides its text. Words behind the command may
/// have braces around them.
struct MasterLine {
  std::vector<std::string> words;
  int line = 0;
};
struct MasterLines {
  std::vector<MasterLine> lines;
  std::vector<std::string> warnings;
};
/// Splits master.cf into entries and words; it looks at nothing else.
MasterLines split_master_cf(std::string_view text, std::string_view path);
/// The words of one entry. White space inside braces does not separate words, but in the columns from the
/// second to the command braces mean nothing.
std::vector<std::string> split_master_entry(std::string_view entry);

/// "{ text }" without braces and the white space inside of them; a word that does not begin with '{' as it
/// is. The error is Postfix's: missing '}' in "{ text".
Result<std::string> unbrace(std::string_view word);
/// The word with braces where master.cf needs them: white space that would end it, an empty word, a word that
/// begins with '{'.
std::string embrace(std::string_view word);

struct MasterService {
  std::string name;  ///< First column: "smtp", "127.0.0.1:10025", "cleanup".
  ServiceType type = ServiceType::unix_;
  bool is_private = true;
  bool unprivileged = true;
  std::optional<bool> chroot;          ///< Nothing for "-".
  int wakeup_seconds = 0;              ///< 0: never.
  bool wakeup_only_if_used = false;    ///< "300?"
  std::optional<int> process_limit;    ///< Nothing for "-": default_process_limit. 0: no limit.
  std::string command;                 ///< Below daemon_directory, or an absolute path.
  std::vector<std::string> arguments;  ///< As the program gets them, without braces.
  int line = 0;

  /// "smtp/inet": the name that postconf and master_service_disable use.
  std::string id() const;
};
struct MasterCf {
  std::vector<MasterService> services;
  std::vector<std::string> warnings;
};
/// Reads the text of master.cf; `path` is for messages. Errors are Postfix's: "PATH: line N: missing
/// "command" field".
Result<MasterCf> parse_master_cf(std::string_view text, std::string_view path);

/// The host and port of an inet service: "25", "smtp", "host:25", "[::1]:25", ":25". An empty host means all
/// interfaces.
struct InetEndpoint {
  std::string host, port;
};
Result<InetEndpoint> parse_inet_endpoint(std::string_view name);

}  // namespace postrider::config
