#include "pipe/attributes.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/families.h"
#include "config/params/cleanup.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/rewrite.h"
#include "config/params/system.h"
#include "config/startup.h"
#include "mailbox/command.h"
#include "sys/user.h"

namespace postrider::pipe {

namespace params = config::params;

namespace {

/// What is wrong stands in master.cf, whatever main.cf says.
[[noreturn]] void refuse(const std::string& service, std::string text, std::string remedy) {
  config::Source source{.origin = config::Source::Origin::override_, .file = service};
  throw config::ConfigError(std::move(text), source, std::move(remedy));
}

class Parser {
 public:
  Parser(Attributes& out, bool rootless) : out_(out), rootless_(rootless) {
    out_.format = {.return_path = false, .original_to = false, .delivered_to = false};
  }

  void parse(const std::vector<std::string>& words) {
    for (size_t i = 0; i < words.size(); ++i) {
      auto value = [&](std::string_view name) -> std::optional<std::string> {
        if (!starts_with_ignore_case(words[i], name)) return std::nullopt;
        return words[i].substr(name.size());
      };
      if (auto flags = value("flags=")) {
        parse_flags(*flags);
      } else if (auto user = value("user=")) {
        user_ = *user;
      } else if (auto directory = value("directory=")) {
        out_.directory = *directory;
      } else if (auto root = value("chroot=")) {
        out_.root = *root;
      } else if (auto eol = value("eol=")) {
        out_.format.line_end = unescaped(*eol);
      } else if (auto null_sender = value("null_sender=")) {
        out_.null_sender = *null_sender;
      } else if (auto size = value("size=")) {
        parse_size(*size);
      } else if (auto program = value("argv=")) {
        out_.argv.push_back(*program);
        out_.argv.insert(out_.argv.end(), words.begin() + static_cast<ptrdiff_t>(i) + 1, words.end());
        break;
      } else {
        refuse(out_.service, "unknown attribute name: " + words[i],
               "use flags=, user=, directory=, chroot=, eol=, null_sender=, size= and, last, argv=");
      }
    }
    if (out_.argv.empty() || out_.argv.front().empty()) {
      refuse(out_.service, "missing argv= command-line attribute", "add argv=COMMAND at the end");
    }
  }

  void find_identity(const config::Config& config) {
    if (user_.empty()) {
      refuse(out_.service, "missing user= command-line attribute", "add user=NAME of an unprivileged user");
    }
    if (rootless_) {
      sys::Identity own = sys::own_identity();
      out_.as = {own.uid, own.gid};
      out_.switch_user = false;
      return;
    }
    size_t colon = user_.find(':');
    std::string name = user_.substr(0, colon);
    auto user = sys::find_user(name);
    if (!user || !*user) {
      refuse(out_.service, "get_service_attr: unknown username: " + name, "create the user, or name another");
    }
    out_.as = {(*user)->uid, (*user)->gid};
    if (colon != std::string::npos) {
      std::string group_name = user_.substr(colon + 1);
      auto group = sys::find_group(group_name);
      if (!group || !*group) {
        refuse(out_.service, "get_service_attr: unknown group: " + group_name,
               "create the group, or name another");
      }
      out_.as.gid = (*group)->gid;
    }
    check_identity(config);
  }

 private:
  void parse_flags(std::string_view flags) {
    for (char flag : flags) {
      switch (flag) {
        case 'B':
          out_.format.blank_line_at_end = true;
          break;
        case 'D':
          out_.format.delivered_to = true;
          break;
        case 'F':
          out_.format.from_line = true;
          break;
        case 'O':
          out_.format.original_to = true;
          break;
        case 'R':
          out_.format.return_path = true;
          break;
        case 'X':
          out_.final_delivery = true;
          break;
        case '.':
          out_.format.stuff_dots = true;
          break;
        case '>':
          out_.format.quote_from = true;
          break;
        case 'h':
          out_.addresses.fold_domain = true;
          break;
        case 'q':
          out_.addresses.quote = true;
          break;
        case 'u':
          out_.addresses.fold_localpart = true;
          break;
        default:
          refuse(out_.service, fmt::format("unknown flag: {} (ignored)", flag), "use flags of BDFORXhqu.>");
      }
    }
  }

  void parse_size(const std::string& text) {
    auto size = parse_unsigned(text);
    if (!size || *size > static_cast<uint64_t>(INT64_MAX)) {
      refuse(out_.service, "get_service_attr: bad size= value: " + text, "give a number of bytes");
    }
    out_.size_limit = static_cast<int64_t>(*size);
  }

  void check_identity(const config::Config& config) {
    config::Identities ids = config::find_identities(config);
    auto is = [&](std::string what) {
      refuse(out_.service, "user= command-line attribute specifies " + what,
             "name an unprivileged user and group");
    };
    std::string owner = config.get(params::mail_owner), setgid = config.get(params::setgid_group);
    if (out_.as.uid == 0) is("root privileges");
    if (out_.as.uid == ids.owner.uid) is("mail system owner " + owner);
    if (out_.as.gid == 0) is("privileged group id 0");
    if (out_.as.gid == ids.owner.gid) is(fmt::format("mail system owner {} group id {}", owner, out_.as.gid));
    if (out_.as.gid == ids.setgid.gid) is(fmt::format("mail system {} group id {}", setgid, out_.as.gid));
  }

  Attributes& out_;
  bool rootless_;
  std::string user_;
};

}  // namespace

Attributes parse_attributes(const config::Config& config, const std::string& service,
                            const std::vector<std::string>& words, bool rootless) {
  Attributes out;
  out.service = service;
  out.original_recipients = config.get(params::enable_original_recipient);
  out.config_directory = config.directory();
  out.time_limit = config.get(config::families::time_limit, service);
  out.environment = mailbox::exported_environment(config.get(params::export_environment));
  out.environment.push_back("PATH=" + std::string(mailbox::kCommandPath));
  out.recipient_delimiter = config.get(params::recipient_delimiter);
  out.owner_request_special = config.get(params::owner_request_special);
  out.ipc_timeout = config.get(params::ipc_timeout);
  Parser parser(out, rootless);
  parser.parse(words);
  parser.find_identity(config);
  return out;
}

}  // namespace postrider::pipe
