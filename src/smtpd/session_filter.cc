// Messages that a content filter answers for (SMTPD_PROXY_README).
#include "access/facts.h"
#include "base/text.h"
#include "log/log.h"
#include "smtpd/filter_dialogue.h"
#include "smtpd/session.h"

namespace postrider::smtpd {

namespace {

/// Who mail is from, as XFORWARD has it.
smtp::ClientFacts facts_of(const Origin& from) {
  smtp::ClientFacts out;
  auto set = [&](smtp::XforwardAttribute attribute, std::string_view value) {
    out[static_cast<size_t>(attribute)] = value;
  };
  set(smtp::XforwardAttribute::name, from.logged.name);
  set(smtp::XforwardAttribute::address, from.logged.address);
  set(smtp::XforwardAttribute::port, from.logged.port);
  set(smtp::XforwardAttribute::helo, from.logged.helo_name);
  set(smtp::XforwardAttribute::ident, from.logged.ident);
  set(smtp::XforwardAttribute::protocol, from.logged.protocol);
  set(smtp::XforwardAttribute::source, from.local_rewriting ? "LOCAL" : "REMOTE");
  return out;
}

}  // namespace

bool Session::open_filter(const Origin& from) {
  auto filter = begin_filtering(*server_.filter, facts_of(from), mail_command_);
  if (!filter) return refuse(filter.error());
  mail_->open(std::move(*filter));
  return true;
}

bool Session::refuse(const FilterRefusal& refusal) {
  if (refusal.error) errors_made_.add(*refusal.error);
  std::vector<std::string> lines;
  for (std::string_view line : split_each(refusal.reply, '\n'))
    lines.emplace_back(line);
  reply_lines(std::move(lines));
  return false;
}

/// The filter's answer is the client's, unless the message does not get as far as that.
bool Session::complete_through_filter() {
  proto::CleanupStatus status = mail_->finish(memory_.effects);
  in_content_ = false;
  FilterRefusal answer;
  if (status.problems == 0) {
    answer = mail_->filter()->answer();
  } else {
    Problem problem = problem_of(status);
    answer = {std::move(problem.reply), problem.error};
  }
  bool good = answer.reply.starts_with('2');
  access::Facts facts = this->facts();
  facts.recipient = mail_->first_recipient();
  log::info("proxy-{}: END-OF-MESSAGE: {};{}", good ? "accept" : "reject", filter_reply_text(answer.reply),
            access::session_text(facts, server_.settings.log_form));
  if (good) {
    forgive();
  } else if (!answer.error) {
    answer.error = access::ErrorClass::policy;
  }
  refuse(answer);
  return good;
}

}  // namespace postrider::smtpd
