// Mail filters and one message: telling them what it is, and carrying out what they want.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cleanup/address_mapper.h"
#include "cleanup/message_state.h"
#include "cleanup/recipients.h"
#include "ipc/connection.h"
#include "milter/chain.h"
#include "proto/cleanup.h"

namespace postrider::cleanup {

/// The filters that this process may have to do with.
struct Filters {
  explicit Filters(const config::Config& config);
  milter::Settings settings;
  std::vector<milter::FilterSettings> local;  ///< non_smtpd_milters
};

class Milters {
 public:
  Milters(MessageState& state, const Filters& filters) : state_(state), filters_(filters) {}
  ~Milters();
  Milters(const Milters&) = delete;
  Milters& operator=(const Milters&) = delete;

  /// The client's own filters, which have heard of the envelope already.
  void take_over(proto::CleanupMilters milters, ipc::Connection& connection);

  // Where there is no such client, filters hear of the envelope here.
  void attribute(std::string_view name, std::string_view value);
  void sender(const std::string& address);
  void recipient(const std::string& address);

  /// Shows the message to the filters. The file is complete but for the size record; `content` is where its
  /// content begins. What they want is noted in the state, and done.
  void inspect(Recipients& recipients, AddressMapper& mapper, uint64_t content);
  /// Of the content that is in force, with record headers.
  uint64_t content_length(uint64_t written, uint64_t content) const;

 private:
  bool emulates() const { return !state_.has(proto::kCleanupFromSmtpd) && !filters_.local.empty(); }
  void begin_session();
  void command(milter::Event event, std::string_view where, std::string_view word);
  void apply(const milter::Verdict& verdict, std::string_view where);
  void log(std::string_view action, std::string_view where, std::string_view text) const;
  std::string macro(std::string_view name) const;
  std::string client() const;
  std::string known(std::string_view attribute, std::string_view fallback) const;
  milter::MacroValues macro_values() const {
    return [this](std::string_view name) { return macro(name); };
  }

  MessageState& state_;
  const Filters& filters_;
  std::optional<proto::CleanupMilters> handed_;
  milter::Chain chain_;
  bool begun_ = false, client_lost_ = false;
  std::map<std::string, std::string, std::less<>> attributes_;  // Of the client.
  std::string recipient_;
  std::optional<uint64_t> new_body_;  // Bytes of a body that replaces the first.
};

}  // namespace postrider::cleanup
