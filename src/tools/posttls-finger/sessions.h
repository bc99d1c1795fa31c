// TLS sessions, as long as the program runs.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "tls/client.h"

namespace postrider::posttls_finger {

class MemorySessions : public tls::ClientSupport {
 public:
  std::optional<std::string> find_session(std::string_view key, Deadline) override {
    auto found = sessions_.find(std::string(key));
    found_ = found != sessions_.end();
    return found_ ? std::optional(found->second) : std::nullopt;
  }
  void save_session(std::string_view key, std::string_view data, Deadline) override {
    sessions_[std::string(key)] = data;
  }
  void remove_session(std::string_view key, Deadline) override { sessions_.erase(std::string(key)); }

  bool empty() const { return sessions_.empty(); }
  /// Whether the last server that was asked about had been met before.
  bool found() const { return found_; }

 private:
  std::map<std::string, std::string> sessions_;
  bool found_ = false;
};

}  // namespace postrider::posttls_finger
