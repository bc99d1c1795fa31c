// The notices that are sent where no template file says otherwise.
#include "dsn/template.h"

namespace postrider::dsn {

namespace {

constexpr std::string_view kOrigin = "[built-in]";
constexpr std::string_view kFrom = "Mail Delivery System <MAILER-DAEMON>";

Template make(TemplateKind kind, std::string_view subject, std::optional<std::string> postmaster_subject,
              std::vector<std::string> text) {
  return {.kind = kind,
          .origin = std::string(kOrigin),
          .charset = "us-ascii",
          .from = std::string(kFrom),
          .subject = std::string(subject),
          .postmaster_subject = std::move(postmaster_subject),
          .eight_bit = false,
          .text = std::move(text)};
}

// The subjects are those that programs which sort returned mail look for.

Template make_failure() {
  return make(TemplateKind::failure, "Undelivered Mail Returned to Sender",
              "Postmaster Copy: Undelivered Mail",
              {
                  "The mail system at $myhostname could not deliver your message to",
                  "the recipients below, and will not try again. Each address is",
                  "followed by the reason. Your message is attached.",
                  "",
                  "If you need help, write to the postmaster and include this report;",
                  "the text of your own message is not needed.",
              });
}

Template make_delay() {
  return make(
      TemplateKind::delay, "Delayed Mail (still being retried)", "Postmaster Warning: Delayed Mail",
      {
          "Your message is waiting at $myhostname. This is only a warning:",
          "you need not send the message again.",
          "",
          "For more than $delay_warning_time_hours hour(s) it could not be delivered to the recipients",
          "below. Delivery is tried until the message is $maximal_queue_lifetime_days day(s) old.",
          "",
          "If you need help, write to the postmaster and include this report.",
      });
}

Template make_success() {
  return make(TemplateKind::success, "Successful Mail Delivery Report", std::nullopt,
              {
                  "The mail system at $myhostname has delivered your message to the",
                  "recipients below, or handed it to the next mail system. From a mailbox",
                  "you will hear nothing more; the next mail system may still report",
                  "a failure of its own.",
              });
}

Template make_verify() {
  return make(TemplateKind::verify, "Mail Delivery Status Report", std::nullopt,
              {
                  "You asked the mail system at $myhostname for a report on the",
                  "delivery of your message. Here it is.",
              });
}

}  // namespace

const Template& built_in_template(TemplateKind kind) {
  static const std::array<Template, kTemplateKinds.size()> templates = {make_failure(), make_delay(),
                                                                        make_success(), make_verify()};
  return templates[static_cast<size_t>(kind)];
}

}  // namespace postrider::dsn
