#include "tools/sendmail/options.h"

#include <unistd.h>

#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "mail/dsn_parameters.h"
#include "mail/verp.h"
#include "maildrop/submission.h"
#include "queue/record.h"
#include "sys/file.h"

namespace postrider::sendmail {

namespace {

/// "+": options are not looked for behind the first recipient.
constexpr const char* kOptions = "+A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx";
constexpr size_t kMaxEnvelopeId = 100;

bool is_printable_text(std::string_view text) {
  for (char c : text) {
    if (!is_printable(c)) return false;
  }
  return true;
}

/// The argument that getopt(3) would look at next.
char*& next_argument(char** argv) {
  return argv[optind > 0 ? optind : 1];
}

class Parser {
 public:
  using Warn = std::function<void(const std::string&)>;

  Parser(int argc, char** argv, Mode mode, const Rules& rules, const Warn& warn)
      : argc_(argc), argv_(argv), rules_(rules), warn_(warn) {
    line_.mode = mode;
  }

  Result<CommandLine> parse() {
    optind = 1;
    while (!stop_ && next_argument(argv_) != nullptr) {
      if (TRY(take_special(next_argument(argv_)))) continue;
      int option = getopt(argc_, argv_, kOptions);
      if (option == -1) break;
      TRY(take(static_cast<char>(option)));
    }
    for (int i = optind; i < argc_; ++i)
      line_.recipients.emplace_back(argv_[i]);
    if (!stop_) TRY(check());
    return std::move(line_);
  }

 private:
  static std::unexpected<Error> refuse(std::string text) { return fail(ErrorKind::invalid, std::move(text)); }

  /// Options that getopt(3) cannot read: "-q" alone, and -XV, of old also -V, whose argument may be missing.
  Result<bool> take_special(std::string_view word) {
    if (word == "-q") {
      if (line_.mode == Mode::daemon) {
        warn("ignoring -q option in daemon mode");
      } else {
        line_.mode = Mode::flush_queue;
      }
      ++optind;
      return true;
    }
    // Once -V stood for -XV without delimiters; then what follows is most likely an option ("-t"), not an id.
    if (word == "-V" && optind + 1 < argc_ && strlen(argv_[optind + 1]) == 2) {
      warn("option -V is deprecated with Postfix 2.3; specify -XV instead");
      word = "-XV";
    }
    if (word.starts_with("-V") && word.size() == 4) {
      warn(fmt::format("option {} is deprecated with Postfix 2.3; specify -X{} instead", word,
                       word.substr(1)));
      TRY(set_verp(word.substr(2)));
      ++optind;
      return true;
    }
    if (word == "-XV") {
      line_.verp_delimiters = rules_.default_verp_delimiters;
      ++optind;
      return true;
    }
    return false;
  }

  Result<void> take(char option) {
    std::string_view argument = optarg == nullptr ? "" : optarg;
    switch (option) {
      case '?':
        return refuse(fmt::format("usage: {} [options]", argv_[0]));
      case 'n':
        return refuse("-n option not supported");
      case 'B':
        return set_body_type(argument);
      case 'F':
        line_.full_name = argument;
        return {};
      case 'G':
        line_.rewrite_context = "remote";
        return {};
      case 'I':
        line_.mode = Mode::aliases;
        return {};
      case 'N':
        set_notify(argument);
        return {};
      case 'O':
        set_send_option(argument);
        return {};
      case 'R':
        if (auto ret = mail::parse_ret(argument)) {
          line_.ret = static_cast<int>(*ret);
        } else {
          warn("bad -R option value -- ignored");
        }
        return {};
      case 'V':
        set_envelope_id(argument);
        return {};
      case 'X':
        if (argument.starts_with('V')) return set_verp(argument.substr(1));
        return refuse(fmt::format("unsupported: -X{}", argument.substr(0, 1)));
      case 'b':
        return set_mode(argument);
      case 'f':
      case 'r':
        line_.sender = argument;
        return {};
      case 'i':
        line_.dot_ends_input = false;
        return {};
      case 'o':
        return take_old_option(argument);
      case 'q':
        return take_queue_run(argument);
      case 't':
        line_.recipients_from_header = true;
        return {};
      case 'v':
        ++line_.verbose;
        return {};
      default:
        return {};  // -A, -C, -L, -U, -c, -e, -h, -m, -p, -x: accepted, without meaning here.
    }
  }

  Result<void> set_body_type(std::string_view type) {
    if (type == "8BITMIME") {
      line_.encoding = "8bit";
    } else if (type == "7BIT") {
      line_.encoding = "7bit";
    } else {
      return refuse("-B option needs 8BITMIME or 7BIT");
    }
    return {};
  }

  void set_notify(std::string_view list) {
    line_.notify = 0;
    if (auto notify = mail::parse_notify(list)) {
      line_.notify = notify->bits();
      return;
    }
    for (std::string_view word : split_any(list, kListSeparators)) {
      if (!mail::parse_notify(word)) {
        warn(fmt::format("unknown DSN NOTIFY command value \"{}\" in \"{}\"", word, list));
        break;
      }
    }
    warn("bad -N option value -- ignored");
  }

  /// Old Sendmail options that are no business of ours are ignored.
  void set_send_option(std::string_view assignment) {
    size_t equals = assignment.find('=');
    if (equals == assignment.npos) return;
    std::string_view name = trim(assignment.substr(0, equals)), value = trim(assignment.substr(equals + 1));
    int64_t bit = equals_ignore_case(name, "smtputf8")     ? queue::kSmtputf8Requested
                  : equals_ignore_case(name, "requiretls") ? queue::kRequireTls
                                                           : 0;
    if (bit == 0) return;
    if (equals_ignore_case(value, "yes")) {
      line_.send_options |= bit;
    } else if (equals_ignore_case(value, "no")) {
      line_.send_options &= ~bit;
    } else {
      warn("bad -O option value -- ignored");
    }
  }

  void set_envelope_id(std::string_view id) {
    if (id.size() > kMaxEnvelopeId) {
      warn("too long -V option value -- ignored");
    } else if (id.empty() || !is_printable_text(id)) {
      warn("bad syntax in -V option value -- ignored");
    } else {
      line_.envelope_id = id;
    }
  }

  Result<void> set_verp(std::string_view delimiters) {
    if (!mail::are_verp_delimiters(delimiters, rules_.verp_delimiter_filter))
      return refuse("-V requires two characters from " + rules_.verp_delimiter_filter);
    line_.verp_delimiters = delimiters;
    return {};
  }

  Result<void> set_mode(std::string_view argument) {
    char letter = argument.empty() ? '\0' : argument[0];
    switch (letter) {
      case 'd':
      case 'l':
        if (line_.mode == Mode::flush_queue) warn("ignoring -q option in daemon mode");
        line_.mode = Mode::daemon;
        return {};
      case 'h':
      case 'H':
        line_.mode = Mode::nothing;
        return {};
      case 'i':
        line_.mode = Mode::aliases;
        return {};
      case 'm':
        line_.mode = Mode::enqueue;
        return {};
      case 'p':
        line_.mode = Mode::list_queue;
        return {};
      case 's':
        line_.mode = Mode::smtp;
        return {};
      case 'v':
        line_.trace_flags |= maildrop::kTraceVerifyOnly;
        return {};
      default:
        return refuse(fmt::format("unsupported: -b{}", argument.substr(0, 1)));
    }
  }

  Result<void> take_old_option(std::string_view argument) {
    if (argument.starts_with('i')) line_.dot_ends_input = false;
    if (!argument.starts_with('A')) return {};
    if (argument.size() == 1) return refuse("-oA requires pathname");
    line_.alias_database = argument.substr(1);
    return {};
  }

  Result<void> take_queue_run(std::string_view argument) {
    char letter = argument.empty() ? '\0' : argument[0];
    if (is_digit(letter)) {
      // An interval belongs to a daemon, which has its own; without one there is nothing to do.
      if (line_.mode == Mode::daemon) return {};
      line_.mode = Mode::nothing;
      stop_ = true;
      return {};
    }
    if (letter == 'R') {
      if (argument.size() == 1) return refuse("specify: -qRsitename");
      line_.site_to_flush = argument.substr(1);
      return {};
    }
    if (letter == 'I') {
      if (argument.size() == 1) return refuse("specify: -qIqueueid");
      line_.id_to_flush = argument.substr(1);
      return {};
    }
    return refuse(fmt::format("-q{} is not implemented", argument.substr(0, 1)));
  }

  /// Options that exclude each other; what -v means is only known now.
  Result<void> check() {
    CommandLine& l = line_;
    bool enqueue = l.mode == Mode::enqueue;
    if (l.recipients_from_header && !enqueue) return refuse("-t can be used only in delivery mode");
    if (!l.site_to_flush.empty() && !enqueue) return refuse("-qR can be used only in delivery mode");
    if (!l.id_to_flush.empty() && !enqueue) return refuse("-qI can be used only in delivery mode");
    if ((l.trace_flags & maildrop::kTraceVerifyOnly) != 0) {
      if (l.recipients_from_header) return refuse("-t option cannot be used with -bv");
      if (l.notify != 0) return refuse("-N option cannot be used with -bv");
      if (l.ret != 0) return refuse("-R option cannot be used with -bv");
      if (l.verbose == 1) return refuse("-v option cannot be used with -bv");
    }
    if (l.verbose == 1 && enqueue) {
      l.verbose = 0;
      l.trace_flags |= maildrop::kTraceRecord;
    }
    return check_recipients();
  }

  Result<void> check_recipients() const {
    if (line_.recipients.empty()) return {};
    switch (line_.mode) {
      case Mode::enqueue:
        if (!line_.site_to_flush.empty()) return refuse("flush site requires no recipient");
        if (!line_.id_to_flush.empty()) return refuse("flush queue_id requires no recipient");
        return {};
      case Mode::list_queue:
        return refuse("display queue mode requires no recipient");
      case Mode::flush_queue:
        return refuse("flush queue mode requires no recipient");
      case Mode::daemon:
        return refuse("daemon mode requires no recipient");
      case Mode::aliases:
        return refuse("alias initialization mode requires no recipient");
      case Mode::smtp:
        return refuse("stand-alone mode requires no recipient");
      case Mode::nothing:
        return {};
    }
    return {};
  }

  void warn(const std::string& text) { warn_(text); }

  int argc_;
  char** argv_;
  const Rules& rules_;
  const Warn& warn_;
  CommandLine line_;
  bool stop_ = false;
};

}  // namespace

Mode mode_of_name(std::string_view program) {
  if (program == "mailq") return Mode::list_queue;
  if (program == "newaliases") return Mode::aliases;
  if (program == "smtpd") return Mode::daemon;
  return Mode::enqueue;
}

std::string find_config_directory(int argc, char** argv) {
  std::string directory;
  optind = 1;
  while (next_argument(argv) != nullptr) {
    if (strcmp(next_argument(argv), "-q") == 0) {
      ++optind;
      continue;
    }
    int option = getopt(argc, argv, kOptions);
    if (option == -1) break;
    if (option != 'C') continue;
    directory = optarg;
    if (sys::base_name(directory) == "main.cf") directory = sys::directory_of(directory);
  }
  return directory;
}

Result<CommandLine> parse_command_line(int argc, char** argv, Mode mode, const Rules& rules,
                                       const std::function<void(const std::string&)>& warn) {
  return Parser(argc, argv, mode, rules, warn).parse();
}

}  // namespace postrider::sendmail
