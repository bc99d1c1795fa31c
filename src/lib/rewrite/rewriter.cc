#include "rewrite/rewriter.h"

#include "config/params/instance.h"
#include "config/params/rewrite.h"
#include "log/log.h"
#include "mail/address_transform.h"
#include "mail/quote.h"

namespace postrider::rewrite {

namespace params = config::params;
using namespace mail;

std::optional<Context> parse_context(std::string_view name) {
  if (name == "local") return Context::local;
  if (name == "remote") return Context::remote;
  return std::nullopt;
}

Rewriter::Rewriter(const config::Config& config)
    : local_{.origin = config.get(params::myorigin), .domain = config.get(params::mydomain)},
      remote_{.origin = config.get(params::remote_header_rewrite_domain),
              .domain = config.get(params::remote_header_rewrite_domain)},
      swap_bangpath_(config.get(params::swap_bangpath)),
      allow_percent_hack_(config.get(params::allow_percent_hack)),
      append_at_myorigin_(config.get(params::append_at_myorigin)),
      append_dot_mydomain_(config.get(params::append_dot_mydomain)) {}

std::string Rewriter::rewrite(Context context, std::string_view address) const {
  if (address.empty()) log::warning("rewrite_addr: null address");
  TokenList tokens = scan_tokens(address);
  if (tokens.empty()) return std::string(address);
  rewrite(context, tokens);
  return quote_822_local(write_internal(tokens));
}

void Rewriter::rewrite(Context context, TokenList& address) const {
  if (address.size() == 1 && address[0].kind == TokenKind::quoted && address[0].text.empty()) return;
  if (address.size() == 1 && address[0].is('@')) {
    // No localpart and no domain: the empty address.
    address[0] = make_word(TokenKind::quoted, "");
    return;
  }
  strip_source_route(address);
  if (!has_special(address, '@')) add_domain(completion(context), address);
  if (append_dot_mydomain_ && !completion(context).domain.empty()) {
    append_parent_domain(address, completion(context).domain);
  }
  strip_trailing_dot(address);
}

void Rewriter::add_domain(const Completion& completion, TokenList& address) const {
  if (swap_bangpath_ && swap_bang_path(address)) return;
  if (allow_percent_hack_ && promote_percent(address)) return;
  if (append_at_myorigin_ && !completion.origin.empty()) append_domain(address, completion.origin);
}

}  // namespace postrider::rewrite
