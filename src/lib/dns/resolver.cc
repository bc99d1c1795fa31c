#include "dns/resolver.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/hostname.h"
#include "base/text.h"
#include "dns/cache.h"
#include "dns/message.h"
#include "dns/transport.h"
#include "dns/watched_file.h"
#include "io/sync.h"
#include "log/log.h"
#include "sys/process.h"
#include "sys/random.h"

namespace postrider::dns {

namespace {

constexpr int kMaxAliases = 10;
/// Questions under way at a time; more wait. Many, for each may last as long as a name server that is down.
constexpr size_t kMaxInFlight = 2000;
/// Questions sent within kBurstTime: what a socket buffer of ordinary size holds when the name server is
/// busy.
constexpr size_t kBurst = 64;
constexpr Clock::duration kBurstTime = milliseconds(1);
constexpr size_t kMaxConfSize = 64 * 1024;
/// For a negative answer that does not say how long it holds.
constexpr seconds kShortNegativeTtl{5};

/// Why there is no record, in the words of the C library's resolver.
std::string_view reason_text(const Reply* reply) {
  if (reply == nullptr) return "Host not found, try again";
  switch (reply->rcode) {
    case kNoError:
      return "Host found but no data record of requested type";
    case kNameError:
      return "Host not found";
    case kServerFailure:
      return "Host not found, try again";
    default:
      return "Non-recoverable error";
  }
}

Status no_records_status(const Reply* reply) {
  if (reply == nullptr || reply->rcode == kServerFailure) return Status::try_again;
  return reply->rcode == kNoError || reply->rcode == kNameError ? Status::not_found : Status::failed;
}

std::string cache_key(std::string_view name, Type type, bool dnssec) {
  std::string key = lowercase(name);
  key += '\0';
  key += static_cast<char>(static_cast<unsigned>(type) >> 8);
  key += static_cast<char>(static_cast<unsigned>(type) & 0xff);
  key += dnssec ? '\1' : '\0';
  return key;
}

bool has_answer(const Reply* reply) {
  return reply != nullptr && reply->outcome != Outcome::nothing;
}

}  // namespace

struct Resolver::State {
  explicit State(ResolverSettings s)
      : settings(std::move(s)),
        cache(settings.cache_bytes),
        burst_timer([this] { end_burst(); }),
        conf_file(settings.resolv_conf_path, settings.conf_check_interval, kMaxConfSize) {}

  /// A question under way; those who wait for it share it with the one who answers.
  struct Question {
    std::shared_ptr<const Reply> reply;
    bool over = false;
    io::Condition answered;
  };
  /// No reply: no name server gave one in time.
  struct Reached {
    std::shared_ptr<const Reply> reply;
    uint32_t age = 0;
  };

  const ResolvConf& configuration();
  void use(ResolvConf fresh);
  bool may_start() const { return questions.size() < kMaxInFlight && burst < kBurst; }
  void end_burst();
  std::shared_ptr<Question> start(const std::string& key, std::string_view name, Type type, bool dnssec);
  void finish(const std::string& key, Question& question, Type type, bool dnssec,
              const std::string_view* message);
  seconds lifetime(const Reply& reply) const;
  Reached ask(std::string_view name, Type type, bool dnssec, Deadline deadline);
  Reached search(std::string_view name, Type type, const LookupOptions& options, Deadline deadline);
  void probe_dnssec(Deadline deadline);
  bool apply_filter(std::vector<Record>& records, Deadline deadline);
  Answer conclude(const Reached& reached, std::string_view name, Type type, bool trusted);
  void filter(Answer& answer, std::string_view name, Type type, Deadline deadline);

  ResolverSettings settings;
  Cache cache;
  std::unordered_map<std::string, std::shared_ptr<Question>> questions;
  io::Condition has_room;
  size_t burst = 0;
  io::Timer burst_timer;
  ResolvConf conf;
  WatchedFile conf_file;
  std::unique_ptr<Transport> transport;
  // Of a former resolv.conf, with questions under way.
  std::vector<std::unique_ptr<Transport>> old_transports;
  bool dnssec_seen = false, dnssec_probed = false;
  size_t sent = 0;
};

/// The configuration in effect, after a look at whether the file has changed.
const ResolvConf& Resolver::State::configuration() {
  if (settings.fixed) {
    if (!transport) use(*settings.fixed);
  } else if (auto text = conf_file.take_new()) {
    use(parse_resolv_conf(*text, sys::host_name()));
  }
  return conf;
}

void Resolver::State::use(ResolvConf fresh) {
  std::erase_if(old_transports, [](const auto& old) { return old->pending() == 0; });
  if (transport) old_transports.push_back(std::move(transport));
  conf = std::move(fresh);
  transport = std::make_unique<Transport>(conf);
  cache.clear();
}

seconds Resolver::State::lifetime(const Reply& reply) const {
  seconds ttl{reply.ttl};
  switch (reply.outcome) {
    case Outcome::found:
    case Outcome::alias:
    case Outcome::null_mx:
    case Outcome::null_service:
      return std::min(ttl, settings.max_ttl);
    case Outcome::nothing:
      if (no_records_status(&reply) != Status::not_found) return seconds(0);
      return std::min(ttl > seconds(0) ? ttl : kShortNegativeTtl, settings.max_negative_ttl);
    case Outcome::unrelated:
    case Outcome::damaged:
    case Outcome::malformed:
      break;
  }
  return seconds(0);
}

std::shared_ptr<Resolver::State::Question> Resolver::State::start(const std::string& key,
                                                                  std::string_view name, Type type,
                                                                  bool dnssec) {
  auto question = std::make_shared<Question>();
  auto query = build_query(static_cast<uint16_t>(sys::random_u64()), name, type, dnssec);
  if (!query) {
    // No label or name of this length can exist.
    auto reply = std::make_shared<Reply>();
    reply->outcome = Outcome::nothing;
    reply->rcode = kNameError;
    question->reply = std::move(reply);
    question->over = true;
    return question;
  }
  configuration();
  ++sent;
  if (burst++ == 0) burst_timer.start(kBurstTime);
  questions.emplace(key, question);
  transport->send(*query, dnssec, [this, key, question, type, dnssec](const std::string_view* message) {
    finish(key, *question, type, dnssec, message);
  });
  return question;
}

void Resolver::State::end_burst() {
  burst = 0;
  for (size_t i = 0; i < kBurst && has_room.has_waiters(); ++i)
    has_room.notify_one();
}

void Resolver::State::finish(const std::string& key, Question& question, Type type, bool dnssec,
                             const std::string_view* message) {
  if (message != nullptr) {
    Reply reply = parse_reply(*message, type);
    if (!dnssec) {
      reply.authenticated = reply.alias_trusted = false;
      for (Record& record : reply.records)
        record.validated = false;
    }
    dnssec_seen = dnssec_seen || reply.authenticated;
    question.reply = std::make_shared<const Reply>(std::move(reply));
    cache.store(key, question.reply, lifetime(*question.reply));
  }
  question.over = true;
  question.answered.notify_all();
  questions.erase(key);
  has_room.notify_one();
}

Resolver::State::Reached Resolver::State::ask(std::string_view name, Type type, bool dnssec,
                                              Deadline deadline) {
  std::string key = cache_key(name, type, dnssec);
  configuration();
  std::shared_ptr<Question> question;
  for (bool waited = false;; waited = true) {
    Cache::Hit hit = cache.find(key);
    auto under_way = questions.find(key);
    if (hit.reply || under_way != questions.end()) {
      if (waited) has_room.notify_one();  // The place is somebody else's.
      if (hit.reply) return {hit.reply, hit.age};
      question = under_way->second;
      break;
    }
    if (may_start()) {
      question = start(key, name, type, dnssec);
      break;
    }
    if (!has_room.wait(deadline)) return {};
  }
  while (!question->over) {
    if (!question->answered.wait(deadline)) break;
  }
  return {question->reply};
}

/// As res_search() tries names: as it is when it has enough dots, then with search domains, then as it is.
Resolver::State::Reached Resolver::State::search(std::string_view name, Type type,
                                                 const LookupOptions& options, Deadline deadline) {
  unsigned dots = static_cast<unsigned>(std::count(name.begin(), name.end(), '.'));
  // A copy: the configuration may be replaced while this waits.
  const ResolvConf& current = configuration();
  std::vector<std::string> domains;
  if (dots == 0 ? options.search.default_domain : options.search.search_list) domains = current.search;
  if (!options.search.search_list && domains.size() > 1) domains.resize(1);
  bool as_is_first = domains.empty() || dots >= current.ndots;

  Reached best;
  bool failed = false, no_data = false;
  auto try_name = [&](std::string_view candidate) {
    Reached reached = ask(candidate, type, options.dnssec, deadline);
    bool better = !best.reply && !failed;
    if (no_records_status(reached.reply.get()) == Status::try_again) {
      // "Not found" under another domain would be a guess.
      failed = better = true;
    } else if (!failed && !no_data && reached.reply->rcode == kNoError) {
      no_data = better = true;
    }
    if (better || has_answer(reached.reply.get())) best = reached;
    return has_answer(reached.reply.get());
  };
  if (as_is_first && (try_name(name) || domains.empty())) return best;
  for (const std::string& domain : domains) {
    if (try_name(fmt::format("{}.{}", name, domain))) return best;
  }
  if (!as_is_first) try_name(name);
  return best;
}

/// Tells an administrator who wants DNSSEC that the name server does not do it; once.
void Resolver::State::probe_dnssec(Deadline deadline) {
  if (dnssec_seen || dnssec_probed || settings.dnssec_probe.empty()) return;
  dnssec_probed = true;
  size_t colon = settings.dnssec_probe.find(':');
  auto type = parse_type(std::string_view(settings.dnssec_probe).substr(0, colon));
  if (!type || colon == std::string::npos) {
    log::warning("malformed dnssec_probe value: {} format is qtype:qname", settings.dnssec_probe);
    return;
  }
  std::string name = settings.dnssec_probe.substr(colon + 1);
  Reached reached = ask(name, *type, true, deadline);
  if (reached.reply && reached.reply->authenticated) return;
  log::warning("DNSSEC validation may be unavailable");
  if (reached.reply) {
    log::warning("reason: dnssec_probe '{}' received a response that is not DNSSEC validated",
                 settings.dnssec_probe);
  } else {
    log::warning(
        "reason: dnssec_probe '{}' received no response: Host or domain name not found. Name service error "
        "for name={} "
        "type={}: {}",
        settings.dnssec_probe, name, type_name(*type), reason_text(reached.reply.get()));
  }
}

/// False when the filter cannot be applied.
bool Resolver::State::apply_filter(std::vector<Record>& records, Deadline deadline) {
  std::vector<Record> kept;
  for (Record& record : records) {
    std::string text = record.text();
    auto action = settings.filter->action(text, deadline);
    if (!action) return false;
    if (!*action) {
      kept.push_back(std::move(record));
    } else if (equals_ignore_case(trim(**action), "IGNORE")) {
      log::info("ignoring DNS RR: {}", text);
    } else {
      log::warning("{}: unknown DNS filter action: \"{}\"", settings.filter->name(), **action);
      return false;
    }
  }
  records = std::move(kept);
  return true;
}

/// The answer for a name that is no alias.
Answer Resolver::State::conclude(const Reached& reached, std::string_view name, Type type, bool trusted) {
  const Reply* reply = reached.reply.get();
  std::string type_text = type_name(type);
  Answer answer;
  answer.no_such_name = reply != nullptr && reply->rcode == kNameError;
  Outcome outcome = reply != nullptr ? reply->outcome : Outcome::nothing;
  switch (outcome) {
    case Outcome::found:
      break;
    case Outcome::nothing:
      answer.status = no_records_status(reply);
      if (answer.status == Status::not_found && reply->ttl > 0)
        answer.negative_ttl = reply->ttl - std::min(reply->ttl, reached.age);
      answer.text = fmt::format("Host or domain name not found. Name service error for name={} type={}: {}",
                                name, type_text, reason_text(reply));
      return answer;
    case Outcome::null_mx:
      answer.status = Status::null_service;
      answer.text = fmt::format("Domain {} does not accept mail (nullMX)", name);
      return answer;
    case Outcome::null_service:
      answer.status = Status::null_service;
      answer.text = fmt::format("Domain {} does not support SRV requests", name);
      return answer;
    case Outcome::alias:
    case Outcome::unrelated:
    case Outcome::damaged:
    case Outcome::malformed:
      answer.status = outcome == Outcome::malformed ? Status::malformed
                      : outcome == Outcome::damaged ? Status::try_again
                                                    : Status::not_found;
      answer.text =
          fmt::format("Name service error for name={} type={}: Malformed or unexpected name server reply",
                      name, type_text);
      return answer;
  }
  answer.records = reply->records;
  for (Record& record : answer.records) {
    record.ttl -= std::min(record.ttl, reached.age);
    record.validated = record.validated && trusted && reply->alias_trusted;
  }
  answer.status = Status::found;
  return answer;
}

void Resolver::State::filter(Answer& answer, std::string_view name, Type type, Deadline deadline) {
  std::string_view problem;
  if (!apply_filter(answer.records, deadline)) {
    answer.status = Status::try_again;
    answer.records.clear();
    problem = "Invalid DNS reply filter syntax";
  } else if (answer.records.empty()) {
    answer.status = Status::policy;
    problem = "DNS reply filter drops all results";
  } else {
    return;
  }
  answer.text = fmt::format("Error looking up name={} type={}: {}", name, type_name(type), problem);
}

Resolver::Resolver(ResolverSettings settings) : state_(std::make_unique<State>(std::move(settings))) {}

Resolver::~Resolver() {
  // Questions under way end now and report to the state, which must still be whole.
  state_->old_transports.clear();
  state_->transport.reset();
}

void Resolver::prepare() {
  state_->configuration();
}

size_t Resolver::queries_sent() const {
  return state_->sent;
}

Answer Resolver::lookup(std::string_view name, Type type, const LookupOptions& options, Deadline deadline) {
  State& s = *state_;
  if (name != ".") {
    // The text says it all, and names come from anybody's mail.
    if (!is_valid_hostname(name, true)) {
      Answer answer;
      answer.status = Status::not_found;
      answer.no_such_name = true;
      answer.text = fmt::format("Name service error for {}: invalid host or domain name", printable(name));
      return answer;
    }
  }
  std::string current(name);
  LookupOptions now = options;
  bool trusted = true;
  for (int aliases = 0; aliases < kMaxAliases; ++aliases) {
    State::Reached reached = s.search(current, type, now, deadline);
    if (now.dnssec) s.probe_dnssec(deadline);
    const Reply* reply = reached.reply.get();
    if (reply != nullptr && options.warn) {
      for (const std::string& warning : reply->warnings)
        log::warning("{}", warning);
    }
    if (reply == nullptr || reply->outcome != Outcome::alias) {
      Answer answer = s.conclude(reached, current, type, trusted);
      if (answer.found() && s.settings.filter && options.filter) s.filter(answer, current, type, deadline);
      return answer;
    }
    // What follows an alias that was not validated is not worth validating.
    trusted = trusted && reply->alias_trusted;
    now.dnssec = now.dnssec && trusted;
    now.search = {};
    current = reply->alias;
  }
  if (options.warn) log::warning("dns_lookup: Name server loop for {}", current);
  Answer answer;
  answer.status = Status::not_found;
  answer.text = fmt::format("Name server loop for {}", current);
  return answer;
}

Answer Resolver::lookup(std::string_view name, std::span<const Type> types, const LookupOptions& options,
                        Deadline deadline) {
  bool searches = options.search.default_domain || options.search.search_list;
  if (!options.stop_when_found && !searches && types.size() > 1) {
    for (Type type : types)
      prefetch(name, type, options.dnssec);
  }
  Answer total;
  bool first = true;
  for (Type type : types) {
    Answer answer = lookup(name, type, options, deadline);
    bool found = answer.found();
    if (first || answer.status >= total.status) {
      std::vector<Record> records = std::move(total.records);
      append_records(records, std::move(answer.records));
      total = std::move(answer);
      total.records = std::move(records);
    }
    first = false;
    // What a domain says about its mail counts, also where it has addresses.
    bool final = type == Type::mx && (total.status == Status::null_service ||
                                      total.status == Status::policy || total.status == Status::malformed);
    if ((found || final) && options.stop_when_found) break;
  }
  return total;
}

void Resolver::prefetch(std::string_view name, Type type, bool dnssec) {
  State& s = *state_;
  if (!is_valid_hostname(name, true)) return;
  std::string key = cache_key(name, type, dnssec);
  s.configuration();
  if (!s.may_start() || s.cache.find(key).reply || s.questions.contains(key)) return;
  s.start(key, name, type, dnssec);
}

}  // namespace postrider::dns
