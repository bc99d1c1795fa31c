// Replies, and what access control decides.
#include <algorithm>

#include <fmt/format.h>

#include "access/session_names.h"
#include "base/text.h"
#include "io/fiber.h"
#include "log/log.h"
#include "smtpd/session.h"

namespace postrider::smtpd {

void Session::reply(std::string_view text) {
  reply_lines({std::string(text)});
}

void Session::reply_lines(std::vector<std::string> lines) {
  const Settings& settings = server_.settings;
  // Who makes errors without end shall not do so at full speed.
  if (errors_ >= settings.soft_error_limit && settings.error_sleep_time.count() > 0) {
    dialogue_.flush();
    io::sleep_for(settings.error_sleep_time);
  }
  lines = server_.reply_rules.apply(
      std::move(lines), queue_id_or_none(), [this](std::string_view name) { return name_value(name); },
      service_deadline());
  for (std::string& line : lines) {
    // A text that quotes a folded header, say, must not look like several replies.
    std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    transcript_.out(line);
    dialogue_.write_line(line);
  }
  if (lines.back().starts_with("421") || lines.back().starts_with("521")) hang_up_ = true;
}

std::optional<std::string> Session::name_value(std::string_view name) const {
  if (name == "server_name") return server_.settings.myhostname;
  // What has been accepted so far, not what is being refused.
  access::Facts facts = this->facts();
  facts.helo_name = helo_name_ ? std::optional<std::string_view>(*helo_name_) : std::nullopt;
  facts.sender = mail_ ? std::optional<std::string_view>(mail_->sender()) : std::nullopt;
  facts.recipient = mail_ && mail_->recipients() > 0
                        ? std::optional<std::string_view>(mail_->first_recipient())
                        : std::nullopt;
  return access::session_value(name, facts);
}

bool Session::refuse(std::string_view text, access::ErrorClass error) {
  errors_made_.add(error);
  reply(text);
  return false;
}

bool Session::refuse(const access::Refusal& refusal) {
  if (!memory_.hang_up) return refuse(refusal.reply, refusal.error);
  hang_up_ = true;
  return false;
}

bool Session::local_data_error() {
  std::string text = fmt::format("421 4.3.0 {} Server local data error", server_.settings.myhostname);
  log::info("{}: reject: {} from {}: {}", queue_id_or_none(), where_, client_.label, text);
  return refuse(text, access::ErrorClass::data);
}

std::string_view Session::queue_id_or_none() const {
  return mail_ ? mail_->label() : std::string_view("NOQUEUE");
}

access::Facts Session::facts() const {
  access::Facts out;
  out.client_name = client_.names.name;
  out.client_address = client_.address;
  out.socket_address = client_.socket_address;
  out.client_port = client_.port;
  if (!client_.login.empty()) {
    out.sasl_method = client_.login_method;
    out.sasl_username = client_.login;
  }
  if (mail_) out.sasl_sender = mail_->sasl_sender();
  out.client = client_.label;
  out.reverse_name = client_.names.reverse_name;
  out.name_status = client_.names.name_status;
  out.reverse_status = client_.names.reverse_status;
  out.server_address = client_.server_address;
  out.server_port = client_.server_port;
  if (helo_candidate_) {
    out.helo_name = *helo_candidate_;
  } else if (helo_name_) {
    out.helo_name = *helo_name_;
  }
  if (sender_candidate_) {
    out.sender = *sender_candidate_;
    out.size = told_size_;
  } else if (mail_) {
    out.sender = mail_->sender();
  }
  out.recipient = recipient_;
  out.where = where_;
  out.protocol = protocol_;
  if (mail_) {
    out.queue_id = mail_->queue_id();
    out.instance = mail_->instance();
    out.recipients = mail_->recipients() + earlier_recipients_;
    out.size = in_content_ ? mail_->size() : mail_->parameters().size.value_or(0);
    if (!out.recipient && out.recipients == 1 && mail_->recipients() == 1)
      out.recipient = mail_->first_recipient();
  }
  out.smtputf8 = asks_utf8_ || (mail_ && mail_->parameters().smtputf8);
  out.improper_pipelining = improper_pipelining_;
  out.tls = tls_;
  return out;
}

void Session::event(std::string_view what, std::string_view text, const access::Facts& facts,
                    const access::Because&) {
  log::info("{}", access::event_text(what, text, facts, server_.settings.log_form));
}

void Session::close_transcript(size_t threshold) {
  if (transcript_.lines() <= threshold) return;
  if (!stand_alone() && errors_made_.intersects(server_.settings.notify)) {
    server_.postmaster.report(client_.label, transcript_, errors_made_, end_reason());
  }
  errors_made_.clear();
  transcript_.clear();
}

}  // namespace postrider::smtpd
