// What is logged about TLS: smtp_tls_loglevel and its kin, and the words of posttls-finger(1).
#pragma once

#include <string_view>

namespace postrider::tls {

class LogTopics {
 public:
  enum Topic : unsigned {
    summary = 1U << 0,      ///< A line for each session.
    untrusted = 1U << 1,    ///< What is wrong with certificates, also where nothing depends on them.
    certificate = 1U << 2,  ///< Names and fingerprints of the peer, and what of them has matched.
    cache = 1U << 3,        ///< Sessions that are kept and resumed.
    detail = 1U << 4,       ///< What is about to be done, and how.
    progress = 1U << 5,     ///< OpenSSL's steps.
    handshake_dump = 1U << 6,
    session_dump = 1U << 7,
  };

  LogTopics() = default;
  explicit LogTopics(unsigned topics) : bits_(topics) {}

  bool has(Topic topic) const { return (bits_ & topic) != 0; }
  void add(Topic topic) { bits_ |= topic; }
  void remove(Topic topic) { bits_ &= ~static_cast<unsigned>(topic); }
  friend bool operator==(LogTopics, LogTopics) = default;

 private:
  unsigned bits_ = 0;
};

/// Numbers and words in any case, separated by white space or commas; above 4 is 4. Others are warned of, as
/// values of `parameter`.
LogTopics parse_log_topics(std::string_view parameter, std::string_view text);

}  // namespace postrider::tls
