#include "postscreen/dnsbl_lookups.h"

#include <algorithm>

#include "clients/endpoint.h"
#include "io/fiber.h"
#include "log/log.h"
#include "proto/dnsblog.h"

namespace postrider::postscreen {

namespace {

/// Questions under way; beyond that, lists are taken to be silent.
constexpr size_t kMaxUnderWay = 20'000;

}  // namespace

DnsblShare::DnsblShare(std::shared_ptr<DnsblAnswers> answers, io::FdEvents& waiter)
    : answers_(std::move(answers)), waiter_(waiter) {
  answers_->waiting.push_back(&waiter_);
}

DnsblShare::~DnsblShare() {
  std::erase(answers_->waiting, &waiter_);
}

DnsblLookups::DnsblLookups(const config::Config& config, std::string_view service, const DnsblSites& sites,
                           seconds timeout)
    : sites_(sites), timeout_(timeout), client_(clients::private_endpoint(config, service, "postscreen")) {}

std::unique_ptr<DnsblShare> DnsblLookups::ask(const std::string& address, io::FdEvents& waiter) {
  std::weak_ptr<DnsblAnswers>& known = known_[address];
  auto answers = known.lock();
  if (!answers) {
    auto forget = [this, address](const DnsblAnswers* gone) {
      known_.erase(address);
      delete gone;
    };
    answers = std::shared_ptr<DnsblAnswers>(new DnsblAnswers(sites_), forget);
    known = answers;
    for (const std::string& domain : sites_.domains())
      ask_list(address, domain, answers);
  }
  return std::make_unique<DnsblShare>(std::move(answers), waiter);
}

void DnsblLookups::ask_list(const std::string& address, const std::string& domain,
                            const std::shared_ptr<DnsblAnswers>& answers) {
  if (under_way_ >= kMaxUnderWay) {
    answers->score.give_up();
    return;
  }
  ++under_way_;
  io::spawn([this, address, &domain, answers] {
    proto::DnsblogQuery query;
    query.domain = domain;
    query.address = address;
    auto reply = client_.call<proto::DnsblogReply>(query, Deadline::after(timeout_));
    --under_way_;
    if (reply) {
      answers->score.add(domain, reply->listed, reply->ttl);
    } else {
      answers->score.give_up();
      if (reply.error().kind != ErrorKind::timeout) log::warning("{}", reply.error().text);
    }
    if (!answers->score.complete()) return;
    for (io::FdEvents* waiter : answers->waiting)
      waiter->wake_reader();
  });
}

}  // namespace postrider::postscreen
