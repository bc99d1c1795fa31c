// Dovecot's authentication protocol, version 1: lines of fields that tabs separate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sasl/server.h"

namespace postrider::sasl {

/// A line may have so many bytes.
inline constexpr size_t kMaxDovecotLine = 64 * 1024;

struct DovecotMechanism {
  std::string name;
  bool plaintext = false, active = false, dictionary = false, anonymous = false, forward_secrecy = false,
       mutual_auth = false, is_private = false;

  bool fits(const SecurityOptions& options) const;
};

/// The answer to a request.
struct DovecotAnswer {
  uint32_t id = 0;
  Outcome outcome;
};

/// Reads what the server says.
class DovecotReader {
 public:
  /// Takes in bytes as they come. An error is a server that is not to be talked to any longer; nothing may
  /// follow it.
  Result<void> add(std::string_view bytes);

  /// Whether the server has told all about itself.
  bool ready() const { return ready_; }
  const std::vector<DovecotMechanism>& mechanisms() const { return mechanisms_; }
  /// Whether it knows that requests can be taken back.
  bool takes_cancel() const { return minor_ >= 1; }
  /// Answers that have come since the last call.
  std::vector<DovecotAnswer> take_answers() { return std::exchange(answers_, {}); }

 private:
  using Fields = std::vector<std::string_view>;
  Result<void> line(std::string_view text);
  Result<void> version(const Fields& fields);
  Result<void> mechanism(const Fields& fields);
  Result<void> answer(const Fields& fields);

  std::string partial_;
  std::vector<DovecotMechanism> mechanisms_;
  std::vector<DovecotAnswer> answers_;
  uint64_t minor_ = 0;
  bool saw_version_ = false, ready_ = false;
};

/// The first lines of a client.
std::string dovecot_greeting(int process_id);
/// The line that begins an exchange. `initial` must be base64.
std::string dovecot_request(uint32_t id, std::string_view mechanism, std::string_view service,
                            const Peer& peer, std::optional<std::string_view> initial);
std::string dovecot_continuation(uint32_t id, std::string_view response);
std::string dovecot_cancellation(uint32_t id);

/// Whether a text has only what base64 is made of, wherever it stands: it cannot harm a line.
bool is_base64_text(std::string_view text);

}  // namespace postrider::sasl
