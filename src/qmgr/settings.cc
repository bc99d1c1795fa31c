#include "qmgr/settings.h"

#include "base/text.h"
#include "clients/queue_layout.h"
#include "config/families.h"
#include "config/params/bounce.h"
#include "config/params/instance.h"
#include "config/params/local.h"
#include "config/params/qmgr.h"
#include "config/params/services.h"
#include "config/params/system.h"
#include "config/params/verify.h"
#include "log/log.h"

namespace postrider::qmgr {

namespace params = config::params;
namespace families = config::families;

namespace {

Feedback parse_feedback(const config::Config& config, const std::string& name, const std::string& text) {
  auto feedback = Feedback::parse(text);
  if (!feedback) throw config::ConfigError(name + ": " + feedback.error().text, config.source(name), "");
  return *feedback;
}

}  // namespace

Settings::Settings(const config::Config& c)
    : config(c),
      layout(clients::removing_queue_layout(c)),
      message_active_limit(static_cast<size_t>(c.get(params::qmgr_message_active_limit))),
      message_recipient_limit(static_cast<size_t>(c.get(params::qmgr_message_recipient_limit))),
      message_recipient_minimum(static_cast<size_t>(c.get(params::qmgr_message_recipient_minimum))),
      probe_limit(static_cast<size_t>(c.get(params::address_verify_pending_request_limit))),
      queue_run_delay(c.get(params::queue_run_delay)),
      minimal_backoff(c.get(params::minimal_backoff_time)),
      maximal_backoff(c.get(params::maximal_backoff_time)),
      message_lifetime(c.get(params::maximal_queue_lifetime)),
      bounce_lifetime(c.get(params::bounce_queue_lifetime)),
      confirm_delay_cleared(c.get(params::confirm_delay_cleared)),
      verp_bounces(!c.get(params::disable_verp_bounces)),
      clog_warn(c.get(params::qmgr_clog_warn_time)),
      helpful(c.get(params::helpful_warnings)),
      feedback_debug(c.get(params::destination_concurrency_feedback_debug)),
      error_service("error"),
      retry_service("retry"),
      double_bounce_sender(c.get(params::double_bounce_sender)),
      recipient_delimiter(c.get(params::recipient_delimiter)),
      log_form(
          mail::parse_log_form(c.get(params::info_log_address_format)).value_or(mail::LogForm::external)),
      default_filter_nexthop(c.get(params::default_filter_nexthop)),
      myhostname(c.get(params::myhostname)),
      verp_characters(c.get(params::verp_delimiter_filter)),
      ipc_timeout(c.get(params::ipc_timeout)),
      daemon_timeout(c.get(params::qmgr_daemon_timeout)) {
  // It has no meaning any more, but its mistakes are reported as ever.
  (void)c.get(params::qmgr_fudge_factor);
  std::string transports = c.get(params::defer_transports);
  for (std::string_view name : split_any(transports, kListSeparators))
    defer_transports.emplace(name);
  if (message_recipient_limit < message_active_limit) {
    log::warning(
        "qmgr_message_recipient_limit is smaller than qmgr_message_active_limit - adjusting "
        "qmgr_message_recipient_limit");
    message_recipient_limit = message_active_limit;
  }
  if (maximal_backoff < minimal_backoff) {
    log::warning(
        "maximal_backoff_time is smaller than minimal_backoff_time - adjusting maximal_backoff_time");
    maximal_backoff = minimal_backoff;
  }
  if (bounce_lifetime > message_lifetime) {
    log::warning(
        "bounce_queue_lifetime is larger than maximal_queue_lifetime - adjusting bounce_queue_lifetime");
    bounce_lifetime = message_lifetime;
  }
}

TransportRules Settings::rules(std::string_view transport) const {
  TransportRules out;
  std::string name(transport);
  out.concurrency.initial = config.get(families::initial_destination_concurrency, name);
  out.concurrency.limit = config.get(families::destination_concurrency_limit, name);
  out.concurrency.failed_cohort_limit =
      config.get(families::destination_concurrency_failed_cohort_limit, name);
  out.concurrency.positive =
      parse_feedback(config, name + "_destination_concurrency_positive_feedback",
                     config.get(families::destination_concurrency_positive_feedback, name));
  out.concurrency.negative =
      parse_feedback(config, name + "_destination_concurrency_negative_feedback",
                     config.get(families::destination_concurrency_negative_feedback, name));
  if (out.concurrency.limit > 0 && out.concurrency.initial > out.concurrency.limit) {
    out.concurrency.initial = out.concurrency.limit;
  }
  out.recipient_limit = config.get(families::destination_recipient_limit, name);
  out.destination_delay = config.get(families::destination_rate_delay, name);
  out.transport_delay = config.get(families::transport_rate_delay, name);
  out.preemption = {.slot_cost = config.get(families::delivery_slot_cost, name),
                    .slot_loan = config.get(families::delivery_slot_loan, name),
                    .slot_discount = config.get(families::delivery_slot_discount, name),
                    .minimum_slots = config.get(families::minimum_delivery_slots, name)};
  out.recipients = {.limit = static_cast<size_t>(config.get(families::recipient_limit, name)),
                    .extra_limit = static_cast<size_t>(config.get(families::extra_recipient_limit, name)),
                    .refill_limit = static_cast<size_t>(config.get(families::recipient_refill_limit, name)),
                    .refill_delay = config.get(families::recipient_refill_delay, name)};
  // A pause between deliveries means that there is one at a time.
  if (out.destination_delay.count() > 0) out.concurrency.limit = out.concurrency.initial = 1;
  return out;
}

}  // namespace postrider::qmgr
