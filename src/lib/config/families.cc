#include "config/families.h"

#include <algorithm>
#include <iterator>

#include "config/params/local.h"
#include "config/params/qmgr.h"

namespace postrider::config {

namespace families {

using std::chrono::seconds;

constinit const ServiceParam<int> recipient_limit{"_recipient_limit", params::default_recipient_limit};
constinit const ServiceParam<int> extra_recipient_limit{"_extra_recipient_limit",
                                                        params::default_extra_recipient_limit};
constinit const ServiceParam<int> recipient_refill_limit{"_recipient_refill_limit",
                                                         params::default_recipient_refill_limit, 1};
constinit const ServiceParam<seconds> recipient_refill_delay{"_recipient_refill_delay",
                                                             params::default_recipient_refill_delay, 1};
constinit const ServiceParam<int> delivery_slot_cost{"_delivery_slot_cost",
                                                     params::default_delivery_slot_cost};
constinit const ServiceParam<int> delivery_slot_loan{"_delivery_slot_loan",
                                                     params::default_delivery_slot_loan};
constinit const ServiceParam<int> delivery_slot_discount{"_delivery_slot_discount",
                                                         params::default_delivery_slot_discount, 0, 100};
constinit const ServiceParam<int> minimum_delivery_slots{"_minimum_delivery_slots",
                                                         params::default_minimum_delivery_slots};
constinit const ServiceParam<int> initial_destination_concurrency{"_initial_destination_concurrency",
                                                                  params::initial_destination_concurrency, 1};
constinit const ServiceParam<int> destination_concurrency_limit{
    "_destination_concurrency_limit", params::default_destination_concurrency_limit};
constinit const ServiceParam<int> destination_recipient_limit{"_destination_recipient_limit",
                                                              params::default_destination_recipient_limit};
constinit const ServiceParam<std::string> destination_concurrency_positive_feedback{
    "_destination_concurrency_positive_feedback", params::default_destination_concurrency_positive_feedback,
    1};
constinit const ServiceParam<std::string> destination_concurrency_negative_feedback{
    "_destination_concurrency_negative_feedback", params::default_destination_concurrency_negative_feedback,
    1};
constinit const ServiceParam<int> destination_concurrency_failed_cohort_limit{
    "_destination_concurrency_failed_cohort_limit",
    params::default_destination_concurrency_failed_cohort_limit};
constinit const ServiceParam<seconds> destination_rate_delay{"_destination_rate_delay",
                                                             params::default_destination_rate_delay};
constinit const ServiceParam<seconds> transport_rate_delay{"_transport_rate_delay",
                                                           params::default_transport_rate_delay};
constinit const ServiceParam<seconds> time_limit{"_time_limit", params::command_time_limit, 1};

}  // namespace families

namespace {

template <typename... T>
std::vector<Family> rows(const ServiceParam<T>&... param) {
  return {Family{param.suffix, param.fallback.name()}...};
}

}  // namespace

std::vector<Family> families_of_command(std::string_view command) {
  using namespace families;
  constexpr std::string_view kTransports[] = {"local", "error", "virtual", "smtp", "lmtp", "pipe"};
  std::vector<Family> out;
  if (std::ranges::find(kTransports, command) != std::end(kTransports)) {
    out = rows(recipient_limit, extra_recipient_limit, recipient_refill_limit, recipient_refill_delay,
               delivery_slot_cost, delivery_slot_loan, delivery_slot_discount, minimum_delivery_slots,
               initial_destination_concurrency, destination_concurrency_limit, destination_recipient_limit,
               destination_concurrency_positive_feedback, destination_concurrency_negative_feedback,
               destination_concurrency_failed_cohort_limit, destination_rate_delay, transport_rate_delay);
  }
  if (command == "pipe" || command == "spawn") out.push_back(rows(time_limit).front());
  return out;
}

}  // namespace postrider::config
