#include "postscreen/replies.h"

#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/time_text.h"
#include "log/log.h"
#include "smtp/reply_footer.h"

namespace postrider::postscreen {

namespace {

std::optional<std::string> footer_value(std::string_view name, std::string_view server_name,
                                        const sys::Address& client) {
  if (name == "client_address") return client.ip();
  if (name == "client_port") return fmt::format("{}", client.port());
  if (name == "localtime") return short_date(::time(nullptr));
  if (name == "server_name") return std::string(server_name);
  log::warning("unknown macro name \"{}\" in expansion request", name);
  return std::nullopt;
}

}  // namespace

std::string Replies::footer_template(std::string_view reply, Deadline deadline) const {
  if (!lists_.reject_footer.empty()) {
    auto found = lists_.reject_footer.find(reply, table::Where::all, deadline);
    if (found && *found) return (*found)->value;
  }
  return settings_.reject_footer;
}

std::string Replies::text(std::string_view reply, const sys::Address& client, Deadline deadline) const {
  std::vector<std::string> lines{std::string(reply)};
  if (smtp::is_refusal(reply)) {
    if (std::string footer = footer_template(reply, deadline); !footer.empty()) {
      auto value = [&](std::string_view name) { return footer_value(name, settings_.myhostname, client); };
      auto longer = smtp::add_footer(lines, footer, value, settings_.expansion_filter);
      if (longer) {
        lines = std::move(*longer);
      } else {
        log::warning("could not append reply footer: {}", footer);
      }
    }
  }
  std::string out;
  for (std::string& line : lines) {
    if (settings_.soft_bounce) smtp::soften(line);
    out += line;
    out += "\r\n";
  }
  return out;
}

std::string Replies::softened(std::string_view reply) const {
  std::string out(reply);
  if (settings_.soft_bounce) smtp::soften(out);
  return out;
}

}  // namespace postrider::postscreen
