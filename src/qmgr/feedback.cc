#include "qmgr/feedback.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "base/text.h"

namespace postrider::qmgr {

namespace {
// Fractions such as 1/3 must add up to a whole step.
constexpr double kRounding = 0.001;
}  // namespace

Result<Feedback> Feedback::parse(std::string_view text) {
  Feedback out;
  size_t slash = text.find('/');
  std::string number(trim(text.substr(0, slash)));
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.base_);
  bool good =
      error == std::errc() && end == number.data() + number.size() && out.base_ >= 0 && out.base_ <= 1;
  if (slash != std::string_view::npos) {
    std::string_view divisor = trim(text.substr(slash + 1));
    if (divisor == "concurrency") {
      out.divisor_ = Divisor::window;
    } else if (divisor == "sqrt_concurrency") {
      out.divisor_ = Divisor::sqrt_window;
    } else {
      good = false;
    }
  }
  if (!good) {
    return postrider::fail(
        ErrorKind::invalid,
        fmt::format("bad concurrency feedback \"{}\": use a number from 0 to 1, number/concurrency "
                    "or number/sqrt_concurrency",
                    text));
  }
  return out;
}

double Feedback::at(int window) const {
  switch (divisor_) {
    case Divisor::none:
      return base_;
    case Divisor::window:
      return base_ / std::max(window, 1);
    case Divisor::sqrt_window:
      return base_ / std::sqrt(std::max(window, 1));
  }
  return base_;
}

void Window::succeed(int busy) {
  failed_cohorts_ = 0;
  if (dead_) revive();
  bool below_limit = rules_->limit == 0 || size_ < rules_->limit;
  // Wider only when the window is in use: with little mail it says nothing about what the destination can
  // take.
  if (!below_limit || size_ >= busy + rules_->initial) return;
  success_ += rules_->positive.at(size_);
  while (success_ + kRounding >= 1) {
    ++size_;
    success_ -= 1;
    failure_ = 0;
  }
  if (rules_->limit > 0) size_ = std::min(size_, rules_->limit);
}

void Window::fail() {
  if (dead_) return;
  failed_cohorts_ += 1.0 / std::max(size_, 1);
  failure_ -= rules_->negative.at(size_);
  while (failure_ - kRounding < 0 && size_ > 1) {
    --size_;
    success_ = 0;
    failure_ += 1;
  }
  if (rules_->failed_cohort_limit > 0 && failed_cohorts_ + kRounding >= rules_->failed_cohort_limit)
    dead_ = true;
}

std::string Window::describe() const {
  return fmt::format("window {} success {:g} failure {:g} fail_cohorts {:g}", dead_ ? 0 : size_, success_,
                     failure_, failed_cohorts_);
}

void Window::revive() {
  dead_ = false;
  size_ = rules_->initial;
  success_ = failure_ = failed_cohorts_ = 0;
}

}  // namespace postrider::qmgr
