#include "postscreen/visit.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_text.h"
#include "io/fiber.h"
#include "log/log.h"
#include "net/proxy_header.h"
#include "postscreen/hand_off.h"

namespace postrider::postscreen {

namespace {

constexpr seconds kListPatience{10};
/// For the last words to a client: they fit any buffer.
constexpr seconds kGoodbyePatience{10};
/// How much of what a client sends too early is looked at, and how much of it is logged.
constexpr size_t kMaxSeen = 4096, kShown = 100;

}  // namespace

Visit::Visit(Screener& screener, service::Client client)
    : screener_(screener), settings_(screener.settings()), stream_(std::move(client.stream)) {
  peer_.address = client.peer.unmapped();
  server_ = sys::local_address(stream_.fd()).value_or(sys::Address()).unmapped();
}

void Visit::run() {
  if (!identify()) return;
  peer_.ip = peer_.address.ip();
  peer_.label = fmt::format("[{}]:{}", peer_.ip, peer_.address.port());
  log::info("CONNECT from {} to [{}]:{}", peer_.label, server_.ip(), server_.port());
  size_t connections = ++screener_.connections_of(peer_.ip);
  if (has_room(connections)) screen();
  if (--screener_.connections_of(peer_.ip) == 0) screener_.forget_connections(peer_.ip);
}

/// Whom a load balancer has told of, where there is one.
bool Visit::identify() {
  if (!settings_.behind_haproxy) return true;
  auto header = net::read_proxy_header(stream_, Deadline::after(settings_.proxy_timeout));
  if (!header) {
    log::warning("haproxy read: {}",
                 header.error().kind == ErrorKind::timeout ? "time limit exceeded" : header.error().text);
    say("421 4.3.2 No system resources");
    return false;
  }
  if (header->local) return true;  // The balancer itself, which looks whether somebody is here.
  ends_ = service::Ends{header->client, header->server};
  peer_.address = header->client;
  server_ = header->server;
  return true;
}

bool Visit::has_room(size_t connections) {
  if (settings_.client_limit > 0 && connections > settings_.client_limit) {
    log::info("NOQUEUE: reject: CONNECT from {}: too many connections", peer_.label);
    drop("421 4.7.0 Error: too many connections");
    return false;
  }
  if (screener_.waiting >= settings_.post_queue_limit) {
    log::info("NOQUEUE: reject: CONNECT from {}: all server ports busy", peer_.label);
    drop("421 4.3.2 All server ports are busy");
    return false;
  }
  return true;
}

void Visit::screen() {
  std::string_view refusal;
  switch (screener_.lists().access.judge(peer_.ip, Deadline::after(kListPatience))) {
    case AccessList::Verdict::permit:
      log::info("{} {}", settings_.respectful ? "ALLOWLISTED" : "WHITELISTED", peer_.label);
      return pass_on();
    case AccessList::Verdict::reject:
      log::info("{} {}", settings_.respectful ? "DENYLISTED" : "BLACKLISTED", peer_.label);
      if (settings_.denylist_action == Action::drop) {
        drop("521 5.3.2 Service currently unavailable");
        return;
      }
      if (settings_.denylist_action == Action::enforce) refusal = "550 5.3.2 Service currently unavailable";
      break;
    case AccessList::Verdict::undecided:
      break;
  }
  progress_.emplace(settings_, screener_.find(peer_.ip), now());
  if (!refusal.empty()) progress_->refuse(std::string(refusal));
  if (!progress_->refused() && !progress_->needs_any()) {
    if (std::ranges::any_of(settings_.enabled, std::identity())) log::info("PASS OLD {}", peer_.label);
    return pass_on();
  }
  auto earns = screener_.lists().allowlist_interfaces.match(server_.ip(), Deadline::after(kListPatience));
  if (!earns || !earns->matched) {
    log::info("{} VETO {}", settings_.respectful ? "ALLOWLIST" : "WHITELIST", peer_.label);
    progress_->veto();
  }
  // Postfix counts this client, too, and turns away the one that reaches the limit.
  if (screener_.under_test + 1 >= settings_.pre_queue_limit) {
    log::info("reject: connect from {}: all screening ports busy", peer_.label);
    drop("421 4.3.2 All screening ports are busy");
    return;
  }
  take_tests();
}

void Visit::take_tests() {
  bool good;
  {
    Counted counted(screener_.under_test, [this] { screener_.watch_stress(); });
    if (wait_before_greeting() == Next::over) return;
    good = !progress_->refused() && !progress_->vetoed() && !progress_->needs_deep_tests();
    if (!good) return talk();
  }
  log_pass();
  remember();
  if (!try_to_pass_on("421 4.3.2 No system resources")) log::info("DISCONNECT {}", peer_.label);
}

/// The tests before the greeting, side by side.
Visit::Next Visit::wait_before_greeting() {
  const bool pregreet = progress_->needs(Test::pregreet), dnsbl = progress_->needs(Test::dnsbl);
  if (!pregreet && !dnsbl) return Next::go_on;
  if (pregreet) say("220-" + settings_.teaser);
  auto answers = dnsbl ? screener_.dnsbl().ask(peer_.ip, stream_.events()) : nullptr;
  wait_start_ = Clock::now();
  const Deadline end = Deadline::after(screener_.patience()->greet_wait);
  for (;;) {
    if (pay_attention(pregreet) == Next::over) return Next::over;
    if (answers && answers->score().complete() && is_good_by_score(answers->score())) return Next::go_on;
    // A client that has spoken and will be refused need not wait any longer for its turn.
    const bool waits_for_client = pregreet && !(progress_->failed(Test::pregreet) && progress_->refused());
    const bool waits_for_lists = answers && !answers->score().complete();
    if ((!waits_for_client && !waits_for_lists) || end.passed()) break;
    stream_.events().wait_readable(end);
  }
  if (pregreet && silent_)
    progress_->pass(Test::pregreet, now() + settings_.lifetime(Test::pregreet).count());
  return answers ? judge_score(answers->score()) : Next::go_on;
}

/// Looks whether the client has said something, or has gone. What it has said stays where it is: an SMTP
/// server may have to read it.
Visit::Next Visit::pay_attention(bool pregreet) {
  if (!silent_) return Next::go_on;
  auto seen = stream_.peek(0, kMaxSeen, Deadline::after(seconds(0)));
  if (seen) {
    silent_ = false;
    return pregreet ? judge_pregreet(*seen) : Next::go_on;
  }
  if (seen.error().kind == ErrorKind::timeout) return Next::go_on;
  log::info("HANGUP after {} from {} in tests before SMTP handshake", since(wait_start_), peer_.label);
  log::info("DISCONNECT {}", peer_.label);
  return Next::over;
}

Visit::Next Visit::judge_pregreet(std::string_view seen) {
  log::info("PREGREET {} after {} from {}: {}", seen.size(), since(wait_start_), peer_.label,
            escaped(seen.substr(0, kShown)).substr(0, kShown));
  Action action = settings_.action(Test::pregreet);
  progress_->fail(Test::pregreet, action, "550 5.5.1 Protocol error");
  return action == Action::drop ? drop("521 5.5.1 Protocol error") : Next::go_on;
}

int64_t lifetime_by_score(const Settings& settings, const DnsblScore& score) {
  const int64_t least = settings.dnsbl_min_lifetime.count();
  const int64_t most = std::max(least, static_cast<int64_t>(settings.lifetime(Test::dnsbl).count()));
  return std::clamp(score.ttl().value_or(least), least, most);
}

Visit::Next Visit::judge_score(const DnsblScore& score) {
  if (score.total() < settings_.dnsbl_threshold) {
    progress_->pass(Test::dnsbl, now() + lifetime_by_score(settings_, score));
    return Next::go_on;
  }
  log::info("DNSBL rank {} for {}", score.total(), peer_.label);
  std::string domain = score.worst_domain();
  if (!screener_.lists().dnsbl_replies.empty()) {
    auto found =
        screener_.lists().dnsbl_replies.find(domain, table::Where::all, Deadline::after(kListPatience));
    if (found && *found) domain = (*found)->value;
  }
  auto reply = [&](int code) {
    return fmt::format("{} 5.7.1 Service unavailable; client [{}] blocked using {}", code, peer_.ip,
                       printable(domain));
  };
  Action action = settings_.action(Test::dnsbl);
  progress_->fail(Test::dnsbl, action, reply(550));
  return action == Action::drop ? drop(reply(521)) : Next::go_on;
}

/// Whether the client is so well known that no other test is needed.
bool Visit::is_good_by_score(const DnsblScore& score) {
  if (settings_.dnsbl_allow_threshold >= 0 || score.total() > settings_.dnsbl_allow_threshold ||
      progress_->failed_any() || progress_->refused() || progress_->vetoed())
    return false;
  progress_->pass_all(now() + lifetime_by_score(settings_, score));
  return true;
}

/// Tests behind the greeting, or a client that is to be told why its mail is not taken.
void Visit::talk() {
  // Who has not waited for the greeting has no need of it.
  const bool greets =
      !progress_->failed(Test::pregreet) || settings_.action(Test::pregreet) == Action::ignore;
  auto engine = std::make_unique<Engine>(settings_, screener_.lists(), screener_.replies(), screener_.tls(),
                                         screener_.patience(), peer_, stream_, *progress_);
  engine->run(greets);
  log_pass();
  remember();
  log::info("DISCONNECT {}", peer_.label);
}

void Visit::log_pass() const {
  if (!progress_->passed_all()) return;
  bool is_new = progress_->is_new();
  // Another connection of the client may have got there first.
  if (is_new) {
    if (auto known = screener_.find(peer_.ip)) is_new = Progress(settings_, known, now()).is_new();
  }
  log::info("PASS {} {}", is_new ? "NEW" : "OLD", peer_.label);
}

void Visit::remember() const {
  if (auto news = progress_->news()) screener_.remember(peer_.ip, *news);
}

/// A client that needs no test goes on.
void Visit::pass_on() {
  (void)try_to_pass_on("421 4.3.2 All server ports are busy");
}

bool Visit::try_to_pass_on(std::string_view complaint) {
  Counted counted(screener_.waiting, {});
  auto passed = hand_off(settings_.smtpd_service, stream_.fd(), ends_);
  if (passed) return true;
  log::warning("{}", passed.error().text);
  // Who waits in the service's queue may still find a server.
  if (passed.error().kind == ErrorKind::timeout) return true;
  say(complaint);
  return false;
}

void Visit::say(std::string_view text) {
  stream_.write(screener_.replies().text(text, peer_.address, Deadline::after(kListPatience)));
  (void)stream_.flush(Deadline::after(kGoodbyePatience));
}

Visit::Next Visit::drop(std::string_view reply) {
  say(reply);
  log::info("DISCONNECT {}", peer_.label);
  return Next::over;
}

std::string Visit::since(Clock::time_point start) const {
  auto span = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  return delay_text(span.count(), settings_.delay_digits);
}

}  // namespace postrider::postscreen
