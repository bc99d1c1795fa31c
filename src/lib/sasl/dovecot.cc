#include "sasl/dovecot.h"

#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "log/log.h"
#include "net/endpoint.h"
#include "sys/process.h"

namespace postrider::sasl {

namespace {

constexpr std::string_view kLost = "Connection lost to authentication server";

}  // namespace

// --- the connection ---

/// One connection, and who waits for answers on it. A fiber of its own reads.
class DovecotService::Link : public std::enable_shared_from_this<Link> {
 public:
  explicit Link(io::Stream stream) : stream_(std::move(stream)) {}

  /// Exchanges greetings.
  Result<void> open(Deadline deadline) {
    io::spawn([self = shared_from_this()] { self->read(); });
    TRY(send(dovecot_greeting(sys::process_id()), deadline));
    while (!reader_.ready()) {
      if (lost_) return fail(ErrorKind::closed, problem_.empty() ? "Connection closed" : problem_);
      if (!changed_.wait(deadline)) return fail(ErrorKind::timeout, "timed out");
    }
    return {};
  }

  bool lost() const { return lost_; }
  const DovecotReader& reader() const { return reader_; }

  /// A number that no other exchange has.
  uint32_t new_id() {
    do {
      ++last_id_;
    } while (last_id_ == 0 || answers_.contains(last_id_));
    return last_id_;
  }

  /// Nothing when the connection is lost, or the deadline has passed.
  std::optional<Outcome> ask(uint32_t id, std::string_view line, Deadline deadline) {
    answers_[id].reset();
    std::optional<Outcome> out;
    if (send(line, deadline)) {
      while (!lost_ && !answers_[id] && changed_.wait(deadline)) {
      }
      out = std::move(answers_[id]);
    }
    answers_.erase(id);
    return out;
  }

  Result<void> send(std::string_view line, Deadline deadline) {
    if (!writing_.lock(deadline)) return fail(ErrorKind::timeout, "timed out");
    Result<void> sent = fail(ErrorKind::closed, "connection is broken");
    if (!lost_) {
      stream_.write(line);
      sent = stream_.flush(deadline);
    }
    writing_.unlock();
    if (!sent) lose({});
    return sent;
  }

  /// Ends it; whoever waits for an answer learns so.
  void lose(std::string problem) {
    if (lost_) return;
    lost_ = true;
    problem_ = std::move(problem);
    stream_.shutdown_write();
    stream_.events().wake_reader();
    changed_.notify_all();
  }

 private:
  void read() {
    while (!lost_) {
      if (!stream_.wait_input(Deadline::never())) continue;
      if (lost_) break;
      if (!stream_.fill_available()) {
        if (stream_.at_end() || stream_.broken()) lose({});
        continue;
      }
      auto added = reader_.add(stream_.buffered());
      stream_.consume(stream_.buffered().size());
      for (DovecotAnswer& answer : reader_.take_answers()) {
        // Nobody may be waiting for it any longer.
        if (auto waiting = answers_.find(answer.id); waiting != answers_.end())
          waiting->second = std::move(answer.outcome);
      }
      changed_.notify_all();
      if (!added) {
        log::warning("SASL: {}", added.error().text);
        lose(added.error().text);
      }
    }
  }

  io::Stream stream_;
  io::Mutex writing_;
  io::Condition changed_;
  DovecotReader reader_;
  std::unordered_map<uint32_t, std::optional<Outcome>> answers_;  // Of those who wait.
  uint32_t last_id_ = 0;
  std::string problem_;
  bool lost_ = false;
};

DovecotService::~DovecotService() {
  if (link_) link_->lose({});
}

Result<std::shared_ptr<DovecotService::Link>> DovecotService::connect(Deadline deadline) const {
  return std::make_shared<Link>(TRY(net::connect(settings_.path, "unix", deadline)));
}

std::shared_ptr<DovecotService::Link> DovecotService::link(Deadline deadline) {
  if (link_ && !link_->lost()) return link_;
  Deadline soon = Deadline::after(settings_.connect_timeout).or_sooner(deadline);
  if (!connecting_.lock(soon)) return nullptr;
  if (!link_ || link_->lost()) {
    link_.reset();
    auto made = connect(soon);
    if (!made) {
      log::warning("SASL: Connect to Dovecot auth socket '{}' failed: {}", settings_.path,
                   net::reason_of(made.error()));
    } else if (auto opened = (*made)->open(soon); !opened) {
      (*made)->lose({});
      log::warning("SASL: no greeting from Dovecot auth socket '{}': {}", settings_.path,
                   net::reason_of(opened.error()));
    } else {
      link_ = *made;
      known_ = link_->reader().mechanisms();
    }
  }
  connecting_.unlock();
  return link_;
}

Result<std::vector<DovecotMechanism>> DovecotService::offered(Deadline deadline) {
  // A server that is being restarted is announced as it was: clients that come meanwhile shall try again.
  if (!link(deadline) && known_.empty()) return fail(ErrorKind::temporary, "no SASL authentication server");
  return known_;
}

// --- a session ---

class DovecotServer : public Server {
 public:
  DovecotServer(DovecotService& service, Peer peer, SecurityOptions options)
      : service_(service), peer_(std::move(peer)), options_(options) {}
  ~DovecotServer() override = default;

  Result<std::vector<std::string>> mechanisms(Deadline deadline) override {
    std::vector<std::string> out;
    for (DovecotMechanism& mechanism : TRY(service_.offered(deadline))) {
      if (mechanism.fits(options_)) out.push_back(std::move(mechanism.name));
    }
    return out;
  }

  Outcome first(std::string_view mechanism, std::optional<std::string_view> initial,
                Deadline deadline) override {
    auto known = mechanisms(deadline);
    if (!known) return Outcome::temporary(std::string(kLost));
    const std::string* name = nullptr;
    for (const std::string& candidate : *known) {
      if (equals_ignore_case(candidate, mechanism)) name = &candidate;
    }
    if (!name) return Outcome::failed("Invalid authentication mechanism");
    if (initial && !is_base64_text(*initial))
      return Outcome::failed("Invalid base64 data in initial response");
    bool fresh = !service_.link_ || service_.link_->lost();
    for (;;) {
      link_ = service_.link(deadline);
      if (!link_) return Outcome::temporary(std::string(kLost));
      id_ = link_->new_id();
      auto outcome = ask(dovecot_request(id_, *name, service_.settings_.service, peer_, initial), deadline);
      if (outcome) return std::move(*outcome);
      // An old connection may have been closed by a restart of the server, of which nothing was known here.
      if (fresh || !link_->lost()) return Outcome::temporary(std::string(kLost));
      fresh = true;
    }
  }

  Outcome next(std::string_view response, Deadline deadline) override {
    if (!is_base64_text(response)) {
      cancel(deadline);
      return Outcome::failed("Invalid base64 data in continued response");
    }
    auto outcome = link_ ? ask(dovecot_continuation(id_, response), deadline) : std::nullopt;
    return outcome ? std::move(*outcome) : Outcome::temporary(std::string(kLost));
  }

  void cancel(Deadline deadline) override {
    if (link_ && !link_->lost() && link_->reader().takes_cancel())
      (void)link_->send(dovecot_cancellation(id_), deadline);
  }

 private:
  std::optional<Outcome> ask(const std::string& line, Deadline deadline) {
    Deadline soon = Deadline::after(service_.settings_.answer_timeout).or_sooner(deadline);
    auto outcome = link_->ask(id_, line, soon);
    if (!outcome) cancel(deadline);
    return outcome;
  }

  DovecotService& service_;
  Peer peer_;
  SecurityOptions options_;
  std::shared_ptr<DovecotService::Link> link_;
  uint32_t id_ = 0;
};

std::unique_ptr<Server> DovecotService::begin(Peer peer, SecurityOptions options) {
  return std::make_unique<DovecotServer>(*this, std::move(peer), options);
}

}  // namespace postrider::sasl
