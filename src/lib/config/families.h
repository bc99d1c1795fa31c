// Parameters of one transport or service: <transport>_destination_recipient_limit and its relatives.
#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"

namespace postrider::config {

namespace families {

extern const ServiceParam<int> recipient_limit;
extern const ServiceParam<int> extra_recipient_limit;
extern const ServiceParam<int> recipient_refill_limit;
extern const ServiceParam<std::chrono::seconds> recipient_refill_delay;
extern const ServiceParam<int> delivery_slot_cost;
extern const ServiceParam<int> delivery_slot_loan;
extern const ServiceParam<int> delivery_slot_discount;
extern const ServiceParam<int> minimum_delivery_slots;
extern const ServiceParam<int> initial_destination_concurrency;
extern const ServiceParam<int> destination_concurrency_limit;
extern const ServiceParam<int> destination_recipient_limit;
/// A number, or number/concurrency, or number/sqrt_concurrency.
extern const ServiceParam<std::string> destination_concurrency_positive_feedback;
extern const ServiceParam<std::string> destination_concurrency_negative_feedback;
extern const ServiceParam<int> destination_concurrency_failed_cohort_limit;
extern const ServiceParam<std::chrono::seconds> destination_rate_delay;
extern const ServiceParam<std::chrono::seconds> transport_rate_delay;
/// How long a command of pipe(8) or spawn(8) may take.
extern const ServiceParam<std::chrono::seconds> time_limit;

}  // namespace families

struct Family {
  std::string_view suffix;    ///< "_destination_recipient_limit"
  std::string_view fallback;  ///< "default_destination_recipient_limit"
};
/// The families that a service of master.cf with this command has: all for delivery agents, "_time_limit" for
/// programs that run commands, none for others.
std::vector<Family> families_of_command(std::string_view command);

}  // namespace postrider::config
