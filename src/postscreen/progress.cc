#include "postscreen/progress.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace postrider::postscreen {

namespace {

constexpr std::array<Test, 3> kDeepTests{Test::pipelining, Test::non_smtp, Test::bare_newline};

}  // namespace

Progress::Progress(const Settings& settings, const std::optional<Record>& known, int64_t now)
    : settings_(settings), record_(known.value_or(Record())) {
  is_new_ = std::ranges::find(record_.until, Record::kNever) != record_.until.end();
  for (Test test : kAllTests) {
    bool enabled = settings_.is_enabled(test);
    needed_[static_cast<size_t>(test)] = enabled && record_[test] < now;
    if (!enabled && record_[test] == Record::kNever) record_[test] = Record::kDisabled;
  }
}

bool Progress::needs_any() const {
  return std::ranges::any_of(needed_, std::identity());
}

bool Progress::needs_deep_tests() const {
  return std::ranges::any_of(kDeepTests, [this](Test test) { return needs(test); });
}

bool Progress::failed_any() const {
  return std::ranges::any_of(failed_, std::identity());
}

void Progress::pass(Test test, int64_t until) {
  record_[test] = until;
  needed_[static_cast<size_t>(test)] = false;
  changed_ = true;
}

void Progress::pass_deep_tests(int64_t now) {
  for (Test test : kDeepTests) {
    if (needs(test)) pass(test, now + settings_.lifetime(test).count());
  }
}

void Progress::pass_all(int64_t until) {
  for (Test test : kAllTests)
    pass(test, std::max(record_[test], until));
}

void Progress::fail(Test test, Action action, std::string reply) {
  failed_[static_cast<size_t>(test)] = true;
  if (action != Action::ignore) refuse(std::move(reply));
}

std::optional<Record> Progress::news() const {
  if (!changed_ || refused() || vetoed_) return std::nullopt;
  return record_;
}

}  // namespace postrider::postscreen
