// A table type of somebody else, for plugins_test.cc.
#include "table/driver.h"

namespace postrider::table {
namespace {

/// Greets who is asked for, in the words of the table's name.
class Greeting : public driver::LookupConnection {
 public:
  explicit Greeting(std::string words) : words_(std::move(words)) {}
  driver::Answer<std::optional<std::string>> lookup(std::string_view key) override {
    if (key == "nobody") return std::nullopt;
    if (key == "broken") return std::unexpected(driver::Failure{"out of words"});
    return words_ + ", " + std::string(key);
  }

 private:
  std::string words_;
};

class Greetings : public driver::LookupDriver {
 public:
  driver::Answer<std::unique_ptr<driver::LookupConnection>> connect(const std::string& name,
                                                                    driver::Timeout) override {
    if (name == "unreachable") return std::unexpected(driver::Failure{"cannot be reached"});
    return std::make_unique<Greeting>(name);
  }
};

}  // namespace
}  // namespace postrider::table

extern "C" __attribute__((visibility("default"))) void* open_greeting() {
  static postrider::table::Greetings driver;
  return static_cast<postrider::table::driver::LookupDriver*>(&driver);
}
