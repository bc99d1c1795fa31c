#include "rewrite/stripper.h"

#include <fmt/format.h>

#include "base/text.h"
#include "mail/address_transform.h"
#include "mail/quote.h"

namespace postrider::rewrite {

using namespace mail;

/// One address on its way.
class DomainStripper::Run {
 public:
  Run(const DomainStripper& rules, std::string_view address, Deadline deadline)
      : rules_(rules), deadline_(deadline), tokens_(scan_tokens(quote_822_local(address))) {}

  /// One step; true when the end is reached.
  Result<bool> step() {
    if (has_special(tokens_, '@')) strip_trailing_dot(tokens_);
    if (rules_.settings_.resolve_null_domain && !tokens_.empty() && tokens_.back().is('@'))
      tokens_.pop_back();
    if (!TRY(take_local_domain())) return true;
    if (has_routing()) {
      rules_.rewriter_.rewrite(Context::local, tokens_);
      return false;
    }
    return !crack_open() && !fill_empty();
  }

  Outcome finish() && {
    if (!remote_) complete();
    return {.local = !remote_, .address = std::move(tokens_), .by = std::move(by_)};
  }

 private:
  /// Takes off the last domain, if it is one of ours; false when it is not.
  Result<bool> take_local_domain() {
    size_t at = find_last_special(tokens_, '@');
    if (at == kNotFound) return true;
    TokenList domain(tokens_.begin() + static_cast<ptrdiff_t>(at), tokens_.end());
    if (domain.size() > 1) {
      auto decision =
          TRY(rules_.local_.match(write_internal(TokenList(domain.begin() + 1, domain.end())), deadline_));
      remote_ = !decision.local;
      if (remote_) return false;
      by_ = std::move(decision.by);
    }
    tokens_.resize(at);
    domain_ = std::move(domain);
    return true;
  }

  bool has_routing() const {
    return has_special(tokens_, '@') || (rules_.rewriter_.swaps_bang_paths() && has_special(tokens_, '!')) ||
           (rules_.rewriter_.allows_percent_hack() && has_special(tokens_, '%'));
  }

  bool is_quoted_string() const { return tokens_.size() == 1 && tokens_[0].kind == TokenKind::quoted; }

  /// Quotes hide no routing from the systems that mail is passed on to, so they hide none from us. True when
  /// the localpart was a quoted string with an operator in it.
  bool crack_open() {
    if (!rules_.settings_.resolve_dequoted || !is_quoted_string()) return false;
    std::string text = tokens_[0].text;
    size_t at = text.rfind('@');
    if (at == std::string::npos && rules_.rewriter_.allows_percent_hack()) {
      at = text.rfind('%');
      if (at != std::string::npos) text[at] = '@';
    }
    if (at != std::string::npos) {
      tokens_ = scan_tokens(quote_822_local(text));
    } else if (rules_.rewriter_.swaps_bang_paths() && text.find('!') != std::string::npos) {
      tokens_ = scan_tokens(text);
    } else {
      return false;
    }
    rules_.rewriter_.rewrite(Context::local, tokens_);
    return true;
  }

  /// Mail for nobody goes to empty_address_recipient, which may have a domain. True when that was put in.
  bool fill_empty() {
    if (is_quoted_string() && tokens_[0].text.empty()) tokens_.clear();
    if (!tokens_.empty()) return false;
    tokens_ = scan_tokens(rules_.settings_.empty_recipient);
    return true;
  }

  void complete() {
    if (domain_.empty()) {
      append_domain(tokens_, rules_.settings_.myhostname);
      by_ = table::Provenance{.parameter = "myhostname", .source = {}, .key = {}};
      return;
    }
    tokens_.insert(tokens_.end(), domain_.begin(), domain_.end());
  }

  const DomainStripper& rules_;
  Deadline deadline_;
  TokenList tokens_;
  TokenList domain_;  // taken off last, with its "@"
  std::optional<table::Provenance> by_;
  bool remote_ = false;
};

Result<DomainStripper::Outcome> DomainStripper::strip(std::string_view address, Deadline deadline) const {
  Run run(*this, address, deadline);
  // Each step makes the address shorter, but rules interact.
  const size_t limit = address.size() + 100;
  for (size_t i = 0; !TRY(run.step()); ++i) {
    if (i > limit) {
      return fail(ErrorKind::limit,
                  fmt::format("resolve_addr: <{}>: giving up after {} iterations", printable(address), i));
    }
  }
  return std::move(run).finish();
}

}  // namespace postrider::rewrite
