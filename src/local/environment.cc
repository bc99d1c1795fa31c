#include "local/environment.h"

#include "config/macro.h"
#include "mailbox/command.h"

namespace postrider::local {

namespace {

std::optional<std::string> filled(const std::string& value) {
  return value.empty() ? std::nullopt : std::optional(value);
}

}  // namespace

Result<Expanded> expand_for(const std::string& pattern, const Scope& scope,
                            const proto::DeliverRequest& request, const Settings& settings,
                            std::optional<std::string_view> allowed) {
  Expanded out;
  auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "user") return scope.user;
    if (name == "home") return filled(scope.rights.home);
    if (name == "shell") return filled(scope.rights.shell);
    if (name == "domain") return scope.domain;
    if (name == "local") return scope.local;
    if (name == "mailbox") return scope.local;
    if (name == "recipient") return scope.recipient.address;
    if (name == "extension") {
      if (scope.extension) out.used_extension = true;
      return scope.extension;
    }
    if (name == "recipient_delimiter")
      return filled(scope.delimiter.empty() ? settings.recipient_delimiter : scope.delimiter);
    if (name == "client_hostname") return request.client_name;
    if (name == "client_address") return request.client_address;
    if (name == "client_helo") return request.client_helo;
    if (name == "client_protocol") return request.client_protocol;
    if (name == "sasl_method") return request.sasl_method;
    if (name == "sasl_sender") return request.sasl_sender;
    if (name == "sasl_username") return request.sasl_username;
    return std::nullopt;
  };
  config::Expansion expansion = TRY(config::expand_macros(pattern, lookup, {.allowed = allowed}));
  out.text = std::move(expansion.text);
  out.undefined = expansion.undefined;
  return out;
}

std::vector<std::string> environment_for(const Scope& scope, const proto::DeliverRequest& request,
                                         const Settings& settings) {
  std::vector<std::string> out = settings.exported_environment;
  out.push_back("PATH=" + std::string(mailbox::kCommandPath));
  auto add = [&](std::string_view name, std::string_view value) {
    out.push_back(std::string(name) + "=" + mailbox::censored(value, settings.command_filter));
  };
  auto add_filled = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, value);
  };
  add_filled("HOME", scope.rights.home);
  add("LOGNAME", scope.user);
  add("USER", scope.user);
  add("SENDER", scope.sender);
  add("RECIPIENT", scope.recipient.address);
  add_filled("ORIGINAL_RECIPIENT", scope.recipient.original);
  add("LOCAL", scope.local);
  add_filled("DOMAIN", scope.domain);
  if (scope.extension) add("EXTENSION", *scope.extension);
  add_filled("SHELL", scope.rights.shell);
  add_filled("CLIENT_HOSTNAME", request.client_name);
  add_filled("CLIENT_ADDRESS", request.client_address);
  add_filled("CLIENT_HELO", request.client_helo);
  add_filled("CLIENT_PROTOCOL", request.client_protocol);
  add_filled("SASL_METHOD", request.sasl_method);
  add_filled("SASL_SENDER", request.sasl_sender);
  add_filled("SASL_USERNAME", request.sasl_username);
  add_filled("ENVID", scope.dsn_envid);
  return out;
}

}  // namespace postrider::local
