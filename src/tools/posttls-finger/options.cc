#include "tools/posttls-finger/options.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include <fmt/core.h>

#include "base/text.h"
#include "log/log.h"
#include "tool/tool.h"

namespace postrider::posttls_finger {

namespace {

constexpr std::string_view kUsage =
    "usage: posttls-finger [-acCfRSvwX] [-t conn_tmout] [-T cmd_tmout] [-L logopts] \\\n"
    "\t[-h host_lookup] [-l level] [-d mdalg] [-g grade] [-p protocols] \\\n"
    "\t[-A tafile] [-F CAfile.pem] [-P CApath/] [-s servername] \\\n"
    "\t[ [-H chainfiles] | [-k certfile [-K keyfile]] ] \\\n"
    "\t[-m count] [-M insecure_mx_policy] [-r delay] [-o name=value] destination [match ...]\n";

[[noreturn]] void usage() {
  log::flush();
  fmt::print(stderr, "{}", kUsage);
  std::exit(1);
}

dns::AddressPreference parse_family(std::string_view text) {
  if (equals_ignore_case(text, "any")) return dns::AddressPreference::any;
  if (equals_ignore_case(text, "ipv4")) return dns::AddressPreference::ipv4;
  if (equals_ignore_case(text, "ipv6")) return dns::AddressPreference::ipv6;
  tool::fail("bad '-a' option value: {}", text);
}

tls::Level parse_security_level(std::string_view text) {
  auto level = tls::parse_level(text);
  if (!level) tool::fail("Invalid TLS level \"{}\"", text);
  return *level;
}

tls::Level parse_mx_policy(std::string_view text) {
  auto level = tls::parse_level(text);
  if (level && (*level == tls::Level::may || *level == tls::Level::encrypt || *level == tls::Level::dane))
    return *level;
  tool::fail("bad '-M' option value: {}", text);
}

int parse_number(char option, std::string_view text, int least) {
  constexpr int64_t kMost = 1'000'000;
  auto number = parse_int(text);
  if (!number || *number < least || *number > kMost)
    tool::fail("bad '-{}' option value: {}: a number from {} to {} is wanted", option, text, least, kMost);
  return static_cast<int>(*number);
}

/// Values of the same option add up.
void append(std::string& list, std::string_view value) {
  if (!list.empty()) list += ", ";
  list += value;
}

class Reader {
 public:
  explicit Reader(Options& out) : out_(out) {}
  void read(int option, const char* value);

 private:
  bool read_flag(int option);
  bool read_files(int option, const char* value);
  void add_override(std::string_view text);

  Options& out_;
};

bool Reader::read_flag(int option) {
  switch (option) {
    case 'c':
      out_.shows_dialogue = false;
      return true;
    case 'C':
      out_.shows_chain = true;
      return true;
    case 'f':
      out_.force_tlsa = true;
      return true;
    case 'R':
      out_.by_service = true;
      return true;
    case 'S':
      out_.lmtp = true;
      return true;
    case 'v':
      ++out_.verbose;
      return true;
    case 'w':
      out_.wrapper = true;
      return true;
    case 'x':
      tool::fail_text("raw public keys (-x) are not supported here: they need OpenSSL 3.2 or later");
    case 'X':
      out_.by_proxy = true;
      return true;
    default:
      return false;
  }
}

bool Reader::read_files(int option, const char* value) {
  switch (option) {
    case 'A':
      out_.anchors.emplace_back(value);
      return true;
    case 'F':
      out_.authority_file = value;
      return true;
    case 'H':
      append(out_.chain_files, value);
      return true;
    case 'k':
      out_.certificate_file = value;
      return true;
    case 'K':
      out_.key_file = value;
      return true;
    case 'P':
      out_.authority_path = value;
      return true;
    default:
      return false;
  }
}

void Reader::add_override(std::string_view text) {
  auto assignment = config::parse_assignment(text);
  if (!assignment) usage();
  out_.overrides.push_back(std::move(*assignment));
}

void Reader::read(int option, const char* value) {
  if (read_flag(option) || read_files(option, value)) return;
  switch (option) {
    case 'a':
      out_.family = parse_family(value);
      return;
    case 'd':
      out_.digest = value;
      return;
    case 'g':
      out_.grade = value;
      return;
    case 'h':
      out_.host_lookup = value;
      return;
    case 'l':
      out_.level = parse_security_level(value);
      return;
    case 'L':
      out_.topics = value;
      return;
    case 'm':
      out_.max_reconnects = parse_number('m', value, 0);
      return;
    case 'M':
      out_.insecure_mx_policy = parse_mx_policy(value);
      return;
    case 'o':
      return add_override(value);
    case 'p':
      out_.protocols = value;
      return;
    case 'r':
      out_.reconnect_delay = parse_number('r', value, 0);
      return;
    case 's':
      out_.server_name = value;
      return;
    case 't':
      out_.connect_timeout = seconds(parse_number('t', value, 1));
      return;
    case 'T':
      out_.command_timeout = seconds(parse_number('T', value, 1));
      return;
    default:
      usage();
  }
}

/// What does not go together.
void check(const Options& options) {
  if (!options.chain_files.empty() && (!options.certificate_file.empty() || !options.key_file.empty()))
    tool::fail_text("When the '-H' option is used, neither the '-k', nor the '-K' options may be used");
  if (options.by_proxy && options.reconnect_delay > 0)
    tool::fail_text("The -X and -r options are mutually exclusive");
  if (options.wrapper && options.level == tls::Level::none)
    tool::fail_text("SSL wrapper mode requires that TLS not be disabled");
}

}  // namespace

HostLookup parse_host_lookup(std::string_view text) {
  HostLookup out;
  for (std::string_view word : split_any(text, kListSeparators)) {
    if (equals_ignore_case(word, "dns")) {
      out.dns = true;
    } else if (equals_ignore_case(word, "native")) {
      out.native = true;
    } else {
      tool::fail("unknown -h option value \"{}\" in \"{}\"", word, text);
    }
  }
  return out;
}

Options parse_options(int argc, char** argv) {
  Options out;
  if (const char* verbose = getenv("MAIL_VERBOSE")) out.verbose = *verbose != '\0' ? 1 : 0;
  Reader reader(out);
  for (int option; (option = getopt(argc, argv, "+a:A:cCd:fF:g:h:H:k:K:l:L:m:M:o:p:P:r:Rs:St:T:vwxX")) != -1;)
    reader.read(option, optarg);
  if (optind >= argc) usage();
  out.destination = argv[optind];
  out.match.assign(argv + optind + 1, argv + argc);
  // One file may have both.
  if (out.certificate_file.empty()) out.certificate_file = out.key_file;
  if (out.key_file.empty()) out.key_file = out.certificate_file;
  check(out);
  return out;
}

}  // namespace postrider::posttls_finger
